"""What the tests of evidence in a whole school see: bundles on its disk, counters in films."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import av

from gatehouse.evidence import bundle
from gatehouse.evidence.manifest import PICTURE, Item, Manifest
from gatehouse.evidence.shelf import Shelf
from gatehouse_sim.films import COUNTER_S
from gatehouse_sim.school import School
from gatehouse_sim.school_cameras import SimCamera
from system.video_school import at_work
from system.video_seen import watched

LIMIT_S: Final = 240.0
"""A bundle is ready 63 s after the press; a machine at half speed with others gets the rest."""
_AGAIN_S: Final = 0.05
COUNTER: Final = SimCamera("counter", min_lines=100)


def buttons(**cameras: tuple[str, ...]) -> str:
    """Return buttons with their cameras."""
    pins = iter((17, 13, 20, 27))
    return "\n".join(
        f'[[button]]\nname = "{name}"\nlocation = "{name}"\npin = {next(pins)}\n'
        f"cameras = [{', '.join(repr(each) for each in of)}]\n"
        for name, of in cameras.items()
    )


@contextlib.asynccontextmanager
async def seen_school(
    root: Path, cameras: Mapping[str, SimCamera], said: str
) -> AsyncIterator[School]:
    """Open a school whose cameras are seen and recorded."""
    async with watched(root, cameras, buttons=said) as school:
        await at_work(school)
        yield school


def shelf(school: School) -> Shelf:
    """Return where its bundles are."""
    return Shelf(school.place.state_dir / "evidence")


def manifests(school: School) -> list[Manifest]:
    """Return what its bundles say now, the oldest first."""
    return [each.manifest for each in shelf(school).read() if each.manifest is not None]


async def until(school: School, test: Callable[[list[Manifest]], Any]) -> list[Manifest]:
    """Wait until what the bundles say passes a test. Raises TimeoutError with what they say."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not test(found := manifests(school)):  # noqa: ASYNC110  # a disk has no event
                await asyncio.sleep(_AGAIN_S)
    except TimeoutError:
        raise TimeoutError(f"{manifests(school)}\n{school.video.tail()}") from None
    return found


async def ready(school: School, count: int) -> list[Manifest]:
    """Wait until so many bundles are ready."""
    return await until(school, lambda found: sum(each.state == "ready" for each in found) == count)


def small(manifest: Manifest, camera: str) -> list[Item]:
    """Return the small pictures of a camera."""
    return [
        each
        for each in manifest.items
        if each.kind == PICTURE and each.number is not None and each.camera == camera
    ]


def whole(school: School, manifest: Manifest) -> None:
    """See that every file is there, as the manifest says."""
    for each in manifest.items:
        content = (shelf(school).place(manifest.alarm) / each.file).read_bytes()
        assert (bundle.sha256_of(content), len(content)) == (each.sha256, each.bytes)


def counted(path: Path) -> list[tuple[float, int]]:
    """Return the counter in each picture of a clip or a picture, with its time in the file (s)."""
    with av.open(str(path)) as file:
        return [(frame.time or 0.0, _bars(frame)) for frame in file.decode(video=0)]


def _bars(frame: av.VideoFrame) -> int:
    grey = frame.reformat(640, 360, "gray").to_ndarray()
    return sum(1 << bit for bit in range(7) if grey[180, bit * 80 + 40] > 128)


def off_s(counter: int, unix_s: float) -> float:
    """Return how far a counter is from a time of the wall clock, in s; its second began before."""
    apart = (counter + 0.5 - unix_s) % COUNTER_S
    return min(apart, COUNTER_S - apart)
