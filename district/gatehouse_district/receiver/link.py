"""A small MQTT 5 client on asyncio: one connection to one broker, as much as a receiver needs.

A PUBACK is sent when the caller says so, which is after the commit; receipts go out while earlier
ones wait for their PUBACK (docs/decisions/0014). It can leave without a word, as a crash does.
Section numbers are those of the MQTT 5.0 standard (OASIS, 2019).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from gatehouse.errors import MessageError, UplinkError
from gatehouse.uplink import frames
from gatehouse.uplink.frames import Incoming

_CONNACK: Final = 0x20
_SUBACK: Final = 0x90
_UNSUBACK: Final = 0xB0
_DISCONNECT: Final = 0xE0
_PING: Final = b"\xc0\x00"
_KEEPALIVE_S: Final = 20
_TAKEN_OVER: Final = 0x8E
_LARGEST: Final = 128 * 1024
_UNDER_WAY: Final = 16
"""Publications without a PUBACK at a time: fewer than any broker's Receive Maximum."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One publication that waits to be sent, as topic and properties in bytes, and its body."""

    head: bytes
    tail: bytes
    body: bytes

    @classmethod
    def to(cls, topic: str, body: bytes, correlation: bytes | None = None) -> "Letter":
        """Address a publication."""
        return cls(frames.as_string(topic), frames.properties(correlation=correlation), body)


class Link(asyncio.Protocol):
    """One connection, from CONNECT to its end.

    ``letters`` outlive it: what was not acknowledged when it ends stands in front again.
    """

    def __init__(
        self, letters: deque[Letter], arrived: Callable[["Link", Incoming, bool], None]
    ) -> None:
        self._letters = letters
        self._arrived = arrived
        self._frames = frames.Frames(_LARGEST)
        self._transport: asyncio.Transport | None = None
        self._under_way: dict[int, Letter] = {}
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._mid = 0
        self._ping: asyncio.TimerHandle | None = None
        self._heard = True
        self.taken_over = False
        """Whether another client of our name has taken our session."""
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[str] = self._loop.create_future()

    @property
    def broker_ends_s(self) -> int | None:
        """When the broker's certificate ends, in s since 1970; None where it has shown none."""
        shown = self._transport.get_extra_info("peercert") if self._transport else None
        return ssl.cert_time_to_seconds(shown["notAfter"]) if shown else None

    async def open(
        self,
        url: str,
        context: ssl.SSLContext | None,
        client_id: str,
        *,
        clean: bool,
        expiry_s: int,
    ) -> None:
        """Connect and wait for the CONNACK. Raises OSError, and UplinkError if it refuses us."""
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 8883
        parting_s = 1.0 if context else None  # a frozen broker never says goodbye
        await self._loop.create_connection(
            lambda: self, host, port, ssl=context, ssl_shutdown_timeout=parting_s
        )
        greeting = b"".join(
            (
                frames.as_string("MQTT"),
                bytes([5, 2 * clean]),
                _KEEPALIVE_S.to_bytes(2, "big"),
                b"\x0a\x11" + expiry_s.to_bytes(4, "big"),
                b"\x27" + _LARGEST.to_bytes(4, "big"),  # nothing larger (3.1.2.11.4)
                frames.as_string(client_id),
            )
        )
        answer = await self._ask(0, _packet(0x10, greeting))
        if len(answer) < 2 or answer[1] >= 0x80:
            self.abort()
            raise UplinkError(f"{url} refused {client_id}: CONNACK {answer[:2].hex()}")
        self._keep_alive()

    async def subscribe(self, filters: Sequence[str]) -> None:
        """Subscribe with QoS 1. Raises UplinkError when one is refused."""
        wanted = b"".join(frames.as_string(topic) + b"\x01" for topic in filters)
        mid = self._next_mid()
        answer = await self._ask(mid, _packet(0x82, mid.to_bytes(2, "big") + b"\x00" + wanted))
        if any(code >= 0x80 for code in answer[-len(filters) :]):
            raise UplinkError(f"SUBACK {answer.hex()} for {', '.join(filters)}")

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Have the broker send no more; with nobody else there, publishers are told 0x10."""
        mid = self._next_mid()
        wanted = b"".join(map(frames.as_string, filters))
        await self._ask(mid, _packet(0xA2, mid.to_bytes(2, "big") + b"\x00" + wanted))

    def pump(self) -> None:
        """Send of the letters what may be under way."""
        out = []
        while self._letters and len(self._under_way) < _UNDER_WAY and not self.closed.done():
            letter = self._letters.popleft()
            mid = self._next_mid()
            self._under_way[mid] = letter
            out.append(frames.publish(letter.head, letter.tail, letter.body, mid=mid))
        self._send(b"".join(out))

    def acknowledge(self, mids: Iterable[int]) -> None:
        """Tell the broker that it may forget these."""
        self._send(b"".join(map(frames.puback, mids)))

    def part(self, expiry_s: int) -> None:
        """Say DISCONNECT; the broker keeps our session for so many seconds.

        The broker closes the connection when it has done so, which is how one knows.
        """
        self._send(_packet(_DISCONNECT, b"\x00\x05\x11" + expiry_s.to_bytes(4, "big")))

    def abort(self) -> None:
        """Break the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (asyncio)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what create_connection gives
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read what came (asyncio)."""
        self._heard = True
        try:
            for first, body in self._frames.feed(data):
                self._take(first, body)
        except MessageError as exc:
            self._end(f"the broker sent nonsense: {exc}")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Put back what was under way (asyncio)."""
        self._end(str(exc or "the connection was closed"))

    def _take(self, first: int, body: bytes) -> None:
        kind = first & 0xF0
        if kind == frames.PUBLISH:
            self._arrived(self, frames.read_publish(first, body), bool(first & 1))
        elif kind == frames.PUBACK:
            mid, _ = frames.read_puback(body)  # refused or unheard, a gateway asks again
            self._under_way.pop(mid, None)
            self.pump()
        elif kind in {_CONNACK, _SUBACK, _UNSUBACK}:
            mid = 0 if kind == _CONNACK else int.from_bytes(body[:2], "big")
            answer = self._answers.pop(mid, None)
            if answer is not None and not answer.done():
                answer.set_result(body)
        elif kind == _DISCONNECT:
            self.taken_over = body[:1] == bytes([_TAKEN_OVER])
            self._end(f"the broker said DISCONNECT {body[:1].hex()}")
            self.abort()

    async def _ask(self, mid: int, packet: bytes) -> bytes:
        """Send a packet and wait for its answer. Raises UplinkError when the connection ends."""
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._answers[mid] = answer
        self._send(packet)
        await asyncio.wait((answer, self.closed), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise UplinkError(self.closed.result())
        return answer.result()

    def _send(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self, why: str) -> None:
        if self.closed.done():
            return
        self.closed.set_result(why)
        self._letters.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()
        if self._ping is not None:
            self._ping.cancel()

    def _keep_alive(self) -> None:
        """Ping; a broker that was silent since the last one is dead, whatever its kernel says."""
        if not self._heard:
            self._end(f"the broker has not answered for {_KEEPALIVE_S // 2} s")
            self.abort()
            return
        self._heard = False
        self._ping = self._loop.call_later(_KEEPALIVE_S / 2, self._keep_alive)
        self._send(_PING)

    def _next_mid(self) -> int:
        self._mid = self._mid % 65535 + 1
        return self._mid


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + frames.as_variable(len(body)) + body
