"""The event log as the report reads it, and when each event really happened. Pure.

The wall clock of a gateway without a battery is wrong until a time server has set it. An event of
before that is placed by the boot clock, from the next event of the same boot whose clock was set.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.events import Event

SELFTEST_REPORT: Final = "gatehouse.selftest.report"
WALKTEST_REPORT: Final = "gatehouse.walktest.report"

TYPES: Final = (
    events.ALARM_RAISED,
    events.ALARM_RELEASED,
    events.ALARM_RESET,
    events.LINE_FAULT,
    events.LINE_RESTORED,
    events.TAMPER_OPENED,
    events.TAMPER_CLOSED,
    events.POWER_FAULT,
    events.POWER_RESTORED,
    events.GATEWAY_STARTED,
    events.GATEWAY_STOPPED,
    events.GATEWAY_FAULT,
    events.GATEWAY_RESTORED,
    events.CLOCK_CORRECTED,
    events.DRILL_STARTED,
    events.DRILL_ENDED,
    "gatehouse.camera.fault",
    "gatehouse.camera.restored",
    "gatehouse.retention.shortfall",
    "gatehouse.retention.forecast",
    "gatehouse.retention.restored",
    events.DISK_FAULT,
    events.DISK_RESTORED,
    SELFTEST_REPORT,
    WALKTEST_REPORT,
)
"""What the report asks for."""

_SEQUENCE: Final = re.compile(r"[0-9]{8}\.[0-9]{10}")


class Row(Event, frozen=True, kw_only=True):
    """One event of the log, and how an alarm was answered: s from the press, None: not known."""

    pending: bool = False
    received_s: float | None = None
    acknowledged_s: float | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and when it happened; ``sure`` is False where no clock could tell."""

    row: Row
    at: datetime
    sure: bool = True

    @property
    def type(self) -> str:
        """The event's type."""
        return self.row.type

    @property
    def data(self) -> Mapping[str, Any]:
        """What the event says."""
        return self.row.data

    @property
    def monotonic_s(self) -> float:
        """CLOCK_BOOTTIME when it happened, s."""
        return int(self.row.monotonic) / 1e9


_decoder: Final = msgspec.json.Decoder(Row)


def row(body: bytes) -> Row | None:
    """Read one row of the file; None for what is no event of this contract."""
    try:
        return _checked(_decoder.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def row_of(document: object) -> Row | None:
    """Read one row of a service's answer; None for what is no event of this contract."""
    try:
        return _checked(msgspec.convert(document, Row))
    except msgspec.MsgspecError:
        return None


def _checked(found: Row) -> Row | None:
    plain = _SEQUENCE.fullmatch(found.sequence) and found.monotonic.isascii()
    return found if plain and found.monotonic.isdigit() and _time(found) is not None else None


def entries(rows: Sequence[Row]) -> tuple[Entry, ...]:
    """Place the rows of a log, oldest first, in time."""
    placed: list[Entry] = []
    zero: dict[str, datetime] = {}  # by boot: what the wall clock showed at its beginning
    for each in reversed(rows):
        told = _time(each) or datetime.min.replace(tzinfo=UTC)
        up = timedelta(microseconds=int(each.monotonic) // 1000)
        if each.clock == "synced":
            zero[each.bootid] = told - up
            placed.append(Entry(each, told))
        elif each.bootid in zero:
            placed.append(Entry(each, zero[each.bootid] + up))
        else:
            placed.append(Entry(each, told, sure=False))
    return tuple(_not_before_the_last(reversed(placed)))


def _not_before_the_last(placed: Iterable[Entry]) -> Iterable[Entry]:
    """Let what no clock can place be no earlier than what was stored before it."""
    last: datetime | None = None
    for each in placed:
        if each.sure:
            last = each.at
        elif last is not None and each.at < last:
            yield Entry(each.row, last, sure=False)
            continue
        yield each


def _time(found: Row) -> datetime | None:
    try:
        read = datetime.fromisoformat(found.time)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None
