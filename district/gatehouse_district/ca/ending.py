"""The authority's own server and receiver certificates as files: what they say, when they end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from gatehouse.texts import _
from gatehouse_district.errors import AuthorityError

WARNED: Final = timedelta(days=30)
"""Before the end: a month holds a week in which somebody looks."""
_NOT_ENDING: Final = frozenset({"ca.pem", "crl.pem"})


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends soon, or has ended."""

    path: Path
    ends: datetime


def own(folder: Path) -> Sequence[Path]:
    """Return the certificates in the authority's folder that have their key beside them."""
    found = sorted(path for path in folder.glob("*.pem") if path.name not in _NOT_ENDING)
    return [path for path in found if path.with_suffix(".key").exists()]


def soon(paths: Iterable[Path], at: datetime) -> Sequence[Ending]:
    """Return those that end within `WARNED`, the first to end first; what is none is left out."""
    found = []
    for path in dict.fromkeys(paths):
        try:
            ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        except (OSError, ValueError, x509.InvalidVersion):
            continue  # whoever uses it says so
        if ends - at < WARNED:
            found.append(Ending(path, ends))
    return sorted(found, key=lambda each: each.ends)


def present(path: Path, root: x509.Certificate) -> x509.Certificate:
    """Read one that this authority has signed. Raises AuthorityError."""
    try:
        cert = x509.load_pem_x509_certificate(path.read_bytes())
        cert.verify_directly_issued_by(root)
    except OSError as exc:
        said = _("{path} cannot be read: {reason}").format(path=path, reason=exc.strerror or exc)
        raise AuthorityError(said) from exc
    except Exception as exc:  # whatever it is; cryptography has many
        said = _("{path} is no certificate of this authority")
        raise AuthorityError(said.format(path=path)) from exc
    return cert


def names(cert: x509.Certificate) -> list[str]:
    """Return a server's names and addresses, in their order."""
    try:
        said = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in said]


def key(cert: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Return its key, which it keeps. Raises AuthorityError for one that was never ours."""
    found = cert.public_key()
    if not isinstance(found, ec.EllipticCurvePublicKey):
        raise AuthorityError(_("this certificate has a key of another kind: sign a new one"))
    return found
