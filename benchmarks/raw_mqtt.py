"""MQTT 5 over one blocking socket, and nothing more: what the wire and the broker cost alone."""

import socket
import ssl
from collections import deque
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from gatehouse.uplink import frames
from gatehouse.uplink.frames import Incoming
from gatehouse_sim.identity import Identity

_CONNECT: Final = 0x10
_CONNACK: Final = 0x20
_SUBSCRIBE: Final = 0x82
_SUBACK: Final = 0x90
_PUBLISH: Final = 0x30
_PUBACK: Final = 0x40
_CLEAN_START: Final = 0x02
_KEEPALIVE_S: Final = 3600  # longer than any benchmark: no ping is needed
_LARGEST: Final = 1 << 20
_PATIENCE_S: Final = 60.0


class RawClient:
    """A connection. Raises OSError when the broker refuses or does not answer in time."""

    def __init__(
        self,
        url: str,
        client_id: str,
        identity: Identity | None = None,
        *,
        patience_s: float | None = _PATIENCE_S,
    ) -> None:
        place = urlsplit(url)
        address = (place.hostname or "", place.port or 0)
        self._socket = socket.create_connection(address, timeout=_PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if identity is not None:
            context = ssl.create_default_context(cafile=identity.ca)
            context.load_cert_chain(identity.cert, identity.key)
            self._socket = context.wrap_socket(self._socket, server_hostname=place.hostname)
        self._socket.settimeout(patience_s)
        self._frames = frames.Frames(_LARGEST)
        self._packets: deque[tuple[int, bytes]] = deque()
        self._mid = 0
        head = frames.as_string("MQTT") + bytes([5, _CLEAN_START]) + _KEEPALIVE_S.to_bytes(2, "big")
        self._send(_CONNECT, head + b"\0" + frames.as_string(client_id))
        if (answer := self._expect(_CONNACK))[1] != 0:
            raise OSError(f"{url} refused {client_id}: 0x{answer[1]:02x}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Break the connection."""
        self._socket.close()

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 0. Raises OSError when refused."""
        self._send(_SUBSCRIBE, b"\0\1\0" + frames.as_string(topic) + b"\0")
        if (code := self._expect(_SUBACK)[-1]) >= 0x80:
            raise OSError(f"the subscription to {topic} was refused: 0x{code:02x}")

    def round_trip(self, topic: str, body: bytes) -> None:
        """Publish with QoS 1 and wait for the PUBACK. Raises OSError unless it says 0x00."""
        self._mid = self._mid % 65535 + 1
        packet = frames.publish(frames.as_string(topic), b"\0", body, mid=self._mid)
        self._socket.sendall(packet)
        mid, code = frames.read_puback(self._expect(_PUBACK))
        if mid != self._mid or code != 0:
            raise OSError(f"PUBACK {mid} 0x{code:02x} to {self._mid}")

    def next_message(self) -> Incoming:
        """Wait for the next publication."""
        while True:
            first, body = self._next()
            if first & 0xF0 == _PUBLISH:
                return frames.read_publish(first, body)

    def send(self, packets: bytes) -> None:
        """Send whole packets as they are."""
        self._socket.sendall(packets)

    def next_packet(self) -> tuple[int, bytes]:
        """Wait for the next packet of any kind: its first byte and its body."""
        return self._next()

    def _send(self, first: int, body: bytes) -> None:
        self._socket.sendall(bytes([first]) + frames.as_variable(len(body)) + body)

    def _expect(self, kind: int) -> bytes:
        while True:
            first, body = self._next()
            if first & 0xF0 == kind & 0xF0:
                return body

    def _next(self) -> tuple[int, bytes]:
        while not self._packets:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("the broker closed the connection")
            self._packets.extend(self._frames.feed(data))
        return self._packets.popleft()
