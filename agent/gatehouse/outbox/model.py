"""What the outbox is told and what it tells: plain data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gatehouse.events import ALARM_RAISED, Event, Importance, Mode, importance
from gatehouse.faults import Fault


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait (others than alarms) and how much of the log is kept; bytes and days."""

    pending: int = 50_000
    pending_bytes: int = 64 * 1024 * 1024
    log_days: int = 400
    log_bytes: int = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the disk is waited for, in seconds."""

    open_s: float = 2.0  # contract section 4: after that a start has a random number
    hang_s: float = 2.0
    again_s: float = 5.0  # between two tries to open
    read_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Pending:
    """One event that the district lacks; ``size`` is its JSON in bytes."""

    id: str
    type: str
    subject: str
    sequence: str
    importance: Importance
    size: int
    unix_ns: int

    @property
    def raised(self) -> bool:
        """Whether it is an alarm that was raised."""
        return self.type == ALARM_RAISED

    @classmethod
    def of(cls, event: Event, size: int, unix_ns: int) -> "Pending":
        """Take from an event what its place in the queue needs."""
        kind = importance(event.type, event.data)
        return cls(event.id, event.type, event.subject, event.sequence, kind, size, unix_ns)


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """One stored alarm: what is known of it after a restart."""

    id: str
    button: str
    mode: Mode
    raised_unix_ns: int
    sent: bool = False
    received: bool = False
    acknowledged: bool = False
    released: bool = False
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that opening found amiss: the name and the data of a ``gateway.fault``."""

    fault: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event of the log, its exact JSON, and whether the district still lacks it."""

    body: bytes
    pending: bool


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One event of the log, and how an alarm was answered: s from the press, None: not known."""

    body: bytes
    pending: bool
    received_s: float | None = None
    acknowledged_s: float | None = None
    acknowledged_by: str | None = None

    def json(self) -> bytes:
        """Return the event's own JSON with the rest added, without reading it."""
        rest = {
            "pending": self.pending,
            "received_s": self.received_s,
            "acknowledged_s": self.acknowledged_s,
            "acknowledged_by": self.acknowledged_by,
        }
        return self.body.rstrip().removesuffix(b"}") + b"," + msgspec.json.encode(rest)[1:]


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found when the outbox was opened.

    ``previous``: the last number of the start before up to which nothing is missing.
    """

    store: str
    start: int
    previous: str | None = None
    pending: tuple[Pending, ...] = ()
    alarms: tuple[StandingAlarm, ...] = ()
    faults: tuple[Fault, ...] = ()
    drill_open: bool = False
    last_event: Event | None = None
    commands: tuple[tuple[str, float], ...] = ()
    trouble: tuple[Trouble, ...] = ()
