"""The recordings of all cameras, followed: what stands, what is to be told, what is asked for.

Questions are answered from the last pass at once; the passes are made beside the loop, one at a
time. When a disk hangs, only the pass hangs: that is a fault, everything else is not known, and
nothing more is begun until it comes back.
"""

import asyncio
import contextlib
import logging
import math
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.config import Camera, Retention
from gatehouse.control.reports import Row, Told
from gatehouse.threads import off_loop
from gatehouse.video_service import disks
from gatehouse.video_service.answering import Asked
from gatehouse.video_service.clearing import Held, nothing_held
from gatehouse.video_service.recordings_passes import Passes
from gatehouse.video_service.recordings_rows import Passed, Trouble
from gatehouse.video_service.zone import local_zone

log = logging.getLogger(__name__)

_OURS: Final = ("gap/", "deleted/")


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds."""

    every_s: float = 10.0
    """From one pass to the next, unless something wakes it."""
    hang_s: float = 60.0
    """Without a sign of life from a pass; then a disk hangs."""
    end_s: float = 2.0
    """How long an end waits for the pass that is being made."""


class Recordings:
    """Follows the recordings for as long as `run` runs."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        retention: Retention,
        *,
        state_dir: Path,
        clock: Clock,
        changed: Callable[[], None],
        zone: tzinfo | None = None,
        room: disks.Room = disks.room,
        held: Held = nothing_held,
        pace: Pace | None = None,
    ) -> None:
        """Prepare it; ``changed`` is called whenever `rows` or `told` may have changed.

        ``zone`` is that of other recorders, by default the machine's; ``held`` says what clean-up
        must leave.
        """
        self._changed = changed
        self._clock = clock
        self._pace = pace or Pace()
        zone = zone or local_zone(os.environ)
        self._passes = Passes(state_dir, clock=clock, zone=zone, room=room, held=held)
        self._state_dir = state_dir
        self._cameras: tuple[Camera, ...] = ()
        self._retention = retention
        self._passed = Passed()
        self._received: frozenset[str] = frozenset()
        self._forecasts: frozenset[str] = frozenset()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[Passed] | None = None
        self.reload(cameras, retention)

    async def run(self) -> None:
        """Make passes until cancelled."""
        try:
            while True:
                await self._pass()
                if self._passed.trouble is not None or self._passed.scanning is None:
                    await self._pause()
        finally:
            await self._end()

    def reload(self, cameras: Sequence[Camera], retention: Retention) -> None:
        """Follow these cameras from the next pass on, which is made at once."""
        self._cameras = tuple(each for each in cameras if each.recordings is not None)
        self._retention = retention
        self._take(self._passed)
        self._woken.set()

    def received(self, keys: Collection[str]) -> None:
        """Take in which happenings the alarm service has: the next pass notes it durably."""
        self._received |= {key for key in keys if key.startswith(_OURS)}
        self._woken.set()

    def rows(self) -> tuple[Row, ...]:
        """Return what stands, and what is not known, of recordings and disks."""
        return self._passed.rows()

    def told(self) -> tuple[Told, ...]:
        """Return the oldest happenings that the alarm service does not have yet."""
        return tuple(each for each in self._passed.told if each.key not in self._received)

    def document(self) -> dict[str, Any]:
        """Return the answer of ``gatehouse recordings``."""
        return self._passed.document()

    def summary(self) -> dict[str, int]:
        """Return how many cameras have each verdict."""
        return self._passed.summary()

    def retention(self) -> list[dict[str, Any]]:
        """Return how far back each camera is proven."""
        return self._passed.retention()

    async def _pass(self) -> None:
        """Make a pass, unless one still hangs: then wait for that."""
        self._woken.clear()
        asked = self._asked()
        if self._task is None or self._task.done():
            work = partial(self._passes.once, asked)
            self._task = asyncio.create_task(
                off_loop(work, name="recordings", timeout_s=math.inf), name="recordings"
            )
        await self._until_done(self._task)
        try:
            passed = self._task.result()
        except OSError as exc:  # RecordingsError is one
            names = tuple(camera.name for camera in self._cameras)
            self._troubled(Trouble(names, str(exc)))
        except Exception as exc:
            self._troubled(Trouble((), f"the pass failed: {exc!r}"))
            raise
        else:
            self._received -= asked.received
            if self._passed.trouble is not None:
                log.info("the recordings can be followed again")
            self._take(passed)

    def _asked(self) -> Asked:
        return Asked(self._cameras, self._retention, self._received, self._forecasts)

    async def _until_done(self, task: asyncio.Task[Passed]) -> None:
        """Wait for the pass; tell it when it gives no sign of life for too long."""
        began_s = self._now_s()
        while not task.done():
            seen_s, camera = self._passes.at
            left_s = max(began_s, seen_s) + self._pace.hang_s - self._now_s()
            if left_s <= 0:
                self._hangs(camera)
                left_s = self._pace.hang_s
            await asyncio.wait({task}, timeout=left_s)

    def _hangs(self, camera: str | None) -> None:
        folders = {each.name: each.recordings for each in self._cameras if each.name == camera}
        names = tuple(folders) or tuple(each.name for each in self._cameras)
        folder = folders.get(camera or "", self._state_dir)
        self._troubled(Trouble(names, f"no answer from {folder} for {self._pace.hang_s:.0f} s"))

    def _troubled(self, trouble: Trouble) -> None:
        if self._passed.trouble is None:
            log.warning("the recordings cannot be followed: %s", trouble.text)
        self._take(replace(self._passed, trouble=trouble))

    def _take(self, passed: Passed) -> None:
        """Answer from this from now on."""
        before = self._said()
        self._passed = passed.fit(self._cameras, self._retention)
        self._forecasts = self._passed.forecasts(self._forecasts)
        if self._said() != before:
            self._changed()

    def _said(self) -> object:
        """Return what others hear, without the figures, which change all the time."""
        rows = self._passed.rows()
        stands = [(row.subject, [each.fault for each in row.stands], row.unknown) for row in rows]
        return stands, [each.key for each in self._passed.told]

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.every_s):
                await self._woken.wait()

    async def _end(self) -> None:
        """Wait a little for the pass, and let go of the files; a thread that hangs is left."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=self._pace.end_s)
        if self._task is None or self._task.done():
            with contextlib.suppress(OSError):
                await off_loop(self._passes.close, name="recordings", timeout_s=self._pace.end_s)

    def _now_s(self) -> float:
        return self._clock.reading().monotonic_ns / 1e9
