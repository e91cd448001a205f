"""The recordings around an alarm: cut from our own, taken over from another recorder.

One clip is made at a time, so that many alarms at once take longer and not more of the machine.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from gatehouse.clock import Clock
from gatehouse.config import Camera
from gatehouse.events import rfc3339
from gatehouse.evidence import bundle, plan
from gatehouse.evidence.manifest import CLIP, Held, Item, Lacking
from gatehouse.evidence.room import CLIP_BYTES
from gatehouse.video import covering, cutter
from gatehouse.video.covering import Recorded
from gatehouse.video.cut import plan as cut_plan
from gatehouse.video.segment import measure
from gatehouse.video_service import taking
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.binder import is_full

_MS: Final = 1_000_000
_HOLE_MS: Final = 2500
"""Names are cut to the second, and a segment ends with its last frame: less is no hole."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds."""

    after_s: float = 3.0
    """From the end of what is wanted to the first look: a fragment comes with the next keyframe."""
    again_s: float = 5.0
    patience_s: float = 45.0
    """So long is waited for our recorder to write the end: some cameras send a keyframe in 20 s."""
    other_s: float = 1200.0
    """So long for another recorder to finish its file, which may last a quarter of an hour."""
    copy_s: float = 120.0
    """So long a copy of another recorder's file may take: a gigabyte to a usual card."""
    hang_s: float = 600.0
    """Cutting, copying and hashing beside the loop; then the disk hangs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One camera's clip of one bundle; times in UTC ms."""

    camera: Camera
    folder: Path
    """The bundle's."""
    begin_ms: int
    end_ms: int
    source: str = "recorder"


@dataclass(frozen=True, slots=True)
class Got:
    """What came of it."""

    items: tuple[Item, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    held: tuple[Held, ...] = ()


HasRoom = Callable[[int], Awaitable[bool]]
"""Whether there is room for so many bytes more, made if need be. Raises OSError."""


class Clips:
    """Makes clips, one at a time."""

    def __init__(
        self, clock: Clock, index: Path, has_room: HasRoom, pace: Pace | None = None
    ) -> None:
        """Prepare it; ``index`` is that of all recordings."""
        self._has_room = has_room
        self.pace = pace or Pace()
        self._clock = clock
        self._index = index
        self._beside = Beside("clips", self.pace.hang_s)
        self._turn = asyncio.Lock()

    async def own(self, wanted: Wanted, recorded: Sequence[Recorded] | None = None) -> Got:
        """Cut a clip out of our own recordings; ``recorded`` instead of what is in the folder.

        Raises OSError: NoRoomError and ENOSPC where the disk is full.
        """
        found = recorded if recorded is not None else await self._complete(wanted)
        if not found:
            return Got(lacking=(_nothing(wanted),))
        what = cut_plan(found, wanted.begin_ms, wanted.end_ms)
        name = plan.clip_file(wanted.camera.name)
        fresh = wanted.folder / f"{name}{bundle.FRESH}"
        async with self._turn:
            if not await self._has_room(CLIP_BYTES):
                return _no_room(wanted, () if recorded else found)
            try:
                await cutter.cut(what, fresh)
                length_ms = await self._beside.do(partial(_length, fresh))
                if length_ms is None:
                    return Got(lacking=(_nothing(wanted),), held=_held(wanted, found))
                done = partial(bundle.settle, fresh, wanted.folder / name)
                sha256, size = await self._beside.do(done)
            except BaseException:
                fresh.unlink(missing_ok=True)
                raise
        ends_ms = what.begins_ms + length_ms
        item = self._item(wanted, name, sha256, size, (what.begins_ms, ends_ms))
        return Got((item,), _holes(wanted, found), () if recorded else _held(wanted, found))

    async def other(self, wanted: Wanted) -> Got:
        """Take over what another recorder has; what cannot be had of it lacks. Raises OSError."""
        found = await self._finished(wanted)
        if not found:
            return Got(lacking=(_nothing(wanted),))
        items: list[Item] = []
        lacking = list(_holes(wanted, found))
        for part, each in enumerate(found, 1):
            try:
                item = await self._taken(wanted, part, each)
            except OSError as exc:  # its recorder may have deleted it; the others are none the less
                why = plan.DISK_FULL if is_full(exc) else plan.DAMAGED
                lacking.append(_lacks(wanted, why, f"{each.path.name}: {exc.strerror or exc}"))
                continue
            if item is None:
                none = _no_room(wanted, found)
                return replace(none, items=tuple(items), lacking=(*lacking, *none.lacking))
            items.append(item)
        return Got(tuple(items), tuple(lacking), _held(wanted, found))

    async def _taken(self, wanted: Wanted, part: int, each: Recorded) -> Item | None:
        """Take over one file; None: there is no room. Raises OSError."""
        ending = each.path.suffix.lower().removeprefix(".")
        name = plan.clip_file(wanted.camera.name, ending, part)
        fresh = wanted.folder / f"{name}{bundle.FRESH}"
        async with self._turn:
            size = await self._beside.do(partial(_size, each.path))
            if not await self._has_room(size):
                return None
            until_s = time.monotonic() + self.pace.copy_s
            taken = partial(
                taking.take,
                each.path,
                fresh,
                growing=each.growing,
                until=lambda: time.monotonic() < until_s,
            )
            source = await self._beside.do(taken)
            done = partial(bundle.settle, fresh, wanted.folder / name)
            sha256, size = await self._beside.do(done)
        span = (each.start_ms, each.end_ms)
        return self._item(replace(wanted, source=source), name, sha256, size, span)

    async def _complete(self, wanted: Wanted) -> list[Recorded]:
        """Wait for the end of what is wanted, as long as it may still be written."""
        assert wanted.camera.recordings is not None  # noqa: S101  # it is recorded
        look = partial(covering.own, wanted.camera.recordings, wanted.begin_ms, wanted.end_ms)
        late_s = self._late(wanted)
        while True:
            found = await self._beside.do(look)
            reached_ms = found[-1].end_ms if found else 0
            if reached_ms >= wanted.end_ms or late_s() > self.pace.patience_s:
                return found
            await asyncio.sleep(self.pace.again_s)

    async def _finished(self, wanted: Wanted) -> list[Recorded]:
        late_s = self._late(wanted)
        while True:
            found = await self._others(wanted)
            done = found and not found[-1].growing and found[-1].end_ms >= wanted.end_ms
            if done or late_s() > self.pace.other_s:
                return found
            await asyncio.sleep(self.pace.again_s)

    async def _others(self, wanted: Wanted) -> list[Recorded]:
        asked = (self._index, wanted.camera.name, wanted.begin_ms, wanted.end_ms)
        return await self._beside.do(partial(covering.others, *asked))

    def _late(self, wanted: Wanted) -> Callable[[], float]:
        """Return what says how many seconds the end of what is wanted is over; it is over now.

        So also by the time since: a clock that was ahead at the press and was set back would have
        us wait for as long.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        def late_s() -> float:
            told_s = self._clock.reading().unix_ns / 1e9 - wanted.end_ms / 1000
            return max(told_s, loop.time() - began_s)

        return late_s

    def _item(
        self, wanted: Wanted, name: str, sha256: str, size: int, span: tuple[int, int]
    ) -> Item:
        return Item(
            file=name,
            kind=CLIP,
            camera=wanted.camera.name,
            sha256=sha256,
            bytes=size,
            begins=rfc3339(span[0] * _MS),
            ends=rfc3339(span[1] * _MS),
            clock="synced" if self._clock.synced() else "unsynced",
            source=wanted.source,
        )


def _nothing(wanted: Wanted) -> Lacking:
    return _lacks(wanted, plan.NO_RECORDING, "no recording covers the time")


def _lacks(wanted: Wanted, why: str, text: str) -> Lacking:
    return Lacking(camera=wanted.camera.name, kind=CLIP, why=why, text=text)


def _no_room(wanted: Wanted, found: Sequence[Recorded]) -> Got:
    """Say that there is no room; the recordings themselves are held."""
    text = "max_mb is reached, and nothing released may go"
    return Got(lacking=(_lacks(wanted, plan.DISK_FULL, text),), held=_held(wanted, found))


def _holes(wanted: Wanted, found: Sequence[Recorded]) -> tuple[Lacking, ...]:
    """Say what is missing of the time, though there is a clip."""
    missing = covering.holes(found, wanted.begin_ms, wanted.end_ms)
    return tuple(
        Lacking(
            camera=wanted.camera.name,
            kind=CLIP,
            why=plan.NO_RECORDING,
            since=rfc3339(begins * _MS),
            text=f"nothing was recorded until {rfc3339(ends * _MS)}",
        )
        for begins, ends in missing
        if ends - begins > _HOLE_MS
    )


def _held(wanted: Wanted, found: Sequence[Recorded]) -> tuple[Held, ...]:
    return tuple(
        Held(
            camera=wanted.camera.name,
            path=str(each.path),
            begins=rfc3339(each.start_ms * _MS),
            ends=rfc3339(each.end_ms * _MS),
        )
        for each in found
    )


def _length(path: Path) -> int | None:
    """Measure a clip; None when there is no picture in it."""
    with path.open("rb") as stream:
        handle = stream.fileno()
        size = os.fstat(handle).st_size
        measured = measure(lambda at, count: os.pread(handle, count, at), size)
    return None if measured is None else measured.length_ms


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
