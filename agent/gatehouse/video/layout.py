"""When a recording began, by its file's path alone: our own layout and other recorders'. Pure.

Names of other recorders are taken as local time, unless they say otherwise (a Z, an offset, seconds
since 1970) or are Frigate's, which are UTC. An hour that the end of summer time gives twice is told
apart by the time at which the file was last written.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

MP4: Final = frozenset({"mp4", "m4v", "mov"})
EXTENSIONS: Final = MP4 | {
    *("mkv", "ts", "dav", "avi", "flv", "asf", "mpg", "mpeg", "ps"),
    *("h264", "h265", "264", "265", "hevc"),
}
DAY_MS: Final = 86_400_000

_FIRST_YEAR, _LAST_YEAR = 1990, 2199
_TIME: Final = r"([0-2]\d){0}([0-5]\d){0}([0-5]\d)"
_OWN: Final = re.compile(
    r"(?:.*/)?(\d{4})(\d\d)(\d\d)T([0-2]\d)([0-5]\d)([0-5]\d)Z\.mp4", re.ASCII | re.DOTALL
)
_OWN_FOLDER: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STAMP: Final = re.compile(
    r"(?<!\d)((?:19|20|21)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)[-_.T ]{0,2}"
    + _TIME.format("[-_.:]?")
    + r"(?:[.,]?(\d{3})(?!\d))?(?!\d)(Z|[+-][01]\d:?[0-5]\d(?!\d))?",
    re.ASCII,
)
_UNTIL: Final = re.compile(r"[-_~]" + _TIME.format("[-_.:]?") + r"(?!\d)", re.ASCII)
_SPAN: Final = re.compile(
    r"(?:[A-Za-z]\w*[-_])?"
    + _TIME.format("[-_.:]?")
    + r"(?:[-_~]"
    + _TIME.format("[-_.:]?")
    + r")?(?:[\[(].*)?",
    re.ASCII | re.DOTALL,
)
_DATE_FOLDER: Final = re.compile(
    r"(?:.*/)?((?:19|20|21)\d\d)[-_./]?([01]\d)[-_./]?([0-3]\d)(?:/.*)?", re.ASCII | re.DOTALL
)
_FRIGATE: Final = re.compile(
    r"(?:.*/)?(\d{4})-(\d\d)-(\d\d)/([0-2]\d)/([^/]+)/([0-5]\d)\.([0-5]\d)", re.ASCII | re.DOTALL
)
_EPOCH: Final = re.compile(
    r"(?:.*[-_])?([1-3]\d{9})(\d{3})?(?:\.\d{1,6})?(?:[-_][A-Za-z]\w*)?", re.ASCII | re.DOTALL
)
_LONGEST_NAMED_MS: Final = DAY_MS


class Named(NamedTuple):
    """What a name says: UTC, in ms since 1970; ``channel`` is the recorder's name of the camera."""

    start_ms: int
    end_ms: int | None = None
    channel: str | None = None


def own_path(start_ms: int) -> str:
    """Return where our own recorder puts the segment that begins at this second."""
    start = datetime.fromtimestamp(start_ms // 1000, UTC)
    return f"{start:%Y-%m-%d}/{start:%Y%m%dT%H%M%SZ}.mp4"


def is_own_folder(path: str) -> bool:
    """Whether our own recorder makes folders of this name."""
    return _OWN_FOLDER.fullmatch(path) is not None


def container(path: str) -> str:
    """Return a path's extension in small letters, without its dot."""
    return path.rpartition(".")[2].lower()


def named(path: str, zone: tzinfo, written_ms: int | None = None) -> Named | None:
    """Read a path below a camera's folder; None when it is no recording we know.

    ``zone`` is where the other recorder's clock is; ``written_ms`` the file's own time, which
    decides between the two meanings of an hour that summer time repeats.
    """
    if (own := _OWN.fullmatch(path)) is not None:
        start = _utc_ms(*map(int, own.groups()))
        return None if start is None else Named(start)
    stem, dot, extension = path.rpartition(".")
    if not dot or extension.lower() not in EXTENSIONS:
        return None
    name = stem.rpartition("/")[2]
    if not name or name.startswith("."):
        return None
    local = _Local(zone, written_ms)
    return _frigate(stem) or _stamped(name, local) or _in_date_folder(stem, local) or _epoch(name)


class _Local(NamedTuple):
    """Turns a local time into UTC."""

    zone: tzinfo
    written_ms: int | None

    def ms(self, parts: tuple[int, ...], zone: tzinfo | None = None) -> int | None:
        if not _FIRST_YEAR <= parts[0] <= _LAST_YEAR:
            return None
        try:
            year, month, day, hour, minute, seconds = parts
            first = datetime(year, month, day, hour, minute, seconds, tzinfo=zone or self.zone)
            second = first.replace(fold=1)
            times = [round(each.timestamp() * 1000) for each in (first, second)]
        except (ValueError, OverflowError):
            return None
        if times[1] <= times[0] or self.written_ms is None:  # not repeated, or skipped in spring
            return times[0]
        late = times[1] <= self.written_ms < times[1] + DAY_MS
        return times[1] if late else times[0]


@lru_cache(maxsize=1024)
def _midnight_ms(year: int, month: int, day: int) -> int | None:
    try:
        return round(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None


def _utc_ms(*parts: int) -> int | None:
    """Return the time of six numbers, from the year to the second; None for impossible ones."""
    year, month, day, hour, minute, second = parts
    midnight = _midnight_ms(year, month, day) if year >= 1970 and hour < 24 else None
    return None if midnight is None else midnight + ((hour * 60 + minute) * 60 + second) * 1000


def _frigate(stem: str) -> Named | None:
    """``2026-11-25/08/gate/15.10``: one folder an hour, in it one a camera; always UTC."""
    found = _FRIGATE.fullmatch(stem)
    if found is None:
        return None
    year, month, day, hour, channel, minute, second = found.groups()
    start = _utc_ms(*map(int, (year, month, day, hour, minute, second)))
    return None if start is None else Named(start, None, channel)


def _stamped(name: str, local: _Local) -> Named | None:
    """``ch01_20261125080000_20261125081500``, ``gate 2026-11-25 08-00-00``, ``…T080000Z``."""
    first = _STAMP.search(name)
    if first is None:
        return None
    zone = _zone(first[8])
    start = local.ms(tuple(map(int, first.groups()[:6])), zone)
    if start is None:
        return None
    start += int(first[7] or 0)
    if (second := _STAMP.search(name, first.end())) is not None:
        end = local.ms(tuple(map(int, second.groups()[:6])), _zone(second[8]) or zone)
        return Named(start, _end(start, end))
    if (until := _UNTIL.match(name, first.end())) is not None:
        date = tuple(map(int, first.groups()[:3]))
        return Named(start, _end(start, _on(date, until.groups(), local, start)))
    return Named(start)


def _in_date_folder(stem: str, local: _Local) -> Named | None:
    """``2026-11-25/001/dav/08/08.00.00-08.15.00[R]``, ``2026/11/25/080000``."""
    folder, _, name = stem.rpartition("/")
    time, date = _SPAN.fullmatch(name), _DATE_FOLDER.fullmatch(folder)
    if time is None or date is None:
        return None
    day = tuple(map(int, date.groups()))
    start = local.ms((*day, *map(int, time.groups()[:3])))
    if start is None:
        return None
    if time[4] is None:
        return Named(start)
    return Named(start, _end(start, _on(day, time.groups()[3:], local, start)))


def _epoch(name: str) -> Named | None:
    """``1795593600`` or ``gate-1795593600123``: seconds or milliseconds since 1970."""
    found = _EPOCH.fullmatch(name)
    return None if found is None else Named(int(found[1]) * 1000 + int(found[2] or 0))


def _on(
    date: tuple[int, ...], time: tuple[str | None, ...], local: _Local, start: int
) -> int | None:
    """Return that time of the day, or of the next one when it would lie before the start."""
    end = local.ms((*date, *(int(part or 0) for part in time)))
    return end + DAY_MS if end is not None and end < start else end


def _end(start: int, end: int | None) -> int | None:
    """Return an end that can be believed; a recording of more than a day is a name misread."""
    return end if end is not None and start <= end <= start + _LONGEST_NAMED_MS else None


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
