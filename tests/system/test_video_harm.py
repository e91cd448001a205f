"""The video service dies, hangs and runs out of memory again and again; presses do not notice."""

import asyncio
import contextlib
import os
import resource
import signal
import statistics
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
import pytest

from gatehouse import events
from gatehouse_sim.school import GATEWAY, Plan, School
from gatehouse_sim.school_cameras import SimCamera
from system.fault_steps import BRIEFLY_S, row, well, whole
from system.seen import LIMIT_S, press
from system.video_school import at_work, filmed, moment

PLAN: Final = Plan(cameras={"gate": SimCamera()}, shows=("normal",))
HARMS: Final = ("kill", "hang", "hang and go on", "no memory")
ROUNDS: Final = 4
LONG_ROUNDS: Final = 20
PRESSES: Final = 3
"""Of each part of a round."""
TIMES_SLOWER: Final = 3
SLOWER_S: Final = 0.5
"""Presses may be so much slower than the quiet ones of the same run: a service that starts takes
its share of a loaded machine. It is no aim, and finds what hangs: `make bench` measures."""


@dataclass
class Presses:
    """Presses a button again and again, and counts how long its alarms take."""

    school: School
    lines: AsyncIterator[dict[str, Any]]
    alarms: list[str] = field(default_factory=list)

    async def some(self) -> list[float]:
        """Press some times; return each time from the edge to the district's receipt, in s."""
        return [await self._one() for _ in range(PRESSES)]

    async def _one(self) -> float:
        edge_ns = press(self.school, for_s=BRIEFLY_S)
        async with asyncio.timeout(LIMIT_S):
            line = await anext(self.lines)
            while line["stage"] != "received":
                line = await anext(self.lines)
        assert line["alarm"] not in self.alarms
        self.alarms.append(line["alarm"])
        await self.school.agent.wait_for(lambda s: row(s)["line"] == "normal")
        received_ns: int = line["t"]
        return (received_ns - edge_ns) / 1e9


@contextlib.asynccontextmanager
async def pressing(school: School) -> AsyncIterator[Presses]:
    """Begin to press."""
    async with contextlib.aclosing(school.agent.follow()) as lines:
        assert (await anext(lines))["following"]
        yield Presses(school, lines)


async def harmed(school: School, harm: str, presses: Presses, random: Random) -> list[float]:
    """Press while the video service is harmed, and while it comes back; return how long it took."""
    pid = school.video.pid
    if harm == "no memory":
        resource.prlimit(pid, resource.RLIMIT_AS, (psutil.Process(pid).memory_info().vms, -1))
        os.kill(pid, signal.SIGHUP)  # for this it needs some
    elif harm == "kill":
        await school.video.kill()
    else:
        os.kill(pid, signal.SIGSTOP)
    took = await presses.some()
    if harm == "hang and go on":
        await moment(random.uniform(0.0, 1.0))
        os.kill(pid, signal.SIGCONT)
    else:
        await school.video.kill()  # as systemd does with one that hangs
        await school.video.start(wait=False)
    return took + await presses.some()


async def harmed_again_and_again(root: Path, seed: int, rounds: int) -> None:
    """Do so many rounds, each with presses before and during; then look at what came of it."""
    random = Random(seed)  # noqa: S311  # a campaign that can be repeated
    quiet: list[float] = []
    loud: list[float] = []
    async with filmed(root, PLAN) as school, pressing(school) as presses:
        pid = school.agent.pid
        for number in range(rounds):
            await at_work(school)
            quiet += await presses.some()
            loud += await harmed(school, HARMS[number % len(HARMS)], presses, random)
        await at_work(school)
        await school.agent.wait_for(lambda s: s["video"].get("cameras", {}).get("recording") == 1)
        await well(school)
        await whole(school)
        assert school.agent.pid == pid
        assert len(school.district.events(GATEWAY, events.GATEWAY_STARTED)) == 1
        assert {record.id for record in school.district.alarms(GATEWAY)} == set(presses.alarms)
    most = TIMES_SLOWER * statistics.median(quiet) + SLOWER_S
    assert statistics.median(loud) < most, (quiet, loud)


async def test_presses_do_not_notice_what_harms_the_video_service(school_root: Path) -> None:
    """Without it a camera, a film or a full memory would cost the one press that mattered."""
    await harmed_again_and_again(school_root, seed=1, rounds=ROUNDS)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(2))
async def test_presses_do_not_notice_it_for_long(school_root: Path, seed: int) -> None:
    """The same, for so long that the rare moments come too."""
    await harmed_again_and_again(school_root, seed=seed, rounds=LONG_ROUNDS)
