"""What the uplink needs of the rooms around it, and what it tells them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from gatehouse.events import Importance


class Pending(Protocol):
    """One event that the district lacks (docs/house.md, outbox)."""

    @property
    def id(self) -> str:
        """The event's id."""

    @property
    def sequence(self) -> str:
        """The event's number, ``<start>.<count>``."""

    @property
    def importance(self) -> Importance:
        """ALARM goes on ``up/alarm``, everything else on ``up/event``."""


class Queue(Protocol):
    """What waits, in the order in which it is to go.

    An event leaves ``skip`` only when it is done, or with all others when a connection ends; an
    empty ``skip`` makes the queue begin anew.
    """

    def __contains__(self, event_id: str) -> bool:
        """Whether the district still lacks this event; one that was dropped waits no more."""

    def next_alarm(self, skip: Collection[str]) -> Pending | None:
        """Return the next of alarm class that is not in ``skip``: buttons in turn, oldest first."""

    def next_other(self, skip: Collection[str]) -> Pending | None:
        """Return the oldest other event that is not in ``skip``."""


class Outbox(Protocol):
    """The part of the outbox that the uplink uses (docs/house.md)."""

    @property
    def pending(self) -> Queue:
        """The index of what the district lacks."""

    def sent(self, id: str) -> None:  # noqa: A002  # the outbox's own word
        """Note a PUBACK 0x00."""

    def received(self, ids: Iterable[str]) -> list[str]:
        """End these events; return those that were known."""

    def command_seen(self, command_id: str, expires_unix: float) -> None:
        """Remember a command over restarts."""

    async def bodies(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the exact JSON of these events, as far as they can be read."""


class LinkState(StrEnum):
    """Contract section 5, ``link.state``."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How the link stands; ``since`` is RFC 3339, ``proven_ns`` CLOCK_MONOTONIC.

    ``proven_ns`` is when the district last proved that it has an event: by a receipt, or, where
    it sends none, by a PUBACK 0x00. ``connection`` counts what this start has tried to open.
    """

    state: LinkState
    broker: str | None = None
    since: str | None = None
    connection: int = 0
    error: str | None = None
    proven_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the uplink tells the service; all are called in the event loop, times monotonic."""

    sent: Callable[[str, int], None]
    received: Callable[[list[str], int], None]
    fault: Callable[[str, bool, dict[str, Any]], None]
    link_changed: Callable[[LinkStatus], None]
    pictures_changed: Callable[[], None]
    acknowledge: Callable[[str, str], bool]
    refused: Callable[[str, dict[str, Any]], None]
    selftest: Callable[[str], bool]
    """Begin a self-test for the command with that id; False when one is under way."""
    video: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
    """Ask the video service. Raises NotRunningError, ControlError when it refuses, OSError."""


Heartbeat = Callable[[], Awaitable[bytes]]
