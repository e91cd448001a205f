"""One bundle while it is gathered: pictures by the clock, and the clips.

Whatever fails, the bundle says so, and the rest is gathered.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gatehouse.config import Camera
from gatehouse.evidence import plan
from gatehouse.evidence.manifest import PICTURE, Lacking
from gatehouse.video_service.album import Album
from gatehouse.video_service.asking import NoPictureError
from gatehouse.video_service.binder import Binder
from gatehouse.video_service.footage import Footage

_NO_ROOM: Final = "there is no room"
_LATE: Final = "the video service was not there"
_BUSY: Final = "it was busy with the pictures of many other alarms"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where pictures and clips come from."""

    album: Album
    footage: Footage
    cameras: Callable[[], Sequence[Camera]]
    fits: Callable[[], bool]
    """Whether there is room for pictures."""
    window: plan.Window
    places: asyncio.Semaphore
    """Bounds of how many bundles pictures are taken at the same time; clips are made one by one."""


async def gather(binder: Binder, sources: Sources, at_s: float) -> None:
    """Gather a bundle from where it is; ``at_s`` is when the press was, by the loop's clock.

    Ends when all is there, or known to lack, and the manifest says so.
    """
    async with asyncio.TaskGroup() as writing:
        writing.create_task(binder.run())
        try:
            async with asyncio.TaskGroup() as gathered:
                gathered.create_task(_all_pictures(binder, sources, at_s))
                for name in binder.manifest.cameras:
                    if not plan.has_clip(binder.manifest, name):
                        gathered.create_task(_clip(name, binder, sources, at_s))
        finally:
            binder.close()


async def _clip(name: str, binder: Binder, sources: Sources, at_s: float) -> None:
    camera = next((each for each in sources.cameras() if each.name == name), None)
    await sources.footage.get(camera, name, binder, at_s + sources.window.after_s)


async def _all_pictures(binder: Binder, sources: Sources, at_s: float) -> None:
    why = _BUSY if sources.places.locked() else _LATE
    async with sources.places, asyncio.TaskGroup() as cameras:
        for name in binder.manifest.cameras:
            cameras.create_task(_pictures(name, binder, sources, at_s, why))


async def _pictures(
    camera: str, binder: Binder, sources: Sources, at_s: float, why_lost: str
) -> None:
    loop, window = asyncio.get_running_loop(), sources.window
    since_s = loop.time() - at_s
    next_turn = 0 if since_s < window.every_s else int(since_s // window.every_s) + 1
    turns, lost = plan.turns_left(binder.manifest, camera, next_turn, window.pictures)
    if lost:
        binder.add(lacking=[_lacking(camera, plan.NOT_IN_TIME, count=lost, text=why_lost)])
    for turn in turns:
        await asyncio.sleep(max(0.0, at_s + turn * window.every_s - loop.time()))
        if not sources.fits():
            binder.add(lacking=[_lacking(camera, plan.DISK_FULL, text=_NO_ROOM)])
            continue
        try:
            seen = await sources.album.picture(camera, at_once=turn == 0)
        except NoPictureError as exc:
            lacks = _lacking(camera, plan.NO_PICTURE, since=exc.since, text=str(exc))
            binder.add(lacking=[lacks])
        else:
            binder.picture(camera, turn, seen)


def _lacking(
    camera: str, why: str, *, since: str | None = None, text: str = "", count: int = 1
) -> Lacking:
    return Lacking(camera=camera, kind=PICTURE, why=why, since=since, text=text, count=count)
