"""What the tests of the watch, the recordings and the reloads see of a video service."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import psutil
import pytest

from gatehouse_sim.cameras import lacking
from gatehouse_sim.district import Record
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from gatehouse_sim.school_cameras import SimCamera
from system.seen import LIMIT_S
from video.recording_rig import Segment, fragments

GOP = 25
"""Frames of a whole fragment: one keyframe and what hangs on it."""
_AGAIN_S = 0.05


@contextlib.asynccontextmanager
async def watched(
    root: Path, cameras: Mapping[str, SimCamera], *, video: bool = True, **more: Any
) -> AsyncIterator[School]:
    """Open a school with cameras, ``more`` of its plan; skips where Debian's gi is absent."""
    if (lacks := await lacking()) is not None:
        pytest.skip(lacks)
    plan = Plan(tls=False, shows=("normal", "covered"), cameras=cameras, **more)
    async with opened(root, plan, video=video) as school:
        yield school


def about(school: School, subject: str) -> list[tuple[str, str]]:
    """Return what the district was told of a subject: words of the type, and the fault."""
    found = [
        record
        for record in school.district.events(GATEWAY)
        if record.event.subject == subject and "fault" in record.event.data
    ]
    found.sort(key=lambda record: record.event.sequence)
    return [
        (record.type.removeprefix("gatehouse."), record.event.data["fault"]) for record in found
    ]


async def told_of(school: School, subject: str, word: str, fault: str) -> Record:
    """Wait until the district was told this of a subject; return the first such event."""

    def there() -> list[Record]:
        return [
            record
            for record in school.district.events(GATEWAY, f"gatehouse.{word}")
            if record.event.subject == subject and record.event.data.get("fault") == fault
        ]

    found = await school.district.wait_for(lambda _: there(), timeout_s=LIMIT_S)
    return found[0]


@dataclass(frozen=True)
class Child:
    """One child of the video service."""

    camera: str
    part: str
    """``eye`` or ``recorder``."""
    pid: int


def children(school: School) -> set[Child]:
    """Return the children of the video service, as far as they have become what they shall be."""
    found = set()
    for process in psutil.Process(school.video.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if (what := _what(process)) is not None:
                found.add(Child(*what, process.pid))
    return found


def _what(process: psutil.Process) -> tuple[str, str] | None:
    line = process.cmdline()
    if "gatehouse.video.rtsp_eye" in line:
        return line[-1].rpartition("/")[2], "eye"
    if "gatehouse.video.csi_eye" in line:
        return "csi", "eye"
    return (Path(process.cwd()).name, "recorder") if "ffmpeg" in line else None


async def looks(school: School, **parts: int) -> set[Child]:
    """Wait until these cameras have so many children each; return them."""

    def count(found: set[Child]) -> dict[str, int]:
        return {name: sum(each.camera == name for each in found) for name in parts}

    async with asyncio.timeout(LIMIT_S):
        while count(found := children(school)) != parts:  # noqa: ASYNC110  # no news
            await asyncio.sleep(_AGAIN_S)
    return {each for each in found if each.camera in parts}


def played(path: Path) -> Segment:
    """Play a segment to its end; the last packet may have been cut when its writer was killed.

    No frame of a fragment that is whole may lack.
    """
    whole = fragments(path)
    shown: list[float] = []
    with av.open(str(path)) as file, contextlib.suppress(av.error.InvalidDataError):
        shown.extend(frame.time or 0.0 for frame in file.decode(video=0))
    assert len(shown) > GOP * (whole - 1)
    return Segment(path, tuple(shown))


async def reported(school: School, since: str | None) -> None:
    """Wait until the alarm service has had a report after that one."""
    async with asyncio.timeout(LIMIT_S):
        while (await school.agent.status())["video"]["reported"] == since:  # noqa: ASYNC110  # no news
            await asyncio.sleep(_AGAIN_S)
