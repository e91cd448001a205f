"""Times and sizes as the page shows them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatehouse.texts import _

UNKNOWN: Final = "?"
_MEGA: Final = 1_000_000
_KILO: Final = 1000


@dataclass(frozen=True, slots=True)
class Times:
    """Writes the times of a manifest by the school's own clock, which ``local`` turns them to."""

    local: Callable[[datetime], datetime]

    def whole(self, when: datetime) -> str:
        """Write a time to the second."""
        return f"{self.local(when):%Y-%m-%d %H:%M:%S}"

    def moment(self, text: object, *, zone: bool = False) -> str:
        """Write a time with its day, and perhaps its zone: UTC+08:00."""
        here = self._here(text)
        if here is None:
            return UNKNOWN
        said = f"{here:%Y-%m-%d} {self.clock(text)}"
        return f"{said} (UTC{_offset(here)})" if zone else said

    def clock(self, text: object) -> str:
        """Write the time of day to a tenth of a second."""
        here = self._here(text)
        if here is None:
            return UNKNOWN
        return f"{here:%H:%M:%S}.{here.microsecond // 100_000}"

    def _here(self, text: object) -> datetime | None:
        """Read a time; None for what is none, and for one before or after all calendars."""
        when = read(text)
        try:
            return None if when is None else self.local(when)
        except (ValueError, OverflowError, OSError):
            return None

    def span(self, begin: str, end: str) -> str:
        """Write from when to when."""
        return f"{self.moment(begin)} – {self.clock(end)}"


def after(pressed: object, begins: str) -> str:
    """Say how long before (−) or after (+) the press something begins, in seconds."""
    then, zero = read(begins), read(pressed)
    if then is None or zero is None:
        return UNKNOWN
    seconds = (then - zero).total_seconds()
    return f"{'−' if seconds < 0 else '+'}{abs(seconds):.1f} s"


def unset(clock: object) -> str:
    """Say that a clock was not set, behind what it told."""
    return "" if clock == "synced" else " · " + _("clock not set")


def size(count: int) -> str:
    """Write a size: 53 kB, 4.2 MB."""
    return f"{count / _MEGA:.1f} MB" if count >= _MEGA else f"{max(1, round(count / _KILO))} kB"


def read(text: object) -> datetime | None:
    """Read an RFC 3339 time; None for what is none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _offset(here: datetime) -> str:
    zone = f"{here:%z}"
    return f"{zone[:3]}:{zone[3:5]}"
