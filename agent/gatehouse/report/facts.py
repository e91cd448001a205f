"""All that the page says: from the events of the log to frozen facts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Literal

from gatehouse.config.model import Config
from gatehouse.events import Mode
from gatehouse.report import faulty, kept, presses, running, tried
from gatehouse.report.faulty import Closed, Stood
from gatehouse.report.kept import Kept, Place
from gatehouse.report.log import Row, entries
from gatehouse.report.presses import Drill, Press
from gatehouse.report.running import Correction, Uptime
from gatehouse.report.span import Span
from gatehouse.report.tried import Tried


@dataclass(frozen=True, slots=True)
class Sources:
    """What was asked: documents are None where nobody answered, and ``silence`` says why.

    ``unread`` counts rows of the log that are no events; ``runs_now``: the alarm service answered.
    """

    rows: Sequence[Row]
    unread: int
    runs_now: bool
    recordings: Mapping[str, Any] | None
    cameras: Mapping[str, Any] | None
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long something took, s: how often that is known, the median and the longest."""

    known: int
    median_s: float | None
    longest_s: float | None

    @classmethod
    def of(cls, seconds: Sequence[float | None]) -> "Lengths":
        """Sum up; what is not known does not count."""
        known = [each for each in seconds if each is not None]
        return cls(len(known), median(known), max(known)) if known else cls(0, None, None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the span. ``log_since`` is its oldest event, None for an empty log."""

    school: str
    gateway: str
    span: Span
    made: datetime
    source: Literal["service", "file"]
    log_since: datetime | None
    unread: int
    receipts: bool
    presses: tuple[Press, ...]
    drills: tuple[Drill, ...]
    faults: tuple[Stood, ...]
    closed: Closed
    clock: tuple[Correction, ...]
    uptime: Uptime
    tests: tuple[Tried, ...]
    recordings: tuple[Kept, ...] | None
    places: tuple[Place, ...]
    silence: str | None

    @property
    def real(self) -> tuple[Press, ...]:
        """The presses that were meant."""
        return tuple(each for each in self.presses if each.mode is Mode.REAL)

    @property
    def tried(self) -> tuple[Press, ...]:
        """The presses of tests and drills."""
        return tuple(each for each in self.presses if each.mode is not Mode.REAL)

    @property
    def begins_before_the_log(self) -> bool:
        """Whether there is a part of the span of which the log knows nothing."""
        return self.log_since is None or self.span.begin < self.log_since


def gather(conf: Config, span: Span, now: datetime, sources: Sources) -> Facts:
    """Find what happened in the span, up to now."""
    past = Span(span.begin, min(span.end, now))
    told = entries(sources.rows)
    stood = faulty.faults(told, past)
    found = sources.recordings
    return Facts(
        school=conf.gateway.school,
        gateway=conf.gateway.id,
        span=past,
        made=now,
        source="service" if sources.runs_now else "file",
        log_since=min((each.at for each in told), default=None),
        unread=sources.unread,
        receipts=conf.district.receipts,
        presses=presses.presses(told, past),
        drills=presses.drills(told, past),
        faults=stood,
        closed=faulty.closed(stood, past, now),
        clock=running.corrections(told, past),
        uptime=running.uptime(told, past, runs_now=sources.runs_now),
        tests=tried.tests(told, past),
        recordings=None if found is None else kept.recordings(found, past),
        places=kept.places(conf.cameras, sources.cameras),
        silence=sources.silence,
    )
