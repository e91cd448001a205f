"""The authority's key and certificate as files."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatehouse.texts import _
from gatehouse_district.errors import AuthorityError


def load(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Read both, and see that they belong together. Raises AuthorityError."""
    try:
        cert = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    except FileNotFoundError as exc:
        said = _("there is no authority in {folder}: gatehouse-district ca init makes one")
        raise AuthorityError(said.format(folder=folder)) from exc
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise _unusable(folder, exc) from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != cert.public_key():
        raise _unusable(folder, _("ca.key does not belong to ca.pem"))
    return cert, key


def _unusable(folder: Path, reason: object) -> AuthorityError:
    said = _("the authority in {folder} cannot be used: {reason}")
    return AuthorityError(said.format(folder=folder, reason=reason))


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Write a key, without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
