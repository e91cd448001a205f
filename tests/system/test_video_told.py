"""What the video service had handed over is an event, whenever the alarm service dies."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from gatehouse_sim.school import School, opened
from system.fault_steps import well, whole
from system.video_school import OtherRecorder, moment


async def kill_while_it_is_told(school: School, recorder: OtherRecorder, random: Random) -> None:
    """Kill the alarm service around the moment at which it hears of gaps, and start it again."""
    for _ in range(random.randrange(1, 4)):
        recorder.gap()
    await school.video.reload()  # it looks at once, and reports a little later
    if random.random() < 0.5:
        await moment(random.uniform(0.1, 0.4))
    else:
        await recorder.arrived()  # sent beside the commit, before it is answered
        await moment(random.uniform(0.0, 0.03))
    await school.agent.kill()
    if random.random() < 0.5:
        recorder.gap()
        await school.video.reload()
    if random.random() < 0.3:  # in the middle of its start
        await school.agent.start(wait=False)
        await moment(random.uniform(0.0, 0.6))
        await school.agent.kill()
    await school.agent.start()
    await recorder.arrived()


async def killed_while_it_hears(root: Path, seed: int, kills: int) -> None:
    """Kill so many times; then each gap is on the disk once, and at the district.

    What was sent and not yet stored when it died comes there again, under a number that means it.
    """
    random = Random(seed)  # noqa: S311  # a campaign that can be repeated
    async with opened(root, OtherRecorder.plan(root)) as school:
        recorder = OtherRecorder(school)
        await recorder.watched()
        for _ in range(kills):
            await kill_while_it_is_told(school, recorder, random)
        await recorder.last()
        await well(school)
        await whole(school)
        assert await recorder.kept() == Counter(recorder.made)
        assert recorder.told().keys() == set(recorder.made)


async def test_gaps_outlive_the_death_of_who_hears_of_them(school_root: Path) -> None:
    """Without it a gap that was answered would be on no disk, or be told twice."""
    await killed_while_it_hears(school_root, seed=3, kills=2)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3))
async def test_gaps_outlive_many_deaths(school_root: Path, seed: int) -> None:
    """The same, for so long that the rare moments come too."""
    await killed_while_it_hears(school_root, seed=seed, kills=12)
