"""An ONVIF camera on loopback, with a clock of its own and the manners it is told to have.

It answers over HTTP (time, device information, capabilities, profiles, stream addresses) and, on a
UDP port of its own, WS-Discovery probes. Passwords are asked for by HTTP digest or by
WS-UsernameToken, as real cameras do, and never for the time.
"""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Literal, Self

from gatehouse_sim.onvif_words import (
    challenge,
    date_and_time,
    digest_is_right,
    envelope,
    fault,
    match,
    media,
    token_is_right,
)

Manners = Literal[
    "well", "local-only", "silent", "nonsense", "web-page", "gone", "huge", "bomb", "deep", "slow"
]
"""How it answers: well; with its local time alone; never; with bytes that mean nothing; like a
router; 404; without end; with entities that grow; with elements in elements; a byte at a time."""

_DEVICE: Final = "http://www.onvif.org/ver10/device/wsdl"
_SOAP: Final = "application/soap+xml; charset=utf-8"
_MOST_BYTES: Final = 64 * 1024
_HUGE_BYTES: Final = 64 * 1024 * 1024
_BOMB: Final = (
    '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 16}">' for a, b in zip("abcdefg", "bcdefgh", strict=True))
    + ']><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">&h;</s:Envelope>'
).encode()
_WHOLE: Final[dict[Manners, bytes]] = {
    "nonsense": b"\x00\xff<<<" * 100,
    "web-page": b"<!doctype html><html><body>Router login</body></html>",
    "bomb": _BOMB,
    "deep": envelope("<a>" * 30_000 + "</a>" * 30_000).encode(),
}
_PRE_AUTH: Final = {"GetSystemDateAndTime", "GetCapabilities"}


@dataclass
class OnvifDevice:
    """One camera; what it is told may be changed at any time while it runs."""

    offset_s: float = 0.0
    """How far its clock is ahead of the machine's."""
    manners: Manners = "well"
    credential: str | None = None
    """ "user:password"; None: it asks nobody."""
    how: Literal["token", "digest"] = "token"
    all_private: bool = False
    """Against the rule: it asks for the password also before it tells the time."""
    time_answer: str | None = None
    """A SystemDateAndTime element to answer with, instead of a true one."""
    by_ntp: bool = False
    media_host: str = "192.0.2.9"
    """The host in its answers: often one that leads nowhere from here."""
    profiles: Sequence[tuple[str, int, int]] = (("sub", 640, 360), ("main", 2560, 1440))
    replies: Callable[[str], Sequence[bytes]] = field(default=lambda asked: (match(asked),))
    """What it answers to a probe of that message id."""

    def __post_init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.heard: list[bytes] = []
        """All it was sent, as it came."""
        self.probes: list[str] = []
        self._server: asyncio.Server | None = None
        self._ear: asyncio.DatagramTransport | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where its HTTP is. Raises ProcessLookupError when it is not started."""
        if self._server is None:
            raise ProcessLookupError("the ONVIF device is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def probe_address(self) -> tuple[str, int]:
        """Where it hears probes. Raises ProcessLookupError when it is not started."""
        if self._ear is None:
            raise ProcessLookupError("the ONVIF device is not started")
        host, port = self._ear.get_extra_info("sockname")
        return str(host), int(port)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._ear, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(self), local_addr=("127.0.0.1", 0)
        )
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._ear is not None:
            self._ear.close()
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        self._server = self._ear = None

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: *(\d+)", head)
                    size = int(length[1]) if length else 0
                    body = await reader.readexactly(min(size, _MOST_BYTES))
                    self.heard.append(head + body)
                    await self._answer(head.decode("latin-1"), body.decode(), writer)
            finally:
                writer.transport.abort()

    async def _answer(self, head: str, body: str, writer: asyncio.StreamWriter) -> None:
        found = re.search(r"Body>\s*<(?:\w+:)?(\w+)", body)
        action = found[1] if found else ""
        self.asked[action] += 1
        if self.manners == "silent":
            await asyncio.get_running_loop().create_future()
        elif self.manners == "huge":
            await self._flood(writer)
        elif self.manners == "slow":
            await self._dribble(writer)
        elif self.manners == "gone":
            _send(writer, 404, b"not found", "text/plain")
        elif self.manners in _WHOLE:
            _send(writer, 200, _WHOLE[self.manners], _SOAP)
        else:
            self._speak(head, body, action, writer)

    def _speak(self, head: str, body: str, action: str, writer: asyncio.StreamWriter) -> None:
        if self.credential and (self.all_private or action not in _PRE_AUTH):
            user, _, password = self.credential.partition(":")
            if self.how == "digest" and not digest_is_right(head, user, password):
                return _send(writer, 401, b"<html>who?</html>", "text/html", challenge())
            if self.how == "token" and not token_is_right(body, user, password, self._now()):
                return _send(writer, 400, fault("ter:NotAuthorized").encode(), _SOAP)
        answer = self._answers(action, body)
        status = 200 if answer else 500
        return _send(writer, status, (answer or fault("ter:ActionNotSupported")).encode(), _SOAP)

    def _answers(self, action: str, body: str) -> str | None:
        if action == "GetSystemDateAndTime":
            told = self.time_answer or date_and_time(
                self._now(), local_only=self.manners == "local-only", by_ntp=self.by_ntp
            )
            return envelope(f'<d:{action}Response xmlns:d="{_DEVICE}">{told}</d:{action}Response>')
        return media(action, body, host=self.media_host, profiles=self.profiles)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=time.time() + self.offset_s)

    async def _flood(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, _HUGE_BYTES, _SOAP))
        for _ in range(_HUGE_BYTES // _MOST_BYTES):
            writer.write(b" " * _MOST_BYTES)
            await writer.drain()

    async def _dribble(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, _HUGE_BYTES, _SOAP))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)


class _Ear(asyncio.DatagramProtocol):
    """Hears probes."""

    def __init__(self, device: OnvifDevice) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # what it is
        """Keep what answers go out by."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe, once however often it is repeated, as SOAP over UDP has it."""
        found = re.search(rb"MessageID>([^<]+)<", data)
        if found is None or self._device.manners == "silent" or self._transport is None:
            return
        self._device.probes.append(found[1].decode())
        if self._device.probes.count(self._device.probes[-1]) == 1:
            for reply in self._device.replies(found[1].decode()):
                self._transport.sendto(reply, addr)


def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, kind: str, more: str = ""
) -> None:
    writer.write(_head(status, len(body), kind, more) + body)


def _head(status: int, size: int, kind: str, more: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{more}\r\n"
    ).encode()
