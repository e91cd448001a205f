"""What the writer thread is asked to do, in order. Pure."""

from dataclasses import dataclass

from gatehouse.events import Event


@dataclass(frozen=True, slots=True)
class Put:
    """Keep an event.

    ``sent`` and ``received`` are set when that became known before it was kept; ``stored_unix``
    when it was kept before, in a file that was damaged.
    """

    event: Event
    body: bytes
    alarm: bool
    sent: bool = False
    received: bool = False
    stored_unix: float | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A broker has taken an event."""

    id: str


@dataclass(frozen=True, slots=True)
class Received:
    """The district has these events."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person has answered these alarms."""

    ids: tuple[str, ...]
    by: str


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
