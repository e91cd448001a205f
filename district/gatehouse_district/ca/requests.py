"""Certificate requests (PKCS 10): a stranger's bytes, of which the key and the name are taken."""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from gatehouse.texts import _
from gatehouse_district.ca import names
from gatehouse_district.errors import AuthorityError

LARGEST: Final = 16 * 1024
"""Bytes; one with a 4096-bit RSA key has under 2 kB."""
UNREADABLE: Final = (ValueError, x509.InvalidVersion)
"""What reading a stranger's request or certificate raises; the second is no ValueError."""
_LEAST_RSA: Final = 2048
_MOST_RSA: Final = 4096
"""A key of 16384 bits would cost the broker seconds for each connection."""

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Request:
    """All that is taken from a request: extensions, other names and wishes are passed over."""

    name: str
    key: PublicKey


def read(pem: bytes) -> Request:
    """Read a gateway's request, and check name, key, and that the key signed it.

    Raises AuthorityError.
    """
    if len(pem) > LARGEST:
        said = _("a request has at most {most} bytes")
        raise AuthorityError(said.format(most=LARGEST))
    try:
        found = x509.load_pem_x509_csr(pem)
        signed = found.is_signature_valid
        key = found.public_key()
        common = [a.value for a in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (*UNREADABLE, TypeError, UnsupportedAlgorithm, InvalidSignature) as exc:
        raise AuthorityError(_("this is no certificate request (PKCS 10, PEM)")) from exc
    if not signed:
        raise AuthorityError(_("the request is not signed by its own key"))
    if len(common) != 1 or not isinstance(common[0], str):
        raise AuthorityError(_("the request must hold one common name, the gateway's id"))
    return Request(names.gateway(common[0]), _good(key))


def _good(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey):
        good = isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1)
    elif isinstance(key, rsa.RSAPublicKey):
        good = _LEAST_RSA <= key.key_size <= _MOST_RSA
    else:
        good = isinstance(key, ed25519.Ed25519PublicKey)
    if not good:
        said = _("the key must be EC P-256 or P-384, RSA of 2048 to 4096 bits, or Ed25519")
        raise AuthorityError(said)
    return key  # type: ignore[return-value]  # one of the three by now
