"""What the writer thread is asked to do, in order. Pure."""

from dataclasses import dataclass

from gatehouse.events import Event


@dataclass(frozen=True, slots=True)
class Put:
    """Keep an event."""

    event: Event
    body: bytes
    alarm: bool


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


Order = Put | Sent | Received | Acknowledged | Drop | Seen
