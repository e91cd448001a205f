"""kill -9 at random moments, while somebody presses: nothing that was told as safe is lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from gatehouse import events
from gatehouse_district.receiver.lacking import RANDOM_FROM
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import arrived, log, row, well, whole

ROUNDS = 12
LONG_ROUNDS = 120
HELD = {17: 0, 27: 1}
"""The levels of the gate's button while somebody holds it."""


@dataclass(slots=True)
class Witness:
    """What the agent said was safe, over all its deaths."""

    safe: set[str] = field(default_factory=set)

    async def listen(self, school: School) -> None:
        """Follow each stage of each alarm; what was said before a death counts."""
        while True:
            await school.agent.started.wait()
            with contextlib.suppress(OSError):
                async for line in school.agent.follow():
                    if line.get("stage") in {"stored", "sent", "received"}:
                        self.safe.add(line["alarm"])
            await asyncio.sleep(0)  # the agent is gone; ``started`` is cleared in this turn


@contextlib.asynccontextmanager
async def witnessed(school: School) -> AsyncIterator[Witness]:
    """Have a witness listen."""
    witness = Witness()
    listening = asyncio.create_task(witness.listen(school))
    try:
        yield witness
        assert not listening.done()
    finally:
        listening.cancel()
        await asyncio.wait((listening,))


async def moment(seconds: float) -> None:
    """Let a random moment come: it is what is tried here, and nothing waits for it."""
    loop = asyncio.get_running_loop()
    come: asyncio.Future[None] = loop.create_future()
    loop.call_later(seconds, come.set_result, None)
    await come


async def press_and_kill(school: School, random: Random) -> tuple[int, bool]:
    """Press some times, perhaps hold, and kill; return how often, and whether it is held."""
    presses = random.randrange(3)
    held = random.random() < 0.4
    with school.wires() as wires:
        for _ in range(presses):
            bounce_ms = random.choice((0.0, 2.0, 5.0))
            wires.request("press", pin=17, for_s=0.03, bounce_ms=bounce_ms)
            await moment(random.uniform(0.1, 0.15))
        if held:
            wires.set(27, 1)
            wires.set(17, 0)
    await moment(random.choice((0.0, 0.004, 0.008, 0.012, 0.02, 0.1)) * random.random())
    await school.agent.kill()
    return presses + held, held


async def held_over_restart(school: School) -> None:
    """The press that was held raises again, unless its alarm is stored and stands; then let go."""
    status = await school.agent.wait_for(lambda s: row(s)["line"] == "active")
    alarm = row(status)["last_alarm"]
    assert alarm is not None
    assert row(status)["alarm"] != "idle"
    said = {event["id"]: event for event in await log(school)}
    raised = said[alarm]
    newest = [e for e in said.values() if e["type"] == events.GATEWAY_STARTED][-1]
    if raised["sequence"][:8] == newest["sequence"][:8]:
        assert raised["data"]["held_at_start"] is True
    with school.wires() as wires:
        wires.set(17, 1)
        wires.set(27, 0)
    await school.agent.wait_for(lambda s: row(s)["line"] == "normal")
    await arrived(school.district, alarm)


async def killed_again_and_again(school: School, seed: int, rounds: int) -> None:
    """Do so many rounds, then look at what the district has."""
    random = Random(seed)  # noqa: S311  # a campaign that can be repeated
    pressed = 0
    async with witnessed(school) as witness:
        for _ in range(rounds):
            away = random.random() < 0.3
            if away:
                await school.broker.stop()
            presses, held = await press_and_kill(school, random)
            pressed += presses
            levels = HELD if held else {}
            if random.random() < 0.3:  # in the middle of its start
                await school.agent.start(levels=levels, wait=False)
                await moment(random.uniform(0.0, 0.6))
                await school.agent.kill()
            if away:
                await school.broker.start()
            await school.agent.start(levels=levels)
            if held:
                await held_over_restart(school)
        await arrived(school.district, *witness.safe)
    await well(school)
    await whole(school)
    alarms = school.district.alarms(GATEWAY)
    assert len(alarms) <= pressed + sum(a.event.data["held_at_start"] for a in alarms)
    assert len({(a.event.store, a.event.sequence) for a in alarms}) == len(alarms)
    told = [r.event for r in school.district.events(GATEWAY, events.GATEWAY_STARTED)]
    # One whose disk took over 2 s (a busy machine) has a random number (contract section 4).
    starts = [event for event in told if event.start < RANDOM_FROM]
    assert len({event.store for event in starts}) == 1
    assert [event.start for event in starts] == sorted({event.start for event in starts})
    assert len(witness.safe) > rounds / 4  # else the campaign tried nothing


async def test_killed_at_random_moments(school_root: Path) -> None:
    """A press that was stored or sent must reach the district, once, whenever the agent dies."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await killed_again_and_again(school, seed=20261123, rounds=ROUNDS)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(4))
async def test_killed_at_random_moments_for_long(school_root: Path, seed: int) -> None:
    """The same, for so long that the rare moments come too."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await killed_again_and_again(school, seed=seed, rounds=LONG_ROUNDS)
