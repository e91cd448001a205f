"""Requests as gateways and attackers make them, and an authority of these tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from gatehouse.enrol import papers
from gatehouse.enrol.statement import statement
from gatehouse_district.ca import Authority, Renewal

NOW: Final = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
OURS: Final = "qd-sn-0042"
DAY: Final = timedelta(days=1)
DUE: Final = NOW + 250 * DAY
"""Two thirds of a year later."""


def authority(folder: Path, name: str = "District of the tests") -> Authority:
    """Make an authority."""
    return Authority.init(folder, NOW, name=name)


def key_pem(key: Any) -> bytes:
    """Return a private key as PEM."""
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem


def csr(
    names: Sequence[str] = (OURS,),
    *,
    key: Any = None,
    extensions: Sequence[x509.ExtensionType] = (),
) -> bytes:
    """Return a request with whatever somebody may put into it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
    draft = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in extensions:
        draft = draft.add_extension(extension, critical=False)
    key = key or ec.generate_private_key(ec.SECP256R1())
    own = isinstance(key, ed25519.Ed25519PrivateKey)  # which has its own hash
    signed = draft.sign(key, None if own else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def gateway(district: Authority, at: datetime = NOW, name: str = OURS) -> tuple[bytes, bytes]:
    """Have a gateway's key and certificate signed."""
    key = papers.new_key()
    return key, district.sign_request(papers.request(key, name), at).pem


def renewal(
    key: bytes,
    cert: bytes,
    *,
    at: datetime = DUE,
    name: str = OURS,
    nonce: bytes = b"0123456789abcdef",
    signed_by: bytes | None = None,
    request: bytes | None = None,
) -> Renewal:
    """Return what a gateway sends to have its next certificate."""
    wanted = request or papers.request(papers.new_key(), name)
    at_s = int(at.timestamp())
    said = statement(gateway=name, request=wanted, nonce=nonce, at_s=at_s)
    return Renewal(wanted, cert, nonce, at_s, papers.sign(signed_by or key, said))
