"""The addresses below /enrol/v1/, asked as gateways and attackers ask them."""

import asyncio
import base64
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from starlette.applications import Starlette

from enrol.made import DUE, NOW, OURS, authority, csr, gateway, renewal
from gatehouse.enrol import code
from gatehouse_district.ca import Authority
from gatehouse_district.enrolment import port, routes
from gatehouse_district.enrolment.limits import WITHIN_S


@dataclass
class Desk:
    """A district's port without the port; its clocks are a test's."""

    district: Authority
    now: datetime = NOW
    monotonic_s: float = 0.0

    def __post_init__(self) -> None:
        """Make the application."""
        self.app = Starlette(
            routes=routes(self.district, now=lambda: self.now, monotonic_s=lambda: self.monotonic_s)
        )

    async def post(self, path: str, body: Any, address: str = "10.0.0.1") -> httpx.Response:
        """Ask from an address."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://d") as client:
            return await client.post(f"/enrol/v1/{path}", content=content)

    async def get(self, path: str) -> httpx.Response:
        """Ask without a body."""
        transport = httpx.ASGITransport(self.app, client=("10.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://d") as client:
            return await client.get(f"/enrol/v1/{path}")

    def by_code(self, gateway: str = OURS, **more: Any) -> dict[str, Any]:
        """Return what a gateway sends with a fresh code."""
        secret = code.read(self.district.code(gateway, self.now).text).secret
        return {"gateway": gateway, "code": b64(secret), "request": csr().decode(), **more}


def b64(content: bytes) -> str:
    """Write bytes as JSON carries them."""
    return base64.b64encode(content).decode()


def by_certificate(key: bytes, cert: bytes) -> dict[str, Any]:
    """Return what a gateway sends to renew."""
    sent = renewal(key, cert)
    return {
        "request": sent.request.decode(),
        "certificate": sent.certificate.decode(),
        "nonce": b64(sent.nonce),
        "at": sent.at_s,
        "signature": b64(sent.signature),
    }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Lend a district."""
    return Desk(authority(tmp_path / "ca"))


async def test_a_code_brings_a_certificate_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it nobody enrols, or everybody who reads the slip does; and nobody knows of it."""
    caplog.set_level(logging.INFO)
    assert (await desk.get("authority")).json() == {"authority": desk.district.pem.decode()}
    asked = desk.by_code()
    answer = await desk.post("certificate", asked)
    assert answer.status_code == 201
    cert = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
    assert cert.subject.rfc4514_string() == f"CN={OURS}"
    assert answer.json()["authority"] == desk.district.pem.decode()
    again = await desk.post("certificate", asked)
    assert (again.status_code, again.json()["code"]) == (403, "refused")
    said = [record.getMessage() for record in caplog.records if "enrolment" in record.getMessage()]
    asker = f"enrolment: code for '{OURS}' from 10.0.0.1: "
    assert said[0] == f"{asker}signed {OURS}, serial {cert.serial_number:x}"
    assert said[1].startswith(f"{asker}refused: no such code")
    assert asked["code"] not in caplog.text


async def test_a_certificate_brings_the_next_one_once(desk: Desk) -> None:
    """Without it every gateway would need a visit each year, or a replay would do."""
    asked = by_certificate(*gateway(desk.district))
    desk.now = DUE
    assert (await desk.post("renewal", asked)).status_code == 201
    again = await desk.post("renewal", asked)
    assert (again.status_code, again.json()["code"]) == (403, "refused")
    assert "replay" in again.json()["error"]


async def test_what_cannot_be_is_refused_as_what_is_wrong(desk: Desk) -> None:
    """Without it a stranger's number of a version, or a huge one, would end in a traceback."""
    key, cert = gateway(desk.district)
    desk.now = DUE
    good = by_certificate(key, cert)
    for change in (
        {"at": 10**400},
        {"request": _other_version(good["request"], b"\x02\x01\x00")},
        {"certificate": _other_version(good["certificate"], b"\x02\x01\x02")},
    ):
        answer = await desk.post("renewal", {**good, **change})
        assert (answer.status_code, answer.json()["code"]) == (403, "refused")
    assert (await desk.post("renewal", good)).status_code == 201


def _other_version(pem: str, version: bytes) -> str:
    """Return a PEM whose content says that it is of version 9."""
    head, *middle, tail = pem.strip().splitlines()
    der = base64.b64decode("".join(middle)).replace(version, version[:2] + b"\x09", 1)
    return "\n".join([head, b64(der), tail, ""])


async def test_guessing_ends_soon(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Without it 40 bits would be guessed in the day that they live, or the log be filled."""
    asked = desk.by_code()
    for _ in range(10):
        guess = await desk.post("certificate", {**asked, "code": b64(b"wrong")})
        assert guess.status_code == 403
    shut = await desk.post("certificate", asked)
    assert (shut.status_code, shut.json()["code"]) == (429, "limited")
    assert shut.headers["retry-after"] == str(int(WITHIN_S))
    for _ in range(5):
        await desk.post("certificate", asked)
    assert caplog.text.count("too many tries") == 1
    key, cert = gateway(desk.district)
    desk.now = DUE
    assert (await desk.post("renewal", by_certificate(key, cert))).status_code == 201
    desk.now = NOW
    desk.monotonic_s = WITHIN_S + 1
    assert (await desk.post("certificate", asked)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 5000,
        b'{"gateway": "qd-sn-0042"}',
        b'{"gateway": 1, "code": "", "request": ""}',
        b'{"gateway": "qd-sn-0042", "code": "!!", "request": ""}',
        b'{"gateway": "qd-sn-0042", "code": "", "request": "", "ca": true}',
        b"\xff\xfe",
        b'{"x\\n\\u001b[31m' + b"y" * 9_000 + b'": 1}',
    ],
)
async def test_rubbish_is_refused_in_words(
    desk: Desk, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it a stranger's bytes could end in a traceback, or write lines of the log."""
    for path in ("certificate", "renewal"):
        answer = await desk.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    said = [each.getMessage() for each in caplog.records if "enrolment" in each.getMessage()]
    assert all(each.isprintable() and len(each) < 400 for each in said)


async def test_a_huge_body_is_not_read_to_its_end(desk: Desk) -> None:
    """Without it a few bodies of a gigabyte would end the receiver."""
    answer = await desk.post("certificate", b" " * 17 * 1024)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_a_slow_body_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a few hundred silent connections would keep every school from enrolling."""
    monkeypatch.setattr(port, "_READ_S", 0.01)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/enrol/v1/renewal"}
    scope |= {"headers": [], "client": ("10.0.0.1", 1), "query_string": b""}
    async with asyncio.timeout(60):
        await desk.app(scope, receive, send)
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    "change",
    [
        {"gateway": "qd-sn-0043"},
        {"gateway": "district.receiver"},
        {"gateway": "district.receiver", "request": csr(["district.receiver"]).decode()},
        {"request": csr(["qd-sn-0043"]).decode()},
        {"request": csr(["qd/+/#"]).decode()},
        {"request": "x" * 10_000},
        {"request": "网关"},
        {"gateway": "'; DROP TABLE code; --"},
        {"gateway": "\n2026-11-26 all is well"},
    ],
)
async def test_a_code_is_for_its_gateway_alone(
    desk: Desk, change: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Without it one school's code would open another's, or the receiver's, or the log."""
    asked = desk.by_code()
    refused = await desk.post("certificate", {**asked, **change})
    assert (refused.status_code, refused.json()["code"]) == (403, "refused")
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert (await desk.post("certificate", asked)).status_code == 201


async def test_other_ways_of_asking_are_refused(desk: Desk) -> None:
    """Without it a link that somebody clicks on could use up a code."""
    assert (await desk.get("certificate")).status_code == 405
    assert (await desk.post("authority", b"")).status_code == 405
