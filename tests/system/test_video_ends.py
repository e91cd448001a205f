"""Whatever ends the video service, none of its children is left."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.school import Plan
from gatehouse_sim.school_cameras import SimCamera
from system.video_school import at_work, children, filmed, moment, nothing_left

PLAN: Final = Plan(
    tls=False,
    cameras={"gate": SimCamera(), "yard": SimCamera(keeps=False)},
    shows=("normal",),
)
ROUNDS: Final = 12
PARENT: Final = """
import asyncio, sys
from pathlib import Path
from gatehouse_sim.child import Place
from gatehouse_sim.video import Video

async def main():
    video = Video(Place(Path(sys.argv[1])))
    await video.start()
    await video.wait()

asyncio.run(main())
"""


async def test_no_child_outlives_the_service(school_root: Path) -> None:
    """Without it each update, or crash, would leave an ffmpeg that records for ever."""
    async with filmed(school_root, PLAN) as school:
        await at_work(school)
        assert await school.video.stop() == 0
        assert children(school) == []
        await school.video.start()
        await at_work(school)
        await school.video.kill()
        await nothing_left(school)


@pytest.mark.campaign
async def test_no_child_outlives_a_service_that_hangs(school_root: Path) -> None:
    """The same for one that systemd kills since its watchdog rang, and for an impatient SIGTERM."""
    async with filmed(school_root, PLAN) as school:
        await at_work(school)
        os.kill(school.video.pid, signal.SIGSTOP)
        await school.video.kill()
        await nothing_left(school)
        await school.video.start()
        await at_work(school)
        os.kill(school.video.pid, signal.SIGTERM)
        await school.video.kill()
        await nothing_left(school)


@pytest.mark.campaign
async def test_nothing_outlives_the_parent_of_the_service(school_root: Path) -> None:
    """Without it a demo that is killed would leave cameras that are watched by nobody's service."""
    async with filmed(school_root, PLAN, video=False) as school:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PARENT, str(school_root)), preexec_fn=die_with_parent
        )
        try:
            await at_work(school)
        finally:
            parent.kill()
            await parent.wait()
        await nothing_left(school)
        await school.video.start()  # the lock is free, too
        await at_work(school)


@pytest.mark.campaign
async def test_no_child_outlives_a_service_killed_at_its_start(school_root: Path) -> None:
    """A child that is just being started has not asked yet to die with its parent."""
    random = Random(20261126)  # noqa: S311  # a campaign that can be repeated
    async with filmed(school_root, PLAN, video=False) as school:
        for _ in range(ROUNDS):
            await school.video.start()
            await moment(random.uniform(0.0, 0.8))
            await school.video.kill()
            await nothing_left(school)
        await school.video.start()
        await at_work(school)
