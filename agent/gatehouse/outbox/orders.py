"""What the writer thread is asked to do, in order. Pure."""

from dataclasses import dataclass

from gatehouse.clock import Clock
from gatehouse.events import Event


@dataclass(frozen=True, slots=True)
class Moment:
    """When something became known: Unix s, and CLOCK_BOOTTIME in ns with the boot it counts in."""

    unix: float
    boottime_ns: int
    bootid: str
    synced: bool

    @classmethod
    def of(cls, clock: Clock) -> "Moment":
        """Return this moment."""
        now = clock.reading()
        return cls(now.unix_ns / 1e9, now.boottime_ns, clock.bootid, clock.synced())


@dataclass(frozen=True, slots=True)
class Answered:
    """How long an alarm took to the district's machine and to a person, in s, and who that was."""

    received_s: float | None = None
    acknowledged_s: float | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Keep an event.

    ``sent`` and ``received`` (``received_at``) are set when that became known before it was kept;
    ``stored_unix`` and ``answered`` when it was kept before, in a file that was damaged.
    """

    event: Event
    body: bytes
    alarm: bool
    sent: bool = False
    received: bool = False
    received_at: Moment | None = None
    stored_unix: float | None = None
    answered: Answered | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A broker has taken an event."""

    id: str


@dataclass(frozen=True, slots=True)
class Received:
    """The district has these events."""

    ids: tuple[str, ...]
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person has answered these alarms."""

    ids: tuple[str, ...]
    by: str
    at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """These events gave way to more important ones."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A command came; it must not be obeyed twice."""

    id: str
    expires: float


@dataclass(frozen=True, slots=True)
class Mend:
    """A reader has found the file damaged."""

    why: str


Order = Put | Sent | Received | Acknowledged | Drop | Seen | Mend


def is_other(order: Order) -> bool:
    """Whether an order may not use the room that is reserved for alarms."""
    return isinstance(order, Put) and not order.alarm
