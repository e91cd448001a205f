"""The time that a report is about, and lengths within it. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment up to another, which is not in it."""

    begin: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.begin <= at < self.end

    @property
    def seconds(self) -> float:
        """Its length, s; 0 where it ends before it begins."""
        return max(0.0, (self.end - self.begin).total_seconds())

    def touches(self, begin: datetime, end: datetime | None) -> bool:
        """Whether something that lasted so long was there in this span; None: it still is."""
        return begin < self.end and (end is None or end >= self.begin)

    def within(self, other: "Span") -> "Span":
        """Return the part of this that is in the other."""
        return Span(max(self.begin, other.begin), min(self.end, other.end))
