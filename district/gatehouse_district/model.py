"""What a district knows of its schools, as everybody else in here reads it.

Times are UTC, RFC 3339, unless a name ends in ``_s``. What a gateway said of itself (school,
location, names, texts) is a stranger's word: whoever shows it escapes it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """How far an alarm got, as the district sees it; in this order."""

    RECEIVED = "received"
    ANSWERING = "answering"
    """A person has answered; the gateway has not confirmed it yet."""
    ACKNOWLEDGED = "acknowledged"
    RESET = "reset"
    """Reset on site, by hand; with or without an answer before."""


class Presence(StrEnum):
    """Whether a gateway is there."""

    ONLINE = "online"
    STOPPED = "stopped"
    """It said goodbye itself."""
    LOST = "lost"
    """Its last will came."""
    SILENT = "silent"
    """No heartbeat for three intervals, though the broker has it connected."""
    UNKNOWN = "unknown"
    """Events came, but no birth yet."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One press of one button."""

    id: str
    """The event's id."""
    gateway: str
    school: str
    """As the newest birth said; empty when none did."""
    button: str
    location: str
    mode: str
    """``real``, ``test`` or ``drill``."""
    time: str
    """When it was pressed: as the gateway said, put right by its ``clock.corrected``."""
    clock: str
    """``synced``, ``unsynced`` (the time may be wrong) or ``corrected``."""
    arrived: str
    """By the district's own clock; age is counted from here when the clock is ``unsynced``."""
    stage: Stage
    presses: int = 1
    held_at_start: bool = False
    acknowledged_by: str = ""
    acknowledged: str | None = None
    reset_by: str = ""
    reset_reason: str = ""
    reset: str | None = None
    pictures: int = 0
    """How many pictures have come."""
    evidence: bool = False
    """Whether its ``evidence.ready`` has come."""
    odd: str = ""
    """What of the event does not fit the contract's types, if anything."""
    refused: str = ""
    """Why the gateway refused the newest answer, if it did; it is then ``received`` again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One fault that stands at a gateway."""

    subject: str
    fault: str
    since: str | None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tried:
    """A self-test or a walk test: when, and how it went."""

    time: str
    result: str
    """``OK``, ``WARN`` or ``FAIL``."""
    data: dict[str, Any] = field(default_factory=dict)
    """The data of its event."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How far back one camera's recordings are proven, beside its duty; in days."""

    camera: str
    area: str
    required_days: float
    proven_days: float | None
    verdict: str
    """``ok``, ``short``, ``forecast`` or ``unknown``."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway as it stands now."""

    id: str
    school: str
    presence: Presence
    since: str | None
    """Since when it is present, or not, in this way."""
    heard: str | None
    """When anything came last."""
    version: str = ""
    clock: str = ""
    buttons: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    faults: tuple[Standing, ...] = ()
    lacking: int = 0
    """How many numbered events must still come (contract section 4)."""
    lacks: tuple[str, ...] = ()
    """The first of these sequences."""
    open_alarms: int = 0
    retention: tuple[Retention, ...] = ()
    walktest: Tried | None = None
    selftest: Tried | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the log."""

    position: int
    """Grows with each stored event; to page by."""
    gateway: str
    arrived: str
    time: str
    """Put right by ``clock.corrected`` where that can be done."""
    event: dict[str, Any]
    """The event itself (contract section 4)."""
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of an alarm, without its bytes."""

    alarm: str
    number: int
    arrived: str
    size: int
    """Bytes of the JPEG."""
    sha256: str
    camera: str = ""
    """Empty until ``evidence.ready`` says which."""
    taken: str | None = None
