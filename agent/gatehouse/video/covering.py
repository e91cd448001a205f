"""Which recordings cover a time, and how long each of them really is.

It blocks, and may hang with a disk: it is called beside the loop.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gatehouse.video import layout
from gatehouse.video.index_reader import Reader
from gatehouse.video.segment import keyframes, measure

BACK_MS: Final = 600_000
"""Our own segments last a minute; one that began this long ago is over by far."""
_LONGEST_MS: Final = 2 * 3_600_000
"""Of another recorder's files."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording; times in UTC ms."""

    path: Path
    start_ms: int
    end_ms: int
    keys_ms: tuple[int, ...] = ()
    """When its keyframes come, from its beginning; of our own alone."""
    growing: bool = False
    """Whether it may still be written."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a recording of ours holds."""

    length_ms: int
    keys_ms: tuple[int, ...]
    written_ms: int
    """When it was last written (UTC)."""


def content(path: Path) -> Content | None:
    """Read how long a recording is; None for one that is gone or empty. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # clean-up was faster
        return None
    try:
        found = os.fstat(handle)
        size = found.st_size

        def read(at: int, count: int) -> bytes:
            return os.pread(handle, count, at)

        measured = measure(read, size)
        if measured is None:
            return None
        keys = tuple(keyframes(read, size))
    finally:
        os.close(handle)
    return Content(measured.length_ms, keys, found.st_mtime_ns // 1_000_000)


def own(folder: Path, begin_ms: int, end_ms: int) -> list[Recorded]:
    """Return what our own recorder has of a time, the oldest first. Raises OSError."""
    found = (_own(path, start) for path, start in _named(folder, begin_ms, end_ms))
    return [each for each in found if each is not None and each.end_ms > begin_ms]


def _named(folder: Path, begin_ms: int, end_ms: int) -> list[tuple[Path, int]]:
    begins = datetime.fromtimestamp((begin_ms - BACK_MS) / 1000, UTC)
    ends = datetime.fromtimestamp(end_ms / 1000, UTC)
    names: list[tuple[Path, int]] = []
    for day in range((ends.date() - begins.date()).days + 1):
        sub = folder / f"{begins + timedelta(days=day):%Y-%m-%d}"
        for path in sub.glob("*.mp4"):
            said = layout.named(f"{sub.name}/{path.name}", UTC)
            if said is not None and begin_ms - BACK_MS <= said.start_ms < end_ms:
                names.append((path, said.start_ms))
    return sorted(names, key=lambda each: (each[1], each[0].name))


def _own(path: Path, start_ms: int) -> Recorded | None:
    if (has := content(path)) is None:
        return None
    start_ms = _begin_ms(start_ms, has.written_ms - has.length_ms)
    return Recorded(path, start_ms, start_ms + has.length_ms, has.keys_ms)


def _begin_ms(named_ms: int, written_ms: int) -> int:
    """Return when a recording began: its name is cut to the second, its last writing is exact."""
    return written_ms if 0 <= written_ms - named_ms < 1000 else named_ms


def others(index: Path, camera: str, begin_ms: int, end_ms: int) -> list[Recorded]:
    """Return what another recorder has of a time, by our index. Raises OSError.

    The newest file is taken to grow until a newer one is there.
    """
    reader = Reader(index)
    try:
        if (known := reader.camera(camera)) is None:
            return []
        back_ms = min(max(known.longest_ms, known.usual_ms or 0, BACK_MS), _LONGEST_MS)
        found: list[Recorded] = []
        for each in reader.segments(known.id, begin_ms - back_ms, end_ms):
            after_ms = reader.start_after(known.id, each.start_ms)
            ends = [at for at in (each.end_ms, after_ms) if at is not None]
            path = Path(known.root) / reader.path_of(each)
            end = min(ends) if ends else end_ms
            found.append(Recorded(path, each.start_ms, end, growing=after_ms is None))
        return [each for each in found if each.end_ms > begin_ms]
    finally:
        reader.close()


def holes(found: Sequence[Recorded], begin_ms: int, end_ms: int) -> Iterable[tuple[int, int]]:
    """Yield what is missing of a time, in order."""
    at = begin_ms
    for each in found:
        if each.start_ms > at:
            yield at, min(each.start_ms, end_ms)
        at = max(at, each.end_ms)
    if at < end_ms:
        yield at, end_ms
