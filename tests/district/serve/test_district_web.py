"""The desk's server in this process: slow ones, strangers, TLS, its end."""

import asyncio
import shutil
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from gatehouse_district.config import Desk
from gatehouse_district.errors import DeskError
from gatehouse_district.serve import door
from gatehouse_district.serve.connection import Connection
from gatehouse_district.serve.door import Door
from gatehouse_district.serve.kept_up import supervised
from gatehouse_district.serve.web import Web
from gatehouse_sim.authority import Authority
from gatehouse_sim.ports import reserve

LIMIT_S = 60.0
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """Answers ``/``, reads every body, and streams without an end at ``/stream``."""

    def __init__(self, *, starts: bool = True) -> None:
        self.starts = starts
        self.ended = asyncio.Event()
        self.dropped = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        """Answer."""
        if scope["type"] == "lifespan":
            await receive()
            word = "complete" if self.starts else "failed"
            await send({"type": f"lifespan.startup.{word}"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/stream":
            await self._stream(receive, send)
        await send({"type": "http.response.body", "body": b"well", "more_body": False})

    async def _stream(self, receive: Any, send: Send) -> None:
        chunk = {"type": "http.response.body", "body": b"x" * 65_536, "more_body": True}
        gone = asyncio.ensure_future(receive())
        while not self.ended.is_set() and not gone.done():
            await send(chunk)
            await asyncio.sleep(0)
        if gone.done():
            self.dropped.set()
        gone.cancel()


@asynccontextmanager
async def served(
    app: App, cert: Path | None = None, key: Path | None = None
) -> AsyncIterator[tuple[Web, int]]:
    """Serve it on a free port."""
    with reserve() as held:
        port = held.getsockname()[1]
        web = Web(Desk(ip_address("127.0.0.1"), port, (), cert, key), app, app.ended.set)
        ready = asyncio.Event()
        running = asyncio.create_task(web.run(ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        try:
            if running.done():
                await running
            yield web, port
        finally:
            web.stop()
            async with asyncio.timeout(LIMIT_S):
                await asyncio.wait((running,))


async def said(port: int, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Say something, and return everything that comes until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(request)
        async with asyncio.timeout(LIMIT_S):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_it_answers_and_says_little_of_itself() -> None:
    """Without it a stranger would learn which program, of which age, to look up."""
    async with served(App()) as (_, port):
        answer = await said(port, LAST)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        GET[:20],
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nname=",
        GET + GET[:20],
    ],
    ids=["nothing", "half a head", "half a body", "a half after a whole"],
)
async def test_whoever_is_slow_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    """Without it a few hundred connections that say nothing would keep everybody else out."""
    monkeypatch.setattr(Connection, "request_s", 0.1)
    async with served(App()) as (_, port):
        answer = await said(port, request_)
    assert (b" 200 " in answer) == (len(request_) > len(GET) and request_.startswith(GET))


@pytest.mark.parametrize("limit", ["most_open", "most_each"])
async def test_whoever_opens_thousands_takes_no_more_than_there_are_for_them(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """Without it a stranger would take the files that the receiver needs for the broker."""
    monkeypatch.setattr(Door, limit, 5)
    monkeypatch.setattr(door, "_LOOPBACK", frozenset())
    async with served(App()) as (_, port):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert await said(port, LAST) == b""
        silent.pop()[1].close()
        async with asyncio.timeout(LIMIT_S):
            while not await said(port, LAST):
                pass
        for _reader, writer in silent:
            writer.close()


async def test_a_stream_is_not_taken_for_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the page's own stream would break off every 15 s."""
    monkeypatch.setattr(Connection, "request_s", 0.05)
    async with served(App()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET.replace(b"/ ", b"/stream ", 1))
        async with asyncio.timeout(LIMIT_S):
            began = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < began + 0.3:
                assert await reader.read(65_536)
        writer.close()


async def test_whoever_reads_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a browser that is gone to sleep would hold its stream for ever."""
    monkeypatch.setattr(Connection, "write_s", 0.1)
    app = App()
    async with served(app) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET.replace(b"/ ", b"/stream ", 1))
        async with asyncio.timeout(LIMIT_S):
            await app.dropped.wait()
        writer.transport.abort()


async def test_a_large_head_is_refused() -> None:
    """Without it a stranger could have us keep what he likes."""
    async with served(App()) as (_, port):
        answer = await said(port, GET[:-2] + b"X: " + b"x" * 100_000)
    assert answer[9:12] in {b"400", b"431", b""}


async def test_its_end_waits_for_no_stream() -> None:
    """Without it every open page would hold up a restart."""
    app = App()
    async with served(app) as (web, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET.replace(b"/ ", b"/stream ", 1))
        web.stop()
        async with asyncio.timeout(LIMIT_S):
            await app.ended.wait()
        writer.transport.abort()


async def test_an_application_that_does_not_start() -> None:
    """Without it uvicorn would end the whole process, and with it the receiver."""
    with pytest.raises(DeskError, match="did not start"):
        async with served(App(starts=False)):
            pass


async def test_a_port_that_is_taken() -> None:
    """Without it nobody would know what to do about it."""
    with reserve() as held:
        held.listen()
        desk = Desk(ip_address("127.0.0.1"), held.getsockname()[1], ())
        with pytest.raises(DeskError, match="ss -ltnp"):
            await Web(desk, App(), lambda: None).run(lambda: None)


async def test_tls_and_a_certificate_anew(tmp_path: Path) -> None:
    """Without it a renewed certificate would need a restart, or half of one be taken up."""
    authority = Authority.make(tmp_path, datetime.now(UTC))
    old, new = (authority.server([f"{name}.example"], file=name) for name in ("old", "new"))
    cert, key = tmp_path / "desk.pem", tmp_path / "desk.key"
    shutil.copy(old.cert, cert)
    shutil.copy(old.key, key)
    context = ssl.create_default_context(cafile=authority.ca)
    context.check_hostname = False
    async with served(App(), cert=cert, key=key) as (web, port):
        assert b" 200 " in await said(port, LAST, context)
        assert await said(port, LAST) == b""  # plain HTTP on the same port
        shutil.copy(new.cert, cert)
        with pytest.raises(DeskError, match=r"desk\.pem"):  # the key is still the old one's
            await web.certificate_again()
        assert await _name(port, context) == "old.example"
        shutil.copy(new.key, key)
        await web.certificate_again()
        assert await _name(port, context) == "new.example"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await said(port, LAST, context)


async def _name(port: int, context: ssl.SSLContext) -> str:
    """Return the first name of the certificate that is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return str(certificate["subjectAltName"][0][1])


async def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    """Without it OpenSSL would ask on a terminal that a service has not, and hang."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  # for this one
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # for this one

    authority = Authority.make(tmp_path, datetime.now(UTC))
    pair = authority.server(["localhost"])
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    pair.key.write_bytes(locked)
    with pytest.raises(DeskError, match="password"):
        async with served(App(), cert=pair.cert, key=pair.key):
            pass


async def test_what_fails_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it a desk that cannot be served would fill the log, or say nothing."""
    caplog.set_level("INFO")
    monkeypatch.setattr("gatehouse_district.serve.kept_up._AGAIN_S", (0.0, 0.0))
    tries = 0

    async def work(well: Callable[[], None]) -> None:
        nonlocal tries
        tries += 1
        if tries < 5:
            raise DeskError("the port is taken")
        well()

    await supervised("the desk", work)
    assert [record.message for record in caplog.records] == [
        "the desk does not work, and is tried on: the port is taken",
        "the desk works again",
    ]
