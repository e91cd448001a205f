"""A gateway's proof that it holds the certificate it had: who may have the next one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from gatehouse.enrol.statement import NONCE_BYTES, WITHIN_S, statement
from gatehouse.texts import _
from gatehouse_district.ca import requests
from gatehouse_district.ca.profiles import Kind
from gatehouse_district.ca.register import Entry
from gatehouse_district.errors import AuthorityError

GRACE: Final = timedelta(days=30)
"""How long after its end a certificate may still renew itself: a gateway that was switched off over
the holidays comes back without a visit. Its key is as good a proof as before, and one that was
revoked stays so."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a gateway sends."""

    request: bytes
    """PEM; signed by the new key."""
    certificate: bytes
    """PEM; the one it has."""
    nonce: bytes
    at_s: int
    signature: bytes
    """Over `gatehouse.enrol.statement`, by the key of the certificate it has."""


def presented(renewal: Renewal, root: x509.Certificate) -> x509.Certificate:
    """Return the certificate that it has, if this authority signed it. Raises AuthorityError."""
    if len(renewal.certificate) > requests.LARGEST:
        raise AuthorityError(_("the present certificate is not one of this authority"))
    try:
        found = x509.load_pem_x509_certificate(renewal.certificate)
        found.verify_directly_issued_by(root)
    except (*requests.UNREADABLE, TypeError, InvalidSignature, UnsupportedAlgorithm) as exc:
        raise AuthorityError(_("the present certificate is not one of this authority")) from exc
    return found


def judge(
    renewal: Renewal,
    present: x509.Certificate,
    entry: Entry | None,
    wanted: requests.Request,
    now: datetime,
) -> None:
    """Refuse who may not renew; ``entry`` is what the register says. Raises AuthorityError."""
    if entry is None or entry.kind is not Kind.GATEWAY:
        raise AuthorityError(_("the present certificate is none of a gateway"))
    if entry.revoked_s is not None:
        raise AuthorityError(_("the present certificate was revoked"))
    if entry.name != wanted.name:
        said = _("the request names {name}, the present certificate {present}")
        raise AuthorityError(said.format(name=wanted.name, present=entry.name))
    if abs(int(now.timestamp()) - renewal.at_s) > WITHIN_S:
        raise AuthorityError(_("the request's time is too far from ours: set the gateway's clock"))
    if now > present.not_valid_after_utc + GRACE:
        raise AuthorityError(_("the present certificate ended too long ago: enrol with a new code"))
    if now < _halfway(present):
        raise AuthorityError(_("the present certificate is not half through its life"))
    if len(renewal.nonce) != NONCE_BYTES or not _signed(renewal, present, entry.name):
        raise AuthorityError(_("the request is not signed by the key of the present certificate"))


def _halfway(present: x509.Certificate) -> datetime:
    begins, ends = present.not_valid_before_utc, present.not_valid_after_utc
    return begins + (ends - begins) / 2


def _signed(renewal: Renewal, present: x509.Certificate, name: str) -> bool:
    said = statement(gateway=name, request=renewal.request, nonce=renewal.nonce, at_s=renewal.at_s)
    key = present.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(renewal.signature, said, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(renewal.signature, said, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(renewal.signature, said)
        else:
            return False
    except InvalidSignature:
        return False
    return True
