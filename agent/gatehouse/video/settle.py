"""Bringing the index in order after recordings came or went: their ends, the stretches, the days.

A segment's end is measured in its file for the newest, for one before a gap, for one much smaller
than its neighbours, and for every one that comes while we watch. Any other in a first scan is taken
to last until the next begins, until `check` has come to it; measuring two million files first would
keep the answer waiting for hours.

The work grows with what changed, not with what is there: `settle` looks at the dirty range of a
camera, as far around it as its longest segment reaches, and puts the stretches it finds in the
place of the old ones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from typing import Final

from gatehouse.video.index import Index
from gatehouse.video.index_schema import Camera, Flag, Segment
from gatehouse.video.looking import Look, end_by_time, is_there, look_at
from gatehouse.video.retention import Span

JOIN_MS: Final = 1000
"""A hole of up to a second is none: names tell beginnings cut to the second."""
MEASURES: Final = 2000
"""Files that one settling reads at most; what is left has its time with `check`."""

_WATCHED: Final = 50
"""So few new segments at once came while we watched: each is measured."""
_CLOSING_MS: Final = 60_000
_FOREVER: Final = 1 << 60


def merge(spans: Iterable[Span]) -> Iterator[Span]:
    """Join stretches, given in order of their beginnings, that have no hole between them."""
    now: Span | None = None
    for span in spans:
        if span.to_ms <= span.from_ms:
            continue
        if now is not None and span.from_ms <= now.to_ms + JOIN_MS:
            now = Span(now.from_ms, max(now.to_ms, span.to_ms))
            continue
        if now is not None:
            yield now
        now = span
    if now is not None:
        yield now


def settle(index: Index, name: str, now_ms: int) -> bool:
    """Bring a camera's rows in order; False when nothing had changed. Raises RecordingsError."""
    with index.change():
        camera = index.camera(name)
        if camera is None:
            return False
        root = Path(camera.root)
        if not is_there(root):
            return False  # the disk is away: what is known of it stays
        _look_at_open(index, camera, root, now_ms)
        camera = index.camera(name)
        if camera is None or camera.dirty_from is None or camera.dirty_to is None:
            return False
        _Settling(index, camera, root, now_ms).run(Span(camera.dirty_from, camera.dirty_to))
        return True


def _look_at_open(index: Index, camera: Camera, root: Path, now_ms: int) -> None:
    """Measure again what is being written, and for the last time what no longer is."""
    newest = index.back_from(camera.id, now_ms + 1, 1)
    for old in dict.fromkeys([*index.open_segments(camera.id), *newest]):
        path = index.path_of(old)
        if old in newest and old.end_ms is not None and _size(root / path) == old.size:
            if not old.flags & Flag.OPEN:
                index.measured(camera.id, old._replace(flags=old.flags | Flag.OPEN))
            continue
        look = look_at(root, path, old.start_ms)
        if look is None:
            index.remove(camera.id, [old.key])
            continue
        being_closed = look.flags & Flag.DAMAGED and abs(now_ms - look.written_ms) < _CLOSING_MS
        if old in newest or being_closed:
            look = _unfinished(look, old.start_ms)
        index.measured(camera.id, _measured(old, look))
        if look.end_ms != old.end_ms or look.size != old.size:
            ends = (old.start_ms, look.end_ms or 0, old.end_ms or 0)
            index.touch(camera.id, old.start_ms, max(ends))


def _unfinished(look: Look, start_ms: int) -> Look:
    """Take the file's own time for the end of a recording whose head is written last."""
    end = look.end_ms
    if look.flags & Flag.DAMAGED and look.size:
        end = end_by_time(start_ms, look.written_ms) or start_ms
    return replace(look, end_ms=end, flags=(look.flags | Flag.OPEN) & ~(Flag.DAMAGED | Flag.TIME))


def _measured(old: Segment, look: Look) -> Segment:
    return old._replace(end_ms=look.end_ms, size=look.size, flags=int(look.flags))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return -1


class _Settling:
    """One settling of one camera."""

    def __init__(self, index: Index, camera: Camera, root: Path, now_ms: int) -> None:
        self._index = index
        self._camera = camera
        self._root = root
        self._now_ms = now_ms
        self._usual = camera.usual_ms or 0
        self._longest = camera.longest_ms
        self._measures = MEASURES
        self._found: list[Segment] = []
        self._gone: list[Segment] = []
        self._reach = 0

    def run(self, dirty: Span) -> None:
        index, camera = self._index, self._camera
        before = index.back_from(camera.id, dirty.from_ms, 1)
        changed = Span(before[0].start_ms if before else dirty.from_ms, dirty.to_ms)
        few = self._few(changed)
        if not few or not self._usual:
            self._usual = self._sample()
        self._reach = changed.to_ms
        anchor = index.back_from(camera.id, changed.from_ms - camera.longest_ms, 1)
        first = anchor[0].start_ms - camera.longest_ms if anchor else -1
        prefix = index.run_over(camera.id, anchor[0].start_ms) if anchor else None
        if prefix is not None and anchor:
            prefix = Span(prefix.from_ms, min(prefix.to_ms, anchor[0].start_ms))
        begins = prefix.from_ms if prefix is not None else -1
        tail: list[Span] = []
        spans = self._spans(max(first, begins), few, tail)
        runs = list(merge(_chain(prefix, spans, tail)))
        index.replace_runs(camera.id, Span(begins, tail[0].to_ms if tail else _FOREVER), runs)
        self._write()
        index.recount(camera.id, dirty)
        index.note(
            camera.id,
            usual_ms=self._usual,
            longest_ms=self._longest,
            dirty_from=None,
            dirty_to=None,
        )
        for segment_ in self._gone:
            index.remove(camera.id, [segment_.key])

    def _few(self, changed: Span) -> bool:
        rows = self._index.segments(self._camera.id, changed.from_ms, changed.to_ms)
        return all(count < _WATCHED for count, _row in enumerate(rows))

    def _spans(self, first_ms: int, few: bool, tail: list[Span]) -> Iterator[Span]:
        """Yield what each segment covers, until the old stretches are right again."""
        rows = self._index.segments(self._camera.id, first_ms)
        last, row = None, next(rows, None)
        while row is not None:
            if row.start_ms > self._reach + self._longest:
                old = self._index.run_over(self._camera.id, row.start_ms)
                if old is not None and old.to_ms >= row.start_ms:
                    tail.append(Span(row.start_ms, old.to_ms))
                    return
            later = next(rows, None)
            end = row.end_ms
            if end is None:
                end = self._find_end(last, row, later, few)
            self._longest = max(self._longest, end - row.start_ms)
            yield Span(row.start_ms, end)
            last, row = row, later

    def _find_end(
        self, last: Segment | None, row: Segment, later: Segment | None, few: bool
    ) -> int:
        near = later is not None and later.start_ms - row.start_ms <= self._usual * 1.1 + JOIN_MS
        sizes = [other.size for other in (last, later) if other is not None]
        odd = row.size * 2 < max(sizes, default=0)
        until = _FOREVER if later is None else later.start_ms
        if near and not odd and not few:
            return until
        if self._measures > 0:
            self._measures -= 1
            look = look_at(self._root, self._index.path_of(row), row.start_ms)
            if look is None:
                self._gone.append(row)
                return row.start_ms
            if look.end_ms is None:
                look = replace(look, end_ms=min(until, row.start_ms + self._usual))
            self._found.append(_measured(row, look))
            self._reach = max(self._reach, look.end_ms or 0)
            return look.end_ms or row.start_ms
        return min(until, row.start_ms + self._usual)

    def _write(self) -> None:
        for segment_ in self._found:
            self._index.measured(self._camera.id, segment_)

    def _sample(self) -> int:
        """Return how long this camera's segments usually are, by a few from all over."""
        index, camera = self._index, self._camera
        latest = index.back_from(camera.id, self._now_ms, 6)
        if not latest:
            return self._usual
        first = index.start_after(camera.id, -1) or 0
        wide = latest[-1].start_ms - first
        spread = [index.start_after(camera.id, first + wide * part // 5 - 1) for part in range(5)]
        chosen = {
            row.key: row
            for start in spread
            if start is not None
            for row in index.segments(camera.id, start, start)
        }
        lengths, spaces = [], []
        for row in [*latest[1:], *chosen.values()][:16]:
            look = None
            if row.end_ms is None:
                look = look_at(self._root, index.path_of(row), row.start_ms)
            end = row.end_ms if look is None else look.end_ms
            if end is not None and end > row.start_ms:
                lengths.append(end - row.start_ms)
            later = index.start_after(camera.id, row.start_ms)
            spaces += [] if later is None else [later - row.start_ms]
        return median_low(lengths or spaces or [self._usual])


def _chain(prefix: Span | None, spans: Iterable[Span], tail: list[Span]) -> Iterator[Span]:
    """Yield the untouched stretch before, what was looked at, and the untouched one behind."""
    if prefix is not None:
        yield prefix
    yield from spans
    yield from tail


def check(index: Index, name: str, before_ms: int, most: int) -> int | None:
    """Measure some of the segments whose end is only taken for granted, the newest first.

    Returns where to go on; None when the oldest was reached. What proves wrong is settled by the
    next `settle`. Raises RecordingsError.
    """
    camera = index.camera(name)
    if camera is None or not is_there(Path(camera.root)):
        return None
    rows = index.back_from(camera.id, before_ms, most)
    until = index.start_after(camera.id, before_ms - 1) or before_ms
    with index.change():
        for row in rows:
            if row.end_ms is None:
                _check_one(index, camera, row, until)
            until = row.start_ms
    return rows[-1].start_ms if len(rows) == most else None


def _check_one(index: Index, camera: Camera, row: Segment, until_ms: int) -> None:
    look = look_at(Path(camera.root), index.path_of(row), row.start_ms)
    if look is None:
        index.remove(camera.id, [row.key])
        return
    if look.end_ms is None:
        usual = camera.usual_ms or 0
        look = replace(look, end_ms=min(until_ms, row.start_ms + usual))
    index.measured(camera.id, _measured(row, look))
    if look.end_ms is None or not 0 <= look.end_ms - until_ms + JOIN_MS <= 2 * JOIN_MS:
        index.touch(camera.id, row.start_ms, max(until_ms, look.end_ms or 0))
