"""A throwaway certificate authority for one simulated district: EC P-256 keys, a month of life.

The moment to count from is handed in, as the machine's clock may be a simulated one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, Self

from gatehouse_sim.identity import Identity

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ModuleNotFoundError as exc:  # the one place that needs the extra
    raise ModuleNotFoundError(
        "the simulated school makes its own certificates and needs the extra 'sim': "
        "pip install 'gatehouse-agent[sim]'",
        name="cryptography",
    ) from exc

SERVER_NAMES: Final = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a certificate is valid, counted from the authority's moment."""

    begins: timedelta
    ends: timedelta


VALID: Final = Span(timedelta(days=-1), timedelta(days=30))
EXPIRED: Final = Span(timedelta(days=-30), timedelta(days=-1))
NOT_YET: Final = Span(timedelta(days=1), timedelta(days=30))


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs servers and clients; its certificate is ``ca.pem`` in its folder."""

    folder: Path
    moment: datetime
    _cert: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(
        cls, folder: Path, moment: datetime, *, name: str = "Gatehouse test authority"
    ) -> Self:
        """Make a fresh authority whose certificates count from ``moment`` (with a time zone)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = _usage(cert_sign=True)
        cert = (
            _unsigned(subject, subject, key.public_key(), moment, VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "ca.pem", cert.public_bytes(serialization.Encoding.PEM))
        return cls(folder, moment, cert, key)

    @property
    def ca(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.pem"

    def server(
        self, names: Sequence[str] = SERVER_NAMES, *, file: str = "server", span: Span = VALID
    ) -> Identity:
        """Sign a server for these names and addresses; writes ``<file>.pem`` and ``<file>.key``."""
        alternative = x509.SubjectAlternativeName([_general_name(name) for name in names])
        return self._sign(names[0], file, span, ExtendedKeyUsageOID.SERVER_AUTH, alternative)

    def client(self, common_name: str, *, file: str | None = None, span: Span = VALID) -> Identity:
        """Sign a client; writes ``<file or common name>.pem`` and ``.key``."""
        name = file or common_name
        return self._sign(common_name, name, span, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _sign(
        self,
        common_name: str,
        file: str,
        span: Span,
        purpose: x509.ObjectIdentifier,
        alternative: x509.SubjectAlternativeName | None,
    ) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        draft = (
            _unsigned(subject, self._cert.subject, key.public_key(), self.moment, span)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(cert_sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if alternative is not None:
            draft = draft.add_extension(alternative, critical=False)
        signed = draft.sign(self._key, hashes.SHA256())
        identity = Identity(self.ca, self.folder / f"{file}.pem", self.folder / f"{file}.key")
        _write(identity.cert, signed.public_bytes(serialization.Encoding.PEM))
        _write(
            identity.key,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return identity


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    moment: datetime,
    span: Span,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + span.begins)
        .not_valid_after(moment + span.ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not cert_sign,
        key_cert_sign=cert_sign,
        crl_sign=cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    address: IPv4Address | IPv6Address
    try:
        address = ip_address(name)
    except ValueError:
        return x509.DNSName(name)
    return x509.IPAddress(address)


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
