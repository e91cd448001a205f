"""What each kind of certificate says, and how long it lasts. Pure but for the signing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gatehouse_district.ca.requests import PublicKey


class Kind(StrEnum):
    """What a certificate is for."""

    GATEWAY = "gateway"
    RECEIVER = "receiver"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a certificate is valid, counted from the moment of signing."""

    begins: timedelta
    ends: timedelta


_SKEW: Final = timedelta(hours=1)
"""A clock that is a little behind must not take a fresh certificate for one of the future."""

ROOT: Final = Span(-_SKEW, timedelta(days=3652))
"""Ten years: to change it is a visit to every school."""

USUAL: Final = {
    Kind.GATEWAY: Span(-_SKEW, timedelta(days=365)),
    Kind.RECEIVER: Span(-_SKEW, timedelta(days=820)),
    Kind.SERVER: Span(-_SKEW, timedelta(days=820)),
}
"""A gateway renews by itself after two thirds: four months are left for a school that is closed or
off the net, and what was copied from a card and never noticed ends within a year. Servers are
renewed by hand; 825 days is the longest that Apple's browsers take
(https://support.apple.com/103769).
"""


def root(key: ec.EllipticCurvePrivateKey, name: str, at: datetime, span: Span) -> x509.Certificate:
    """Make the authority's own certificate: it signs no other authority (path length 0)."""
    subject = _name(name)
    return (
        _draft(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(at + span.begins)
        .not_valid_after(at + span.ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def leaf(
    root_cert: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    *,
    kind: Kind,
    names: Sequence[str],
    key: PublicKey,
    serial: int,
    begins: datetime,
    ends: datetime,
) -> x509.Certificate:
    """Sign a certificate for the first name; a server's other names and addresses stand beside."""
    client = kind is not Kind.SERVER
    use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    draft = (
        _draft(_name(names[0]), root_cert.subject, key, serial)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(issuer, critical=False)
    )
    if not client:
        alternative = x509.SubjectAlternativeName([_general(name) for name in names])
        draft = draft.add_extension(alternative, critical=False)
    return draft.sign(root_key, hashes.SHA256())


def revocations(
    root_cert: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    *,
    number: int,
    at: datetime,
    revoked: Sequence[tuple[int, datetime]],
) -> x509.CertificateRevocationList:
    """Sign the list of what is revoked; it lasts as long as the authority.

    mosquitto refuses everybody once the list it has is out of date, and nobody fetches lists here:
    each new one is carried to the broker, so a nearer date would guard against nothing.
    """
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    draft = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root_cert.subject)
        .last_update(min(at, root_cert.not_valid_after_utc) - _SKEW)
        .next_update(root_cert.not_valid_after_utc)
        .add_extension(issuer, critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, when in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
        draft = draft.add_revoked_certificate(one)
    return draft.sign(root_key, hashes.SHA256())


def _draft(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
