"""What the video service has found is told once, whenever it dies itself."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from gatehouse_sim.school import opened
from system.fault_steps import well, whole
from system.video_school import OtherRecorder, moment


async def killed_at_the_handover(root: Path, seed: int, answered: list[bool]) -> None:
    """Kill the video service once for each of these; then look at what the district has.

    True: when the gap was told, and it is about to note the answer; False: when the gap was found.
    """
    random = Random(seed)  # noqa: S311  # a campaign that can be repeated
    async with opened(root, OtherRecorder.plan(root)) as school:
        recorder = OtherRecorder(school)
        await recorder.watched()
        for is_told in answered:
            recorder.gap()
            await school.video.reload()  # it looks at once
            if is_told:
                await recorder.arrived()
            await moment(random.uniform(0.0, 0.05))
            await school.video.kill()
            await school.video.start()
        await recorder.last()
        await well(school)
        await whole(school)
        assert recorder.told() == Counter(recorder.made)


async def test_a_gap_outlives_the_death_of_who_found_it(school_root: Path) -> None:
    """Without it a gap that was not yet noted as told would be forgotten, or be told twice."""
    await killed_at_the_handover(school_root, seed=1, answered=[True])


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3))
async def test_gaps_outlive_many_deaths_of_who_found_them(school_root: Path, seed: int) -> None:
    """The same, for so long that the rare moments come too."""
    await killed_at_the_handover(school_root, seed=seed, answered=[True, False] * 4)
