"""Mutual certificates: who is refused, what is said about it, and what an unset clock changes."""

import datetime as dt
import ipaddress
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gatehouse.config.model import District
from gatehouse.threads import off_loop
from gatehouse.uplink import tls
from gatehouse.uplink.failures import CertificateRefusedError
from uplink.fakes import Agent, MovedClock, until
from uplink.far_end import Mosquitto, secure

DAY = dt.timedelta(days=1)
Triple = tuple[Path, Path, Path]


def named(name: str) -> x509.Name:
    """Return a subject with that common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """A throwaway authority that issues what a test needs."""

    folder: Path
    name: str = "district"

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._issue(self.name, self._key, ca=True)[0]

    def _issue(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool = False,
        host: str = "localhost",
        age: dt.timedelta = DAY,
        life: dt.timedelta = 10 * DAY,
    ) -> tuple[Path, Path]:
        begin = dt.datetime.now(dt.UTC) - age
        alternatives = [x509.DNSName(host), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + life)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        cert, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, secret

    def issue(
        self,
        name: str,
        *,
        host: str = "localhost",
        age: dt.timedelta = DAY,
        life: dt.timedelta = 10 * DAY,
    ) -> Triple:
        """Return ca, certificate and key; ``age`` is since when it is valid, ``life`` how long."""
        key = ec.generate_private_key(ec.SECP256R1())
        return (self.ca, *self._issue(name, key, host=host, age=age, life=life))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make the district's authority."""
    return Authority(tmp_path / "authority")


async def broker(folder: Path, files: Triple) -> Mosquitto:
    """Start a mosquitto that wants certificates."""
    ca, cert, key = files
    started = Mosquitto(
        folder,
        lines=[
            f"cafile {ca}",
            f"certfile {cert}",
            f"keyfile {key}",
            "require_certificate true",
            "use_identity_as_username true",
            "user root",
        ],
    )
    await started.start()
    return started


@pytest.fixture
async def mutual(tmp_path: Path, authority: Authority) -> AsyncIterator[Mosquitto]:
    """Start a broker with a certificate in order."""
    started = await broker(tmp_path, authority.issue("broker"))
    yield started
    started.close()


async def test_mutual_certificates_connect(mutual: Mosquitto, authority: Authority) -> None:
    """The ordinary case."""
    async with Agent(secure(mutual.port), certificates=authority.issue("gw")) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        assert agent.heard.faults == []


async def test_wrong_authority(mutual: Mosquitto, authority: Authority, tmp_path: Path) -> None:
    """A broker that anybody could pretend to be gets nothing from us."""
    other = Authority(tmp_path / "other", "elsewhere")
    _, cert, key = authority.issue("gw")
    async with Agent(secure(mutual.port), certificates=(other.ca, cert, key)) as agent:
        await until(lambda: agent.heard.begun("certificate"))
        assert "from another authority" in agent.heard.text("certificate")
        agent.press()
        assert agent.heard.begun("offline") == 0
        assert agent.uplink.link.connection == 0


async def test_foreign_certificate_of_ours(
    mutual: Mosquitto, authority: Authority, tmp_path: Path
) -> None:
    """With TLS 1.3 the refusal comes after the handshake; it must be told for what it is."""
    _, cert, key = Authority(tmp_path / "other", "elsewhere").issue("gw")
    async with Agent(secure(mutual.port), certificates=(authority.ca, cert, key)) as agent:
        await until(lambda: agent.heard.begun("certificate"))
        assert "refused our certificate" in agent.heard.text("certificate")
        assert agent.heard.begun("certificate") == 1


async def test_broker_under_another_name(tmp_path: Path, authority: Authority) -> None:
    """The configured name is verified, not the address that it resolved to."""
    started = await broker(tmp_path, authority.issue("broker", host="other.example"))
    try:
        async with Agent(secure(started.port), certificates=authority.issue("gw")) as agent:
            await until(lambda: agent.heard.begun("certificate"))
            assert "for another name" in agent.heard.text("certificate")
        async with Agent(
            secure(started.port, "other.example"),
            certificates=authority.issue("gw"),
            ask=lambda _: ["127.0.0.1"],
        ) as agent:
            await until(lambda: agent.uplink.link.state == "connected")
    finally:
        started.close()


async def test_expired_certificate_and_an_unset_clock(tmp_path: Path, authority: Authority) -> None:
    """Refused while the clock is set; while it is not, dates mean nothing and the alarm goes."""
    expired = authority.issue("broker", age=20 * DAY, life=DAY)
    started = await broker(tmp_path, expired)
    try:
        files = authority.issue("gw")
        async with Agent(secure(started.port), certificates=files) as agent:
            await until(lambda: agent.heard.begun("certificate"))
            assert "has expired" in agent.heard.text("certificate")
        agent = Agent(secure(started.port), certificates=files, heartbeat_s=0.05)
        agent.clock.is_synced = False
        async with agent:
            await until(lambda: agent.uplink.link.state == "connected")
            assert agent.heard.begun("certificate-dates-unchecked") == 1
            agent.clock.is_synced = True  # the dates are judged as soon as they can be
            await until(lambda: agent.heard.begun("certificate"))
            assert "has expired" in agent.heard.text("certificate")
    finally:
        started.close()


async def test_dates_fault_ends_once_they_are_judged(
    mutual: Mosquitto, authority: Authority
) -> None:
    """A fault that never ends is one that nobody looks at any more."""
    agent = Agent(secure(mutual.port), certificates=authority.issue("gw"), heartbeat_s=0.05)
    agent.clock.is_synced = False
    async with agent:
        await until(lambda: agent.heard.begun("certificate-dates-unchecked"))
        agent.clock.is_synced = True
        await until(lambda: agent.heard.ended("certificate-dates-unchecked"))
        await until(lambda: agent.uplink.link.state == "connected")


async def test_not_yet_valid_is_told_apart(tmp_path: Path, authority: Authority) -> None:
    """It points to the clock of this machine, not to the district."""
    started = await broker(tmp_path, authority.issue("broker", age=-5 * DAY))
    try:
        async with Agent(secure(started.port), certificates=authority.issue("gw")) as agent:
            await until(lambda: agent.heard.begun("certificate"))
            assert "not yet valid" in agent.heard.text("certificate")
    finally:
        started.close()


async def test_files_that_are_missing_or_no_certificates(authority: Authority) -> None:
    """The file to look at is named; nothing else stops."""
    ca, cert, key = authority.issue("gw")
    key.unlink()
    async with Agent(secure(1), certificates=(ca, cert, key)) as agent:
        await until(lambda: agent.heard.begun("certificate"))
        assert str(key) in agent.heard.text("certificate")
    cert.write_text("no certificate", encoding="ascii")
    files = tls.Certificates(District((), ca, cert, key), timeout_s=60)
    with pytest.raises(CertificateRefusedError, match="cannot read the certificates"):
        await files.context("localhost", dates=True)
    with pytest.raises(CertificateRefusedError, match="needs"):
        await tls.Certificates(District(()), timeout_s=60).context("x", dates=True)


async def test_last_good_context_serves_when_the_disk_hangs(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dying card must not take the line to the district with it."""
    ca, cert, key = authority.issue("gw")
    files = tls.Certificates(District((), ca, cert, key), timeout_s=60)
    await files.context("a.example", dates=True)
    files._timeout_s = 0.1
    hangs = threading.Event()
    monkeypatch.setattr(tls, "_build", lambda *_, **__: hangs.wait(60))
    context = await files.context("b.example", dates=False)
    assert context.name == "b.example"
    assert context.verify_flags & tls.NO_CHECK_TIME
    hangs.set()
    await off_loop(lambda: None, name="after", timeout_s=60)
    assert MovedClock().synced()
