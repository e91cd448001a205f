"""A connection to a broker as the rest of the room sees it; mqtt.py makes it."""

import ssl
from dataclasses import dataclass
from typing import Protocol

from gatehouse.uplink.failures import UnreachableError
from gatehouse.uplink.frames import Incoming


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to connect to, as whom, and what the broker is to say when we are gone.

    Without a ``will_topic`` it says nothing, and there is no session before or after.
    """

    broker: str
    address: str
    port: int
    context: ssl.SSLContext | None
    client_id: str
    will_topic: str | None
    will: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """What the broker allows, from its CONNACK; the values are MQTT 5's own (section 3.2.2.3)."""

    receive_maximum: int = 65535
    maximum_packet: int = 268_435_455


class Listener(Protocol):
    """Who hears what the broker says; called in the loop, outside paho's locks."""

    def acknowledged(self, mid: int, code: int) -> None:
        """A PUBACK came."""

    def arrived(self, message: Incoming) -> None:
        """A publication came; it is acknowledged to the broker after this returns."""

    def caught_up(self) -> None:
        """Everything that came at once has been told."""


class Wire(Protocol):
    """An open connection."""

    def publish_soon(
        self, head: bytes, tail: bytes, body: bytes, *, qos: int = 1, retain: bool = False
    ) -> int:
        """Put a publication into the next write; return its packet identifier."""

    def flush(self) -> None:
        """Write now."""

    def fail(self, why: UnreachableError) -> None:
        """End the connection."""
