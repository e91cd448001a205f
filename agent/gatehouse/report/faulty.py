"""Faults: when each was opened and closed, and how long it stood. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gatehouse.faults import family_of
from gatehouse.report.log import Entry
from gatehouse.report.span import Span

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stood:
    """One fault, from its beginning to its end.

    ``begin`` is None where that is older than the log, ``end`` None while the fault stands.
    """

    subject: str
    fault: str
    begin: datetime | None
    end: datetime | None

    def seconds(self, now: datetime) -> float | None:
        """Return how long it stood, or stands; None where its beginning is not known."""
        if self.begin is None:
            return None
        return max(0.0, ((self.end or now) - self.begin).total_seconds())

    def within_a_day(self, now: datetime) -> bool | None:
        """Whether it was closed within 24 h; None where that cannot be said, or not yet."""
        if self.begin is None or (self.end is None and now - self.begin <= DAY):
            return None
        return self.end is not None and self.end - self.begin <= DAY


@dataclass(frozen=True, slots=True)
class Closed:
    """Of the faults opened in the span: how many were closed, and within 24 h."""

    opened: int
    closed: int
    in_time: int
    too_late: int

    @property
    def share(self) -> float | None:
        """The share closed within 24 h of those whose 24 h are over or that were closed."""
        decided = self.in_time + self.too_late
        return self.in_time / decided if decided else None


def faults(entries: Sequence[Entry], span: Span) -> tuple[Stood, ...]:
    """Return the faults that stood in the span, in the order in which they were opened."""
    open_: dict[tuple[str, str], datetime] = {}
    found: list[Stood] = []
    for each in entries:
        family, key = family_of(each.type), (each.row.subject, str(each.data.get("fault")))
        if family is None:
            continue
        if family[1]:
            open_.setdefault(key, each.at)
        else:
            begin = open_.pop(key, None)
            end = each.at if begin is None else max(begin, each.at)
            found.append(Stood(*key, begin, end))
    found += [Stood(*key, begin, None) for key, begin in open_.items()]
    there = [each for each in found if span.touches(each.begin or span.begin, each.end)]
    return tuple(sorted(there, key=lambda each: each.begin or span.begin))


def closed(stood: Sequence[Stood], span: Span, now: datetime) -> Closed:
    """Count those that were opened in the span."""
    opened = [each for each in stood if each.begin is not None and each.begin in span]
    judged = [each.within_a_day(now) for each in opened]
    return Closed(
        opened=len(opened),
        closed=sum(1 for each in opened if each.end is not None),
        in_time=judged.count(True),
        too_late=judged.count(False),
    )
