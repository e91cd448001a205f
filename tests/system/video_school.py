"""What the tests of the video service in a whole school share: its children, and gaps on a disk."""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from gatehouse.control import reports
from gatehouse.video.layout import own_path
from gatehouse_sim import clock
from gatehouse_sim.cameras import lacking
from gatehouse_sim.recordings import MINUTE_MS, Tree, film, make
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import log

LIMIT_S: Final = 120.0

YARD: Final = "yard"
_SEGMENTS: Final = 10
_STEP_MS: Final = 20 * MINUTE_MS
_LENGTH_MS: Final = 2 * MINUTE_MS


async def moment(seconds: float) -> None:
    """Let a random moment come: it is what is tried, and nothing waits for it."""
    loop = asyncio.get_running_loop()
    come: asyncio.Future[None] = loop.create_future()
    loop.call_later(seconds, come.set_result, None)
    await come


@contextlib.asynccontextmanager
async def filmed(root: Path, plan: Plan, *, video: bool = True) -> AsyncIterator[School]:
    """Open a school with cameras and perhaps its video service; skips where GstRtspServer is not.

    At the end nothing of the video service may be left.
    """
    if (lacks := await lacking()) is not None:
        pytest.skip(lacks)
    async with opened(root, plan, video=video) as school:
        yield school
        await school.video.stop()
        await nothing_left(school)


async def at_work(school: School) -> None:
    """Wait until every camera is seen, and recorded where that is our task."""
    cameras = school.plan.cameras
    recorded = [name for name, camera in cameras.items() if camera.keeps and camera.record]

    def is_so(said: dict[str, Any]) -> bool:
        seen = all(each["last_frame"] for each in said["cameras"])
        return seen and [each["name"] for each in said["cameras"] if each["records"]] == recorded

    await school.video.cameras_until(is_so, timeout_s=LIMIT_S)
    await so_many(school, len(cameras) + len(recorded))


def children(school: School) -> list[psutil.Process]:
    """Return all that looks or records for this school, whoever is its parent by now."""
    return [each for each in psutil.process_iter() if _is_child(each, school)]


def _is_child(process: psutil.Process, school: School) -> bool:
    """Whether it is an eye at one of our cameras, or works in a folder of recordings."""
    with contextlib.suppress(psutil.Error):
        if Path(process.cwd()).is_relative_to(school.place.recordings):
            return True
        words = process.cmdline()
        urls = {school.cameras.url(name) for name in school.plan.cameras}
        return "gatehouse.video.rtsp_eye" in words and not urls.isdisjoint(words)
    return False


async def nothing_left(school: School) -> None:
    """Wait until nothing looks or records any more. Raises TimeoutError with what does."""
    await so_many(school, 0)


async def so_many(school: School, count: int) -> None:
    """Wait until so many look and record. Raises TimeoutError with those that do."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while len(children(school)) != count:  # noqa: ASYNC110  # the kernel tells only parents
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"{count} are wanted, not {children(school)}") from None


@dataclass
class OtherRecorder:
    """Another recorder, which now and then records nothing, by the clock of the video service.

    That clock is moved on with it, and is not the alarm service's.
    """

    school: School
    made: list[str] = field(default_factory=list)
    """The keys of the gaps that it left, in their order."""

    def __post_init__(self) -> None:
        """Record for a while, before anybody looks."""
        self.school.video.environ["GATEHOUSE_SIM_CLOCK"] = str(self._clock)
        self._end_ms = self._start_ms = time.time_ns() // 1_000_000_000 * 1000
        days = _SEGMENTS * MINUTE_MS / 86_400_000
        make(self.folder, Tree(self._end_ms, days, own_files=True))

    @classmethod
    def plan(cls, root: Path) -> Plan:
        """Return the plan of a school with such a camera, which itself is not there."""
        camera = f"""[[camera]]
name = "{YARD}"
area = "general"
source = "rtsp://127.0.0.1:9/{YARD}"
onvif_port = 9
recordings = "{root / "recordings" / YARD}"
record = false
"""
        return Plan(tls=False, more=camera)

    @property
    def folder(self) -> Path:
        """Where it records."""
        return self.school.place.recordings / YARD

    @property
    def _clock(self) -> Path:
        return self.school.place.root / "video-clock.json"

    async def watched(self) -> None:
        """Start the video service, and wait until it has seen what is there: no gap of before."""
        await self.school.video.start()
        await self.school.video.recordings_until(
            lambda said: (
                said["scanning"] is None
                and [each["segments"] for each in said["cameras"]] == [_SEGMENTS]
            )
        )

    def gap(self) -> str:
        """Record again after a gap; returns its key."""
        start_ms = self._end_ms + _STEP_MS
        key = f"gap/{YARD}/{self._end_ms}-{start_ms}"
        path = self.folder / own_path(start_ms)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(film(_LENGTH_MS))
        self._end_ms = start_ms + _LENGTH_MS
        os.utime(path, (self._end_ms / 1000, self._end_ms / 1000))
        clock.move(self._clock, offset_s=(self._end_ms - self._start_ms) / 1000)
        self.made.append(key)
        return key

    async def arrived(self) -> None:
        """Wait until the district has every gap so far."""
        await self.school.district.wait_for(
            lambda _: set(self.made) <= self.told().keys(), timeout_s=LIMIT_S
        )

    async def last(self) -> None:
        """Have another gap told: whatever was to be told before came before it."""
        self.gap()
        await self.school.video.reload()  # it looks at once
        await self.arrived()

    def told(self) -> Counter[str]:
        """Count how often the district was told of each gap."""
        records = self.school.district.events(GATEWAY, reports.GAP)
        return Counter(record.event.data["key"] for record in records)

    async def kept(self) -> Counter[str]:
        """Count how often each gap is on the alarm service's disk."""
        events = await log(self.school)
        return Counter(each["data"]["key"] for each in events if each["type"] == reports.GAP)
