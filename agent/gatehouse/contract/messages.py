"""What is said besides events: state, heartbeat, receipts, commands and their replies.

Contract section 3. ``uplink/messages.py`` reads and writes them for the gateway.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from gatehouse.contract.data import Count, Length, Time

_FAULT: Final = {
    "required": ["subject", "fault", "since"],
    "properties": {
        "subject": {"type": "string", "description": "button/<name>, camera/<name> or gateway"},
        "fault": {"type": "string", "description": "as in the event that told it; `more` counts"},
        "since": {"type": ["string", "null"], "description": "RFC 3339 UTC; null: not known"},
    },
}
Standing = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=_FAULT)]
"""A fault that stands: ``subject``, ``fault``, ``since``, and the details of its event."""

_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_True = Annotated[bool, msgspec.Meta(extra_json_schema={"const": True})]
_False = Annotated[bool, msgspec.Meta(extra_json_schema={"const": False})]


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway says on connecting; the uplink fills in ``connection``."""

    online: _True = True
    """Always true."""
    store: str
    """The outbox's UUID: another one after a new card, or when the file was set aside."""
    start: Count
    """The number of this start of the alarm service within that store."""
    connection: Count = 0
    """Counts the connections of this start: tells a late will from the state of now."""
    bootid: str
    """The kernel's boot id."""
    version: str
    """Of the software."""
    started: Time
    """When the alarm service started, by the gateway's clock."""
    buttons: tuple[str, ...]
    """Names of all buttons."""
    cameras: tuple[str, ...]
    """Names of all cameras."""
    faults: tuple[Standing, ...]
    """What stands now, at most 16 KiB of it; the rest is counted by a last entry ``more``."""
    school: str = ""
    """The school's name, as configured."""
    heartbeat_s: Length = 20.0
    """From one heartbeat to the next, s: after three without one the gateway is silent."""
    locations: dict[str, str] = {}
    """Where each button is, by its name."""


class Offline(msgspec.Struct, frozen=True, kw_only=True):
    """The last will, and what the gateway itself says on an orderly stop.

    One whose ``start`` and ``connection`` are older than those of the newest birth is the late will
    of a connection that is over: it says nothing of now.
    """

    online: _False = False
    """Always false."""
    store: str
    """As in the birth."""
    start: Count
    """As in the birth."""
    connection: Count
    """As in the birth of the same connection."""


class Receipt(msgspec.Struct, frozen=True):
    """The district has these events on disk: sent after the commit, never before.

    Only this ends an event. An id that is not known, or comes again, is harmless.
    """

    ids: list[str]
    """Event ids; so many that the message stays under 128 KiB."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What a person at the district asks for. Nothing remote resets an alarm."""

    id: _Word
    """Never used twice: a second command of the same id is refused as replayed."""
    expires: str | float
    """Until when it is worth anything: RFC 3339 or Unix seconds, at most 24 h ahead."""
    command: _Word
    """``acknowledge``, ``selftest``, ``snapshot`` or ``release-evidence``."""
    alarm: _Word | None = None
    """Of ``acknowledge`` and ``release-evidence``: the alarm's event id."""
    by: _Word | None = None
    """Of ``acknowledge``: who has answered; of ``release-evidence``: who lets it go."""
    camera: _Word | None = None
    """Of ``snapshot``: the camera's name."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a command; ``id`` is None when it could not be read."""

    id: str | None
    """The command's; null: it could not be read."""
    ok: bool
    """Whether it was carried out; of ``selftest``: begun, its report is an event."""
    reason: str | None = None
    """Why it was refused, in words."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The way to the district."""

    state: Literal["connected", "connecting", "offline"]
    """How it stands."""
    broker: str | None
    """The broker's URL."""
    since: Time | None
    """Since when it is so."""
    connection: Count
    """As in the birth."""
    error: str | None
    """Why the last attempt failed."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What the district does not have yet."""

    pending: Count
    """Events that wait."""
    pending_alarms: Count
    """Of them ``alarm.raised``."""
    oldest_s: Length
    """Age of the oldest, s."""
    bytes: Count
    """Size of the outbox's file, bytes."""


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long presses took to one stage since the start, ms after the edge."""

    n: Count
    """How many presses."""
    p50: float | None
    """Median of the last thousand; null before the first."""
    p99: float | None
    """99th percentile of the last thousand; null before the first."""
    max: float | None
    """The longest of all; null before the first."""


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """How long presses took to each stage."""

    stored: Latency
    """Until they were on the gateway's disk."""
    sent: Latency
    """Until the broker had them."""
    received: Latency
    """Until the district's receipt came."""


class ButtonNow(msgspec.Struct, frozen=True, kw_only=True):
    """How one button stands now."""

    name: str
    """Its name."""
    location: str
    """Where it is, as configured."""
    line: Literal["normal", "active", "open", "short", "stuck", "chatter"]
    """What its wiring says."""
    alarm: Literal["idle", "stored", "sent", "received", "acknowledged", "undelivered"]
    """The least advanced alarm that is not reset."""
    last_alarm: str | None
    """Id of its newest alarm."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Load, memory and disk."""

    load: Annotated[list[float], msgspec.Meta(min_length=3, max_length=3)]
    """Of the last 1, 5 and 15 minutes."""
    memory_percent: float
    """In use, %."""
    rss_bytes: Count
    """Memory of the alarm service, bytes."""
    disk_free_bytes: Count
    """Of the disk with the outbox, bytes."""
    disk_percent: float
    """In use of that disk, %."""


class RetentionRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far back one camera's recordings are proven, beside its duty."""

    camera: str
    """The camera's name."""
    area: Literal["critical", "general"]
    """Which sets how long recordings must stay."""
    required_days: Length
    """How long they must stay, days."""
    proven_days: Length | None
    """How far back they are proven, days; null: not known."""
    verdict: Literal["ok", "short", "forecast", "unknown"]
    """What that comes to."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """How the gateway is, every ``heartbeat_s``; worth nothing later."""

    time: Time
    """When it was said, by the gateway's clock."""
    gateway: str
    """The gateway's id."""
    version: str
    """Of the software."""
    bootid: str
    """The kernel's boot id."""
    clock: Literal["synced", "unsynced"]
    """Whether the clock has been set."""
    uptime_s: Length
    """Since the alarm service started, s."""
    link: Link
    """The way to the district."""
    outbox: Waiting
    """What the district does not have yet."""
    latency_ms: Latencies
    """How long presses took."""
    faults: list[Standing]
    """As in the birth."""
    buttons: list[ButtonNow]
    """One row a button."""
    machine: Machine | None
    """null: the machine could not be looked at."""
    health: dict[str, str]
    """How each check of the gateway's health ended the last time; empty before the first."""
    recordings: Annotated[list[RetentionRow], msgspec.Meta(max_length=64)] = []
    """One row a camera, as the video service said last; empty before it did."""
