"""When the alarm service ran, as far as its own log can tell; the corrections of its clock. Pure.

A service that was killed, or lost its power, says no farewell. It was gone at some moment between
its last event and its next start, so the time it did not run has a least and a most. A new boot
tells more: for as long as the machine was up before the start, the service was not running.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from gatehouse import events
from gatehouse.report.log import Entry
from gatehouse.report.span import Span


@dataclass(frozen=True, slots=True)
class Start:
    """One start, and for how long the service was not running before it, s; None: not known."""

    at: datetime
    reason: str
    down_least_s: float | None
    down_most_s: float | None


@dataclass(frozen=True, slots=True)
class Uptime:
    """How long it did not run in the span, at least and at most; ``span`` is what is known of."""

    span: Span
    starts: tuple[Start, ...]
    down_least_s: float
    down_most_s: float

    @property
    def up_most(self) -> float | None:
        """The greatest share of the time in which it may have run."""
        return 1 - self.down_least_s / self.span.seconds if self.span.seconds else None

    @property
    def up_least(self) -> float | None:
        """The share of the time in which it ran for certain."""
        return 1 - self.down_most_s / self.span.seconds if self.span.seconds else None


@dataclass(frozen=True, slots=True)
class Correction:
    """The clock was set or stepped; s to add to what it had shown."""

    at: datetime
    offset_s: float


@dataclass(frozen=True, slots=True)
class _Run:
    """One start of the service, as its events show it."""

    first: Entry
    last: Entry
    stopped: bool


def uptime(entries: Sequence[Entry], span: Span, *, runs_now: bool) -> Uptime:
    """Return when it ran; ``runs_now``: it was asked, and answered, at the end of the span."""
    runs = [
        _run(list(group)) for _, group in groupby(entries, lambda e: (e.row.store, e.row.start))
    ]
    if not runs:
        return Uptime(Span(span.end, span.end), (), 0.0, 0.0)
    known = Span(runs[0].first.at, span.end).within(span)
    starts = [_start(before, run) for before, run in zip([None, *runs], runs, strict=False)]
    least, most = 0.0, 0.0
    for before, run in pairwise(runs):
        gap, sure = _down(before, run)
        least += sure.within(known).seconds
        most += gap.within(known).seconds
    if not runs_now:
        since = Span(runs[-1].last.at, max(span.end, runs[-1].last.at)).within(known)
        most += since.seconds
        least += since.seconds if runs[-1].stopped else 0.0
    shown = tuple(each for each in starts if each.at in span)
    return Uptime(known, shown, least, most)


def _run(told: list[Entry]) -> _Run:
    started = next((each for each in told if each.type == events.GATEWAY_STARTED), told[0])
    stops = [each for each in told if each.type == events.GATEWAY_STOPPED]
    return _Run(started, stops[-1] if stops else told[-1], bool(stops))


def _down(before: _Run, run: _Run) -> tuple[Span, Span]:
    """Return the time in which it may not have run, and the part in which it surely did not."""
    gap = Span(before.last.at, max(run.first.at, before.last.at))
    if before.stopped:
        return gap, gap
    if before.last.row.bootid == run.first.row.bootid:
        return gap, Span(gap.end, gap.end)
    booted = gap.end - timedelta(seconds=run.first.monotonic_s)
    return gap, Span(max(gap.begin, booted), gap.end)


def _start(before: _Run | None, run: _Run) -> Start:
    reason = str(run.first.data.get("reason") or "")
    if before is None:
        return Start(run.first.at, reason, None, None)
    gap, sure = _down(before, run)
    return Start(run.first.at, reason, sure.seconds, gap.seconds)


def corrections(entries: Sequence[Entry], span: Span) -> tuple[Correction, ...]:
    """Return how the clock was set in the span."""
    return tuple(
        Correction(each.at, float(offset))
        for each in entries
        if each.type == events.CLOCK_CORRECTED and each.at in span
        if isinstance(offset := each.data.get("offset_s"), int | float)
    )
