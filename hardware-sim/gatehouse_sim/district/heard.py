"""What a district hears besides events, and reading it. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gatehouse.errors import MessageError
from gatehouse.uplink.topics import PREFIX

_TOPIC: Final = re.compile(re.escape(PREFIX) + r"([a-z0-9-]{3,64})/(state|up/.+)")


@dataclass(frozen=True, slots=True)
class State:
    """A birth, an offline state or a last will; ``retained``: told by the broker from before."""

    gateway: str
    body: dict[str, Any]
    retained: bool
    arrived_ns: int

    @property
    def online(self) -> bool:
        """Whether it is a birth."""
        return self.body.get("online") is True

    @property
    def running(self) -> tuple[str, int] | None:
        """Which start of which store speaks; None if it does not say."""
        store, start = self.body.get("store"), self.body.get("start")
        return (store, start) if isinstance(store, str) and isinstance(start, int) else None


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command."""

    gateway: str
    body: dict[str, Any]
    correlation: bytes | None
    arrived_ns: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One telemetry message."""

    gateway: str
    body: dict[str, Any]
    arrived_ns: int


def place(topic: str) -> tuple[str, str]:
    """Return the gateway and what it says there; raise MessageError for a foreign topic."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise MessageError(f"{topic} is no topic of a gateway")
    return found[1], found[2]


def document(payload: bytes) -> dict[str, Any]:
    """Read a JSON object; raise MessageError for anything else."""
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"not a JSON object: {exc}") from exc
