"""Times, lengths and shares as the page shows them. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gatehouse.report.span import Span
from gatehouse.texts import _

NONE: Final = "–"

Local = Callable[[datetime], datetime]
"""Turns a time into the school's own."""

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def length(seconds: float | None) -> str:
    """Say how long, by one unit: 312 ms, 4.5 s, 12 min, 3.5 h, 2.1 d; a dash for None."""
    if seconds is None:
        return NONE
    if seconds < 1:
        return _("{n} ms").format(n=f"{seconds * 1000:.0f}")
    for upto, unit, text, places in (
        (10, 1, _("{n} s"), 1),
        (2 * _MINUTE, 1, _("{n} s"), 0),
        (2 * _HOUR, _MINUTE, _("{n} min"), 0),
        (2 * _DAY, _HOUR, _("{n} h"), 1),
    ):
        if seconds < upto:
            return text.format(n=f"{seconds / unit:.{places}f}")
    return _("{n} d").format(n=f"{seconds / _DAY:.1f}")


def share(part: float | None) -> str:
    """Write a share in percent, never more than it is: what is not all is not 100 %."""
    if part is None:
        return NONE
    hundredths = int(max(0.0, part) * 10_000 + 1e-9)
    shown = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
    return f"{shown} %"


def at(when: datetime | None, local: Local) -> str:
    """Write a time, by the school's clock."""
    return NONE if when is None else f"{local(when):%Y-%m-%d %H:%M:%S}"


def minute(when: datetime | None, local: Local) -> str:
    """Write a time to the minute."""
    return NONE if when is None else f"{local(when):%Y-%m-%d %H:%M}"


def zone(when: datetime, local: Local) -> str:
    """Name the zone of the times on the page: UTC+08:00."""
    offset = local(when).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def days(span: Span, local: Local) -> str:
    """Write a span: whole days by their dates alone."""
    begin, end = local(span.begin), local(span.end)
    if begin.time() == end.time() == datetime.min.time():
        last = end - timedelta(days=1)
        return f"{begin:%Y-%m-%d} – {last:%Y-%m-%d}"
    return f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}"
