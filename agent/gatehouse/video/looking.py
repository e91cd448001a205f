"""What one segment's file tells of its end, by its packets or by its time."""

import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Final

from gatehouse.video import layout, segment
from gatehouse.video.index_schema import Flag

_STEP_MS: Final = 30_000
"""Between a segment's end and the file's own time; more tells of a stepped clock, or a copy."""
_LONGEST_BY_TIME_MS: Final = 3 * 3_600_000


@dataclass(frozen=True, slots=True)
class Look:
    """What a segment's file tells: its end (None: it does not), and when it was written last."""

    end_ms: int | None
    size: int
    flags: Flag
    written_ms: int


def is_there(root: Path) -> bool:
    """Whether a camera's folder answers as one; a disk that answers with errors is away."""
    try:
        return root.is_dir()
    except OSError:  # a stale handle, an unreadable parent: what `is_dir` does not swallow
        return False


def look_at(root: Path, path: str, start_ms: int) -> Look | None:
    """Read a segment's file; None when it is gone. A file that cannot be read is damaged."""
    try:
        fd = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        return Look(start_ms, 0, Flag.DAMAGED, start_ms)
    try:
        status = os.fstat(fd)
        written = status.st_mtime_ns // 1_000_000
        if not S_ISREG(status.st_mode):
            return None
        if not status.st_size:
            return Look(start_ms, 0, Flag.EMPTY, written)
        own = status.st_nlink == 1  # the time of a file with several names is of none of them
        end, flags = _end(fd, status.st_size, path, start_ms, written if own else -1)
        if end is None or (own and abs(written - end) > _STEP_MS):
            flags |= Flag.TIME
        return Look(end, status.st_size, flags, written)
    except OSError:
        return Look(start_ms, 0, Flag.DAMAGED, start_ms)
    finally:
        os.close(fd)


def _end(fd: int, size: int, path: str, start_ms: int, written: int) -> tuple[int | None, Flag]:
    if layout.container(path) not in layout.MP4:
        return end_by_time(start_ms, written), Flag(0)
    found = segment.measure(lambda at, count: os.pread(fd, count, at), size)
    if found is None:
        return start_ms, Flag.DAMAGED
    return start_ms + found.length_ms, Flag.CUT if found.cut else Flag(0)


def end_by_time(start_ms: int, written_ms: int) -> int | None:
    """Return the end of a recording by its file's own time, where that can be."""
    return written_ms if start_ms <= written_ms <= start_ms + _LONGEST_BY_TIME_MS else None
