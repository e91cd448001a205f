"""What Gatehouse has to say: event types, their envelope and their numbers.

The envelope is CloudEvents 1.0 in structured JSON (contract section 4).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, Final

import msgspec

from gatehouse.clock import Clock
from gatehouse.errors import MessageError

CONTENT_TYPE: Final = "application/cloudevents+json"

ALARM_RAISED: Final = "gatehouse.alarm.raised"
ALARM_RELEASED: Final = "gatehouse.alarm.released"
ALARM_RESET: Final = "gatehouse.alarm.reset"
LINE_FAULT: Final = "gatehouse.line.fault"
LINE_RESTORED: Final = "gatehouse.line.restored"
TAMPER_OPENED: Final = "gatehouse.tamper.opened"
TAMPER_CLOSED: Final = "gatehouse.tamper.closed"
POWER_FAULT: Final = "gatehouse.power.fault"
POWER_RESTORED: Final = "gatehouse.power.restored"
GATEWAY_STARTED: Final = "gatehouse.gateway.started"
GATEWAY_STOPPED: Final = "gatehouse.gateway.stopped"
GATEWAY_FAULT: Final = "gatehouse.gateway.fault"
GATEWAY_RESTORED: Final = "gatehouse.gateway.restored"
DISK_FAULT: Final = "gatehouse.disk.fault"
DISK_RESTORED: Final = "gatehouse.disk.restored"
CONFIG_CHANGED: Final = "gatehouse.config.changed"
CLOCK_CORRECTED: Final = "gatehouse.clock.corrected"
DRILL_STARTED: Final = "gatehouse.drill.started"
DRILL_ENDED: Final = "gatehouse.drill.ended"
WALKTEST_REPORT: Final = "gatehouse.walktest.report"
COMMAND_REFUSED: Final = "gatehouse.command.refused"
SELFTEST_REPORT: Final = "gatehouse.selftest.report"

_ALARM_PREFIX: Final = "gatehouse.alarm."
_ID_BYTES: Final = 10
"""Random bytes of one id."""
_SEQUENCE: Final = re.compile(r"[0-9]{8}\.[0-9]{10}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_S: Final = -62_135_596_800
_LAST_S: Final = 253_402_300_799
"""The first second of year 1 and the last of year 9999: RFC 3339 has four digits for a year."""


class Mode(StrEnum):
    """Whether an alarm is meant, tried or practised."""

    REAL = "real"
    TEST = "test"
    DRILL = "drill"


class Importance(IntEnum):
    """In which order events give way when the outbox is full: the highest number first."""

    ALARM = 0
    FAULT = 1
    WATCH = 2
    REPORT = 3


@dataclass(frozen=True, slots=True)
class Happening:
    """Something worth an event, before it has an identity: what pure code returns.

    ``at_ns`` is when it happened, CLOCK_MONOTONIC in ns; None means now.
    """

    type: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = Mode.REAL
    at_ns: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One durable event as it goes over the wire and into the outbox."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    store: str
    sequence: str
    bootid: str
    monotonic: str
    clock: str
    mode: Mode
    data: dict[str, Any]

    @property
    def start(self) -> int:
        """The start of the alarm service that made this event."""
        return int(self.sequence[:8])

    @property
    def count(self) -> int:
        """The event's place within its start, from 1."""
        return int(self.sequence[9:])


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """Return the event's exact JSON: what is stored is what is sent."""
    return _encoder.encode(event)


def decode(body: bytes) -> Event:
    """Read an event back; raise MessageError for anything that is not one."""
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise MessageError(f"not an event of this contract: {exc}") from exc
    if not _SEQUENCE.fullmatch(event.sequence):
        raise MessageError(f"sequence {event.sequence!r} is not <8 digits>.<10 digits>")
    return event


def is_alarm_class(type_: str, data: Mapping[str, Any]) -> bool:
    """Whether an event travels on ``up/alarm`` and is never dropped (contract section 3).

    A line that is open may be a press through a cut conductor, hence is treated like an alarm.
    """
    return type_.startswith(_ALARM_PREFIX) or (type_ == LINE_FAULT and data.get("fault") == "open")


def importance(type_: str, data: Mapping[str, Any]) -> Importance:
    """Return how hard the outbox holds on to an event of this type."""
    if is_alarm_class(type_, data):
        return Importance.ALARM
    family = type_.removeprefix("gatehouse.").partition(".")[0]
    if family in {"line", "tamper", "power", "gateway", "disk", "clock"}:
        return Importance.FAULT
    if family in {"camera", "retention", "evidence", "recording"}:
        return Importance.WATCH
    return Importance.REPORT


def uuid7(unix_ms: int, random: bytes) -> str:
    """Make a UUIDv7 (RFC 9562 section 5.7) from a Unix time in ms and 10 random bytes."""
    value = (unix_ms & (1 << 48) - 1) << 80 | int.from_bytes(random[:10], "big")
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def rfc3339(unix_ns: int) -> str:
    """Write a Unix time in ns as UTC with microseconds, as every document of Gatehouse does.

    Never raises: a mad clock must not cost an alarm. What RFC 3339 cannot say becomes the nearest
    second that it can.
    """
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    said = _EPOCH + timedelta(seconds=min(max(seconds, _FIRST_S), _LAST_S))
    return f"{said.replace(tzinfo=None).isoformat()}.{rest // 1000:06d}Z"


class Scribe:
    """Gives happenings their identity: id, time, and a number that never means two events."""

    def __init__(
        self, *, gateway: str, store: str, start: int, clock: Clock, random: Callable[[int], bytes]
    ) -> None:
        self._source = f"/gatehouse/{gateway}"
        self._clock = clock
        self._random = random
        self._drawn = b""
        self._count = 0
        self.store = store
        self.start = start

    def write(self, happening: Happening) -> Event:
        """Make the next event of this start; its time is when it happened, not when it is told."""
        self._count += 1
        now = self._clock.reading()
        late_ns = 0 if happening.at_ns is None else max(0, now.monotonic_ns - happening.at_ns)
        unix_ns = now.unix_ns - late_ns
        return Event(
            id=uuid7(unix_ns // 1_000_000, self._draw()),
            source=self._source,
            type=happening.type,
            subject=happening.subject,
            time=rfc3339(unix_ns),
            store=self.store,
            sequence=f"{self.start:08d}.{self._count:010d}",
            bootid=self._clock.bootid,
            monotonic=str(now.boottime_ns - late_ns),
            clock="synced" if self._clock.synced() else "unsynced",
            mode=happening.mode,
            data=dict(happening.data),
        )

    def _draw(self) -> bytes:
        """Return random bytes, drawn for many events at once: a press waits for no system call."""
        if len(self._drawn) < _ID_BYTES:
            self._drawn = self._random(_ID_BYTES * 256)
        drawn, self._drawn = self._drawn[:_ID_BYTES], self._drawn[_ID_BYTES:]
        return drawn
