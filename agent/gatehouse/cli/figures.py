"""Times, lengths and sizes, short and for people. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from gatehouse.texts import _

UNKNOWN: Final = "?"
NONE: Final = "–"

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def moment(text: object) -> datetime | None:
    """Read an RFC 3339 time; None for what is none."""
    try:
        read = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return read.astimezone(UTC) if read is not None and read.tzinfo is not None else None


def length(seconds: float) -> str:
    """Say how long, by one unit: 45 s, 12 min, 3.5 h, 2.1 d."""
    for upto, unit, text in (
        (2 * _MINUTE, 1, _("{n} s")),
        (2 * _HOUR, _MINUTE, _("{n} min")),
        (2 * _DAY, _HOUR, _("{n} h")),
    ):
        if abs(seconds) < upto:
            return text.format(n=f"{seconds / unit:.0f}")
    return _("{n} d").format(n=f"{seconds / _DAY:.1f}")


def ago(text: object, now: datetime) -> str:
    """Say how long ago, or when, where our clock was set meanwhile and that lies ahead."""
    then = moment(text)
    if then is None:
        return NONE
    seconds = (now - then).total_seconds()
    if seconds < -1:
        return f"{then:%m-%d %H:%M:%S}"
    return _("{time} ago").format(time=length(max(0.0, seconds)))


def span(begin: object, end: object) -> str:
    """Say from when to when, without the day again where it is the same."""
    first, last = moment(begin), moment(end)
    if first is None or last is None:
        return UNKNOWN
    day = "" if first.date() == last.date() else f"{last:%m-%d} "
    return f"{first:%m-%d %H:%M}–{day}{last:%H:%M}"


def number(value: Any, form: str = ".0f") -> str:  # noqa: ANN401  # what stands in a document
    """Write a number of a document; a dash for none."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return format(value, form) if known else NONE


def listed(said: Iterable[str]) -> str:
    """Join what stands on one line."""
    return _(", ").join(said)


def down(value: float) -> str:
    """Write a number with one place, never more than it is: 89.99 of 90 days are not 90."""
    return f"{int(value * 10) / 10:.1f}"


def bar(part: float, whole: float, cells: int) -> str:
    """Draw how much of the whole there is; full only when it is all there."""
    share = 1.0 if whole <= 0 else min(1.0, max(0.0, part / whole))
    full = int(share * cells)
    return "█" * full + "░" * (cells - full)
