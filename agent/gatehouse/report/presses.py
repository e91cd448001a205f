"""Presses, how they were answered, who reset them; drills. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehouse import events
from gatehouse.events import Mode
from gatehouse.report.log import Entry
from gatehouse.report.span import Span


@dataclass(frozen=True, slots=True)
class Reset:
    """How an alarm was ended, on site."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Press:
    """One alarm; lengths in s from the press, None: not so, or not known (``waits``)."""

    id: str
    at: datetime
    sure: bool
    button: str
    location: str
    mode: Mode
    presses: int
    held_at_start: bool
    waits: bool
    received_s: float | None
    acknowledged_s: float | None
    acknowledged_by: str | None
    reset: Reset | None


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill; ``end`` is None while it goes on, or where its end is not in the log."""

    begin: datetime
    end: datetime | None
    buttons: tuple[str, ...]
    not_pressed: tuple[str, ...]
    reason: str | None


def presses(entries: Sequence[Entry], span: Span) -> tuple[Press, ...]:
    """Return the presses in the span, also with what came of them after it."""
    resets = _resets(entries)
    return tuple(
        _press(each, resets.get(each.row.id))
        for each in entries
        if each.type == events.ALARM_RAISED and each.at in span
    )


def _press(each: Entry, reset: Reset | None) -> Press:
    row, count = each.row, each.data.get("presses", 1)
    return Press(
        id=row.id,
        at=each.at,
        sure=each.sure,
        button=row.subject.partition("/")[2],
        location=str(each.data.get("location") or ""),
        mode=row.mode,
        presses=count if isinstance(count, int) else 1,
        held_at_start=each.data.get("held_at_start") is True,
        waits=row.pending,
        received_s=row.received_s,
        acknowledged_s=row.acknowledged_s,
        acknowledged_by=row.acknowledged_by,
        reset=reset,
    )


def _resets(entries: Sequence[Entry]) -> dict[str, Reset]:
    found: dict[str, Reset] = {}
    for each in entries:
        if each.type == events.ALARM_RESET:
            said = Reset(each.at, str(each.data.get("by")), str(each.data.get("reason")))
            for alarm in texts_of(each.data.get("alarms")):
                found.setdefault(alarm, said)
    return found


def drills(entries: Sequence[Entry], span: Span) -> tuple[Drill, ...]:
    """Return the drills that were there in the span."""
    found: list[Drill] = []
    running: Entry | None = None
    for each in entries:
        if each.type == events.DRILL_STARTED:
            if running is not None:
                found.append(_drill(running, None))
            running = each
        elif each.type == events.DRILL_ENDED and running is not None:
            found.append(_drill(running, each))
            running = None
    if running is not None:
        found.append(_drill(running, None))
    return tuple(drill for drill in found if span.touches(drill.begin, drill.end or drill.begin))


def _drill(begun: Entry, ended: Entry | None) -> Drill:
    data = {} if ended is None else ended.data
    return Drill(
        begin=begun.at,
        end=None if ended is None else ended.at,
        buttons=texts_of(begun.data.get("buttons")),
        not_pressed=texts_of(data.get("not_pressed")),
        reason=str(data["reason"]) if "reason" in data else None,
    )


def texts_of(listed: Any) -> tuple[str, ...]:  # noqa: ANN401  # whatever stands in an event
    """Return the texts of a list; nothing where it is none."""
    return tuple(each for each in listed if isinstance(each, str)) if type(listed) is list else ()
