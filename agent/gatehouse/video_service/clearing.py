"""Clean-up of one disk after the other: room is made, losses are counted, refusals are noted.

The order of each, on which the count of losses rests: what must go before its time is written into
the journal (`deletions`), then clean-up deletes it, then the index says what really went.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from gatehouse.config import Camera, Retention
from gatehouse.video.cleanup import carry_out, keeping
from gatehouse.video.index import Index
from gatehouse.video.plan import Keeping, Plan, by_camera, plan
from gatehouse.video.retention import DAY_MS, Disk, Span
from gatehouse.video_service.deletions import Deletions, Part
from gatehouse.video_service.recordings_rows import CleanUp, duty_of

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
MOST: Final = 1000
"""Recordings that go from one disk at once: a minute's work for a slow one, and far more than a
minute brings."""
UNDER_S: Final = 600.0
"""So often goes what is under its floor, while half of the room that shall be free still is: each
time is an event of each camera, and a school with a small disk would tell nothing else."""
_CALM_S: Final = 600.0
"""So long stands what was found: a disk at its edge is full in one minute and not in the next."""
_FRESH_MS: Final = 600_000
"""So long nothing goes: a press that is not heard yet may make evidence of it."""

Held = Callable[[str], Sequence[Span]]
"""What must stay of a camera's recordings."""


def nothing_held(_camera: str) -> Sequence[Span]:
    """Hold nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Shared:
    """One disk and the cameras whose recordings lie on it."""

    path: Path
    room: Disk
    cameras: tuple[Camera, ...]
    ready: bool
    """Whether all of them were looked at since the start."""

    @property
    def ours(self) -> bool:
        """Whether it is ours to clean; where only others record, they run it full themselves."""
        return any(camera.record for camera in self.cameras)


@dataclass(frozen=True, slots=True)
class Moment:
    """What one turn of clean-up goes by; ``at_s`` is monotonic."""

    index: Index
    retention: Retention
    now_ms: int
    at_s: float


@dataclass(slots=True)
class _Found:
    """What the clean-ups of one disk came to; each finding stands for a while."""

    due_s: float
    under_s: float = float("-inf")
    """When recordings went before their time."""
    _last: dict[str, tuple[Any, float]] = field(default_factory=dict)

    def note(self, what: str, value: object, at_s: float) -> None:
        if value:
            self._last[what] = (value, at_s)

    def still(self, what: str, at_s: float, well: Any) -> Any:  # noqa: ANN401  # one of three
        value, when = self._last.get(what, (well, at_s))
        return value if at_s - when < _CALM_S else well


class Clearing:
    """Makes room, at most once a minute on each disk. One thread at a time uses it."""

    def __init__(self, deletions: Deletions, *, zone: tzinfo, held: Held) -> None:
        self._deletions = deletions
        self._zone = zone
        self._held = held
        self._found: dict[Path, _Found] = {}

    def turn(self, disk: Shared, now: Moment) -> CleanUp | None:
        """Clean up a disk if that is due; returns what stands there, None before its first time.

        Raises RecordingsError when the index fails.
        """
        if not disk.ready:
            return None
        found = self._found.setdefault(disk.path, _Found(now.at_s))
        if disk.ours and now.at_s >= found.due_s:
            found.due_s = now.at_s + EVERY_S
            self._clean(disk, found, now)
        return CleanUp(
            str(disk.path),
            refused=found.still("refused", now.at_s, ()),
            lacking=found.still("lacking", now.at_s, 0),
            amiss=found.still("amiss", now.at_s, None),
            cameras=tuple(camera.name for camera in disk.cameras),
        )

    def count(self, index: Index, agrees: Callable[[str], bool]) -> None:
        """Count what went of what was intended, for cameras whose index agrees with the disk."""
        for name in self._deletions.intended():
            camera = index.camera(name)
            if not agrees(name) or (camera is not None and index.intents(camera.id)):
                continue
            there = _Rows(index, None if camera is None else camera.id)
            self._deletions.count(name, there.lack)
        try:
            self._deletions.write()
        except OSError as exc:  # if we are killed first, the index is asked again
            log.warning("what clean-up took is not written down yet: %s", exc)

    def _clean(self, disk: Shared, found: _Found, now: Moment) -> None:
        made = self._plan(disk, found, now)
        found.note("refused", made.refused, now.at_s)
        found.note("lacking", made.lacking, now.at_s)
        if not made.deletions:
            return
        if made.losses:
            found.under_s = now.at_s
        done = carry_out(now.index, made, zone=self._zone, now_ms=now.now_ms)
        found.note("amiss", done.amiss, now.at_s)
        log.info("clean-up of %s: %d recordings, %d bytes", disk.path, done.segments, done.bytes)
        if done.amiss is not None:
            found.under_s = float("-inf")  # perhaps nothing went: try again
            log.warning("%s", done.amiss)
        self.count(now.index, {loss.camera for loss in made.losses}.__contains__)

    def _plan(self, disk: Shared, found: _Found, now: Moment) -> Plan:
        """Plan; what goes under its floor is in the journal first, else it does not go."""
        kept = list(self._keepings(disk, now))
        gap_ms = round(now.retention.gap_seconds * 1000)
        careful = plan(kept, disk.room, now_ms=now.now_ms, gap_ms=gap_ms, on_full="stop", most=MOST)
        uncounted = self._deletions.intended() & {camera.name for camera in disk.cameras}
        if now.retention.on_full == "stop" or uncounted or not careful.shortfall:
            return careful
        if now.at_s < found.under_s + UNDER_S and disk.room.free * 2 > disk.room.wanted:
            return replace(careful, lacking=0)  # there is room until it is time
        made = plan(kept, disk.room, now_ms=now.now_ms, gap_ms=gap_ms, on_full="oldest", most=MOST)
        under = by_camera(each for each in made.deletions if each.reason == "under-floor")
        try:
            self._deletions.intend(under, now.now_ms)
        except OSError as exc:
            log.warning("nothing goes before its time while that cannot be written down: %s", exc)
            return careful
        return made

    def _keepings(self, disk: Shared, now: Moment) -> Iterator[Keeping]:
        for camera in disk.cameras:
            known = now.index.camera(camera.name)
            if known is not None:
                yield keeping(
                    now.index,
                    known,
                    area=camera.area,
                    floor_ms=duty_of(camera, now.retention, "").days * DAY_MS,
                    now_ms=now.now_ms,
                    held=(*self._held(camera.name), Span(now.now_ms - _FRESH_MS, now.now_ms)),
                    ours=camera.record,
                )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Asks the index for recordings that were to go; of a camera it does not know all are gone."""

    index: Index
    camera: int | None

    def lack(self, part: Part) -> bool:
        if self.camera is None:
            return True
        rows = list(self.index.segments(self.camera, part.start_ms, part.start_ms))
        return all(row.name != part.name for row in rows)
