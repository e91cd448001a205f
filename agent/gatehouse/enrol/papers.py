"""Keys, requests and certificates: the only file of the agent with `cryptography`."""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gatehouse.errors import EnrolError
from gatehouse.texts import _

LARGEST: Final = 64 * 1024
_PEM: Final = serialization.Encoding.PEM


def new_key() -> bytes:
    """Make a key (EC P-256: small, and quick on a Pi), in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def request(key: bytes, gateway: str) -> bytes:
    """Return the request for a certificate with this name, signed by this key (PKCS 10, PEM)."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gateway)])
    draft = x509.CertificateSigningRequestBuilder().subject_name(name)
    return draft.sign(_private(key), hashes.SHA256()).public_bytes(_PEM)


def sign(key: bytes, said: bytes) -> bytes:
    """Sign with a gateway's key. Raises EnrolError."""
    loaded = _any_private(key)
    if isinstance(loaded, ec.EllipticCurvePrivateKey):
        return loaded.sign(said, ec.ECDSA(hashes.SHA256()))
    if isinstance(loaded, rsa.RSAPrivateKey):
        return loaded.sign(said, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return loaded.sign(said)
    raise EnrolError(_("the present key is of a kind that cannot renew: enrol with a new code"))


def authority(pem: bytes) -> bytes:
    """Return the one certificate of an authority as DER. Raises EnrolError."""
    try:
        (found,) = x509.load_pem_x509_certificates(pem)
    except (ValueError, x509.InvalidVersion) as exc:
        raise EnrolError(_("this is not the one certificate of an authority")) from exc
    return found.public_bytes(serialization.Encoding.DER)


def life(cert: bytes) -> tuple[datetime, datetime]:
    """Return from when to when a certificate is valid. Raises EnrolError."""
    found = _certificate(cert)
    return found.not_valid_before_utc, found.not_valid_after_utc


def alone(pem: bytes) -> bytes:
    """Return the certificate without what else stands in its file, such as its key."""
    return _certificate(pem).public_bytes(_PEM)


def belong(cert: bytes, key: bytes) -> bool:
    """Whether a key is that of a certificate. Raises EnrolError."""
    return _certificate(cert).public_key() == _any_private(key).public_key()


def check(cert: bytes, key: bytes, ca: bytes, *, gateway: str, now: datetime | None) -> None:
    """See that a certificate is ours: key, name, use, authority, and dates if ``now`` is known.

    Raises EnrolError, which says what does not fit.
    """
    found = _certificate(cert)
    if not belong(cert, key):
        raise EnrolError(_("the certificate is for another key than the one made here"))
    names = [str(a.value) for a in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [gateway]:
        said = _("it is made out to {name}, not to {id}")
        raise EnrolError(said.format(name=ascii(", ".join(names)[:80]), id=gateway))
    if not _for_clients(found):
        raise EnrolError(_("it is no certificate for a client"))
    if not _issued(found, ca):
        raise EnrolError(_("it was not signed by this authority"))
    if now is not None and not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise EnrolError(_("it is not valid today: look at the clock of this machine"))


def _for_clients(cert: x509.Certificate) -> bool:
    try:
        uses = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True  # then it is for everything (RFC 5280, 4.2.1.12)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in uses


def _issued(cert: x509.Certificate, ca: bytes) -> bool:
    try:
        authorities = x509.load_pem_x509_certificates(ca)
    except (ValueError, x509.InvalidVersion) as exc:
        raise EnrolError(_("no authority's certificate stands in it")) from exc
    for each in authorities:
        try:
            cert.verify_directly_issued_by(each)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return True
    return False


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as exc:
        raise EnrolError(_("this is no certificate (PEM)")) from exc


def _any_private(pem: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise EnrolError(_("the key cannot be read: {reason}").format(reason=exc)) from exc


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    loaded = _any_private(pem)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise EnrolError(_("the key cannot be read: {reason}").format(reason=type(loaded).__name__))
    return loaded
