"""Recordings and places, as the video service answered when the report was made. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatehouse.config.model import Camera
from gatehouse.report.presses import texts_of
from gatehouse.report.span import Span


@dataclass(frozen=True, slots=True)
class Kept:
    """One camera's recordings against the duty; ``gaps`` are those that touch the span.

    ``short_s`` are seconds missing in gaps too short to be told one by one.
    """

    camera: str
    area: str
    required_days: float | None
    proven_days: float | None
    verdict: str
    gaps: tuple[Span, ...]
    short_s: float
    amiss: str | None

    @property
    def missing_s(self) -> float:
        """What is missing in the span, s."""
        return sum(gap.seconds for gap in self.gaps) + self.short_s


@dataclass(frozen=True, slots=True)
class Place:
    """A place that cameras are to cover; ``covered`` is None where it is not known."""

    name: str
    cameras: tuple[str, ...]
    covered: bool | None


def recordings(document: Mapping[str, Any], span: Span) -> tuple[Kept, ...]:
    """Read the answer to ``recordings``."""
    return tuple(_kept(row, span) for row in _rows(document.get("cameras")))


def _kept(row: Mapping[str, Any], span: Span) -> Kept:
    found = [gap for each in _rows(row.get("gaps")) if (gap := _gap(each)) is not None]
    amiss = row.get("amiss")
    return Kept(
        camera=str(row.get("name")),
        area=str(row.get("area")),
        required_days=_number(row.get("required_days")),
        proven_days=_number(row.get("proven_days")),
        verdict=str(row.get("verdict")),
        gaps=tuple(gap.within(span) for gap in found if span.touches(gap.begin, gap.end)),
        short_s=sum(_short_s(day, span) for day in _rows(row.get("short_gaps"))),
        amiss=amiss if isinstance(amiss, str) else None,
    )


def _gap(row: Mapping[str, Any]) -> Span | None:
    begin, end = moment(row.get("from")), moment(row.get("to"))
    return None if begin is None or end is None else Span(begin, end)


def _short_s(row: Mapping[str, Any], span: Span) -> float:
    at = moment(f"{row.get('day')}T12:00:00Z")
    return (_number(row.get("seconds")) or 0.0) if at is not None and at in span else 0.0


def places(cameras: Sequence[Camera], document: Mapping[str, Any] | None) -> tuple[Place, ...]:
    """Return every place of the configuration, and whether a camera sees it now."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for camera in cameras:
        for place in camera.covers:
            found[place].append(camera.name)
    listed = None if document is None else document.get("uncovered")
    uncovered = set(texts_of(listed)) if isinstance(listed, list) else None
    return tuple(
        Place(name, tuple(names), None if uncovered is None else name not in uncovered)
        for name, names in found.items()
    )


def moment(text: object) -> datetime | None:
    """Read an RFC 3339 time; None for what is none."""
    try:
        read = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None


def _number(value: Any) -> float | None:  # noqa: ANN401  # whatever stands in a document
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None


def _rows(listed: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401  # as above
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
