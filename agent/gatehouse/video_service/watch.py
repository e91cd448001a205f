"""The watch over all cameras: each by itself, and whether they went blind together."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.config import Camera
from gatehouse.control.reports import CAMERAS_LOST, GATEWAY, Row, Standing
from gatehouse.errors import CameraError, ControlError
from gatehouse.video.together import LOSSES, Judgement, judge
from gatehouse.video.verdict import OK
from gatehouse.video_service import credential, telling
from gatehouse.video_service.asking import NoPictureError, Seen
from gatehouse.video_service.clocks import Clocks
from gatehouse.video_service.parts import Parts, alive
from gatehouse.video_service.watching import Watching

log = logging.getLogger(__name__)

END_S: Final = 8.0
"""How long the children may take to end: ffmpeg writes the rest of its segment."""
_APART_S: Final = 0.2
"""From the start of one eye to the next: all at once would be too slow to open their streams."""


class Watch:
    """Watches all cameras for as long as `run` runs."""

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        state_dir: Path,
        clock: Clock,
        random: Callable[[], float],
        changed: Callable[[], None],
        parts: Parts | None = None,
    ) -> None:
        """Prepare it; ``changed`` is told whenever `rows` may differ."""
        self._parts = parts or Parts()
        self._folder = state_dir / "video" / "baselines"
        self._clock = clock
        self._random = random
        self._changed = changed
        self._watched = {camera.name: self._watching(camera) for camera in cameras}
        self._tasks: dict[Watching, asyncio.Task[None]] = {}
        self._clocks = Clocks(self._parts.ask(clock), clock)
        self._judged = Judgement()
        self._all_seen, self._seen_ns = False, 0
        """Whether every eye said something, as each does within seconds; and since when."""
        self._told: frozenset[str] = frozenset()
        self._due: asyncio.TimerHandle | None = None
        self._reloading = asyncio.Lock()

    async def run(self) -> None:
        """Watch until cancelled; the children are then ended in order."""
        asking = asyncio.create_task(
            alive("asking for the time", self._clocks.run, lambda _why: None, self._random)
        )
        try:
            self._start(self._watched.values())
            await asking
        finally:
            if self._due is not None:
                self._due.cancel()
            await _end({asking, *self._tasks.values()})

    async def reload(self, cameras: Sequence[Camera]) -> None:
        """Watch these from now on; a camera that is as it was is not touched."""
        async with self._reloading:
            credentials = await asyncio.gather(*map(self._credential, cameras))
            kept, fresh = dict[str, Watching](), list[Watching]()
            for camera, known in zip(cameras, credentials, strict=True):
                before = self._watched.get(camera.name)
                if before is None or (before.camera, before.credential) != (camera, known):
                    before = self._watching(camera)
                    fresh.append(before)
                kept[camera.name] = before
            gone = [each for each in self._watched.values() if each not in kept.values()]
            self._watched = kept
            self._news()
            await _end({self._tasks[each] for each in gone if each in self._tasks})
            for each in gone:
                self._tasks.pop(each, None)
            self._start(fresh)

    def rows(self) -> tuple[Row, ...]:
        """Return what is known of each camera, and whether all are lost."""
        held = self._judged.held
        cameras = (each.row(held=name in held) for name, each in self._watched.items())
        return (*cameras, self._own_row())

    def document(self) -> dict[str, Any]:
        """Return what `gatehouse cameras` shows."""
        cameras = [each.document() for each in self._watched.values()]
        return {"cameras": cameras, "uncovered": telling.uncovered(cameras)}

    def summary(self) -> dict[str, int]:
        """Return how many cameras are how, for the status."""
        verdicts = [each.verdict for each in self._watched.values()]
        well, unknown = verdicts.count(OK), verdicts.count(telling.UNKNOWN)
        return {
            "cameras": len(verdicts),
            "well": well,
            "faulty": len(verdicts) - well - unknown,
            "unknown": unknown,
            "recording": sum(each.records is True for each in self._watched.values()),
        }

    def relearn(self, name: str) -> None:
        """Take a camera as it now stands for the usual. Raises ControlError for a stranger."""
        if (watching := self._watched.get(name)) is None:
            known = ", ".join(self._watched) or "none"
            raise ControlError(f"there is no camera {name!r}; there are: {known}")
        watching.relearn()

    async def picture(self, name: str, old_s: float, most_bytes: int) -> Seen:
        """Take a picture, of a frame no older than ``old_s`` if there is such a one.

        The small one has about ``most_bytes`` at most. Raises NoPictureError, also for a camera
        that is not watched.
        """
        if (watching := self._watched.get(name)) is None:
            raise NoPictureError(f"no camera {name!r} is watched")
        return await watching.picture(old_s, most_bytes)

    def keep(self, name: str, path: Path, after_s: float) -> bool:
        """Have a CSI camera's ring written to a file; False when it cannot be now."""
        watching = self._watched.get(name)
        return watching is not None and watching.keep(path, after_s)

    # cameras come and go

    def _watching(self, camera: Camera) -> Watching:
        return Watching(
            camera,
            folder=self._folder,
            clock=self._clock,
            random=self._random,
            news=self._news,
            parts=self._parts,
        )

    def _start(self, fresh: Iterable[Watching]) -> None:
        """Start watching, one after the other."""
        for place, each in enumerate(fresh):
            work = partial(_later, place * _APART_S, each.run)
            self._tasks[each] = asyncio.create_task(
                alive(f"camera {each.name}", work, each.failed, self._random)
            )
        self._clocks.watch(each for each in self._watched.values() if each.has_clock)

    async def _credential(self, camera: Camera) -> str:
        """Return what a camera's credential file says now, or said when its disk answered."""
        if camera.credential is None:
            return ""
        try:
            return await credential.read(camera.credential)
        except TimeoutError:  # no reason to let go of a camera that may be well
            before = self._watched.get(camera.name)
            return before.credential if before else ""
        except CameraError:
            return ""

    # all together

    def _news(self) -> None:
        """Judge anew: something is known that was not."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        now_ns = self._clock.reading().monotonic_ns
        seen, seen_before = all(each.seen for each in self._watched.values()), self._all_seen
        if not (seen and seen_before):
            self._all_seen, self._seen_ns = seen, now_ns
        sights = [each.sight(self._seen_ns) for each in self._watched.values()]
        lost = {each.name for each in sights if each.fault in LOSSES}
        if seen:
            self._judged = judge(sights, self._judged, self._told, now_ns)
        else:  # whether a loss is one of all cannot be told yet
            self._judged = Judgement(held=frozenset(lost - self._told))
        self._told = frozenset(lost - self._judged.held)
        if self._judged.due_ns is not None:
            in_s = max(0.0, (self._judged.due_ns - now_ns) / 1e9)
            self._due = asyncio.get_running_loop().call_later(in_s, self._news)
        self._changed()

    def _own_row(self) -> Row:
        count = len(self._watched)
        if self._judged.systemic:
            return Row(GATEWAY, (Standing(CAMERAS_LOST, {"cameras": count}),))
        unseen = count >= 2 and not self._all_seen
        return Row(GATEWAY, (), (CAMERAS_LOST,) if unseen else ())


async def _later(in_s: float, work: Callable[[], Any]) -> None:
    await asyncio.sleep(in_s)
    await work()


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """End them all together; a child that even the kernel cannot end is left behind."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    _, left = await asyncio.wait(tasks, timeout=END_S)
    if left:
        log.error("%d parts of the watch did not end in %g s", len(left), END_S)
