"""What a district hears, once it is known to be what the contract says. Pure."""

from dataclasses import dataclass
from typing import Any

from gatehouse.events import Event


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it arrived; times in ns, CLOCK_MONOTONIC and wall clock. ``body`` is exact."""

    gateway: str
    topic: str
    event: Event
    body: bytes
    arrived_ns: int
    arrived_unix_ns: int
    odd: str = ""
    """What of it does not fit the contract's types; it is an event all the same."""

    @property
    def id(self) -> str:
        """The event's id."""
        return self.event.id

    @property
    def type(self) -> str:
        """The event's type."""
        return self.event.type


@dataclass(frozen=True, slots=True)
class State:
    """A birth, an offline state or a last will; ``retained``: told by the broker from before."""

    gateway: str
    body: dict[str, Any]
    retained: bool
    arrived_ns: int
    arrived_unix_ns: int = 0

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
    arrived_unix_ns: int = 0


@dataclass(frozen=True, slots=True)
class Photograph:
    """One picture of an alarm or of a snapshot (``alarm`` is then the command's id)."""

    gateway: str
    alarm: str
    number: int
    body: bytes
    arrived_unix_ns: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What is no message of the contract: counted by its reason, a little of it kept."""

    reason: str
    """A word: ``topic``, ``envelope``, ``source``, ``state``, ``telemetry``, ``reply``,
    ``picture``, ``conflict``, ``unstorable``."""
    why: str
    topic: str
    body: bytes
    arrived_unix_ns: int


Item = Record | State | Heartbeat | Photograph | Refused
"""What is kept on disk. (A reply is not: it ends an answer that is.)"""
