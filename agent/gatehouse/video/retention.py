"""How long recordings reach back without a break, and how long the disk will do. Pure; UTC in ms.

**Proven time** (contract section 5). Let ``T`` be a time before now and ``H(T)`` the time without a
recording within it, as the sum of all holes from now back to ``T``. The proof reaches back to the
furthest beginning of a recording for which

* no single hole up to there is over ``gap_seconds`` (also the one between the newest recording and
  now: a camera that stopped proves nothing), and
* ``H(T) <= T / 100``.

Within a recording ``H`` stands still while ``T`` grows, so the beginnings are the only places to
look at. The furthest one counts, not the first at which the share is too large: else one hole of
four minutes an hour ago would hide 90 good days. A hole of up to a second is none: names tell
beginnings to the second only.

**Forecast.** On each day to come every camera adds what it wrote in the last 24 hours, and clean-up
may take what has become older than its floor. The disk is short on the first day on which the two
and the free space above ``min_free_percent`` do not suffice; once the longest floor has passed,
what is added and what is freed balance, so the arithmetic ends there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

DAY_MS: Final = 86_400_000
SHARE: Final = 100
"""One part of so many may be missing, in holes that are each short enough."""

FORECAST_DAYS: Final = 7.0
"""A disk that will be short within so many days is told: the contract asks for at least 3."""
_RELAX: Final = 1.5
"""A forecast that stands ends only this much later, so that a noisy rate does not repeat it."""
_YOUNG: Final = 0.95
"""A young camera's whole duty is forecast, but for what the noise of its rate may hide."""

Verdict = Literal["ok", "short", "forecast", "unknown"]


class Span(NamedTuple):
    """A stretch of time: recorded without a hole, or missing."""

    from_ms: int
    to_ms: int

    @property
    def ms(self) -> int:
        """How long it is."""
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True)
class Proof:
    """What one camera's recordings prove; gaps and sums are those within the duty, oldest first."""

    proven_ms: int
    oldest_ms: int | None
    """The oldest recording from which on there is no break; None when nothing is proven."""
    gaps: tuple[Span, ...]
    gap_ms: int
    """The sum of the gaps."""
    short: tuple[tuple[int, int], ...]
    """Shorter holes summed by day (UTC): the day's beginning and the ms missing in it."""


def prove(newest_first: Iterable[Span], *, now_ms: int, gap_ms: int, duty_ms: int) -> Proof:
    """Walk back from now over stretches of recording, to the duty and as far as the proof holds."""
    edge, missing, oldest = now_ms, 0, None
    unbroken = True
    gaps: list[Span] = []
    short: dict[int, int] = {}
    for run in newest_first:
        if run.from_ms >= now_ms:  # a clock stood wrong: what is to come proves nothing
            continue
        hole = Span(min(run.to_ms, edge), edge)
        if hole.ms > gap_ms:
            unbroken = False
        if hole.ms:
            _note(hole, now_ms - duty_ms, gap_ms, gaps, short)
        missing += hole.ms
        edge = min(edge, run.from_ms)
        if unbroken and missing * SHARE <= now_ms - edge:
            oldest = edge
        if edge <= now_ms - duty_ms and not unbroken:
            break  # older recordings change nothing any more
    gaps.reverse()
    return Proof(
        proven_ms=0 if oldest is None else now_ms - oldest,
        oldest_ms=oldest,
        gaps=tuple(gaps),
        gap_ms=sum(gap.ms for gap in gaps),
        short=tuple(sorted(short.items())),
    )


def _note(hole: Span, since_ms: int, gap_ms: int, gaps: list[Span], short: dict[int, int]) -> None:
    """List a gap, or add a shorter hole to its days, as far as it lies within the duty."""
    if hole.to_ms <= since_ms:
        return
    if hole.ms > gap_ms:
        gaps.append(hole)
        return
    at = hole.from_ms
    while at < hole.to_ms:
        day = at - at % DAY_MS
        until = min(hole.to_ms, day + DAY_MS)
        short[day] = short.get(day, 0) + until - at
        at = until


@dataclass(frozen=True, slots=True)
class Stock:
    """What one camera has on a disk: bytes by the day (UTC) on which they were recorded."""

    floor_ms: int
    by_day: Sequence[tuple[int, int]]
    """A day's beginning and its bytes, the oldest first."""
    rate: int
    """Bytes a day, as today."""
    ours: bool = True
    """False: another recorder writes and deletes there."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The room on one file system."""

    total: int
    free: int
    min_free_percent: float

    @property
    def wanted(self) -> int:
        """How much shall be free."""
        return round(self.total * self.min_free_percent / 100)


def days_until_short(stocks: Sequence[Stock], disk: Disk, now_ms: int) -> float | None:
    """Return when clean-up would have to go under a floor; None when it never has to.

    A disk on which only other recorders write is expected to run full: they delete when it is.
    """
    spare = disk.free - (disk.wanted if any(stock.ours for stock in stocks) else 0)
    rate = sum(stock.rate for stock in stocks)
    horizon = max((stock.floor_ms // DAY_MS for stock in stocks), default=0) + 1
    before = 0
    for day in range(horizon + 1):
        freed = sum(_freed(stock, day, now_ms) for stock in stocks)
        balance = spare + freed - rate * day
        if balance < 0:
            return 0.0 if day == 0 else day - 1 + before / (before - balance)
        before = balance
    return None


def _freed(stock: Stock, days: int, now_ms: int) -> int:
    """Return how many bytes of a camera will be past its floor in so many days."""
    past = now_ms + days * DAY_MS - stock.floor_ms
    freed = sum(size for day, size in stock.by_day if day + DAY_MS <= past)
    to_come = days - stock.floor_ms / DAY_MS  # recorded from now on, and past the floor by then
    return freed + round(stock.rate * to_come) if to_come > 0 else freed


def verdict(
    proof: Proof,
    *,
    duty_ms: int,
    age_ms: int | None,
    days_left: float | None,
    standing: bool = False,
) -> Verdict:
    """Judge a camera.

    ``age_ms`` is how long ago its first known recording began, whether it is still there or not. A
    camera younger than its duty cannot prove it: it is neither short nor ok but ``unknown``, unless
    the disk will be short before it could prove it, which is a ``forecast`` from the first day on.
    ``standing`` tells that the verdict was a forecast before.
    """
    if age_ms is None:
        return "unknown"
    young = age_ms < duty_ms
    if proof.proven_ms < duty_ms and not young:
        return "short"
    if days_left is not None:
        reach = FORECAST_DAYS
        if young:
            reach = max(reach, (duty_ms - age_ms) / DAY_MS * _YOUNG)
        if days_left <= (reach * _RELAX if standing else reach):
            return "forecast"
    return "unknown" if young else "ok"
