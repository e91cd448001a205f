"""The broker dies, freezes, refuses, forgets, is heard by nobody: no press is lost for it."""

import asyncio
from pathlib import Path
from typing import Any, Final

from gatehouse_sim.district import District
from gatehouse_sim.rules import rules
from gatehouse_sim.school import Plan, blinks, opened
from system.fault_steps import (
    arrived,
    ended,
    press,
    red,
    row,
    stands,
    stored,
    told,
    well,
    whole,
)

ENDS_S: Final = 40.0
"""Issue: 2 s. A loaded machine gets more; a hang would last for ever."""


def not_connected(status: dict[str, Any]) -> bool:
    """Whether the agent knows that it is alone."""
    return bool(status["link"]["state"] != "connected")


async def test_broker_killed_while_alarms_wait(school_root: Path) -> None:
    """A dead broker must cost no press, and must be told to the guard and to the district."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.broker.kill()
        await school.agent.wait_for(not_connected)
        alarms = [await press(school) for _ in range(3)]
        await stands(school, "offline")
        status = await school.agent.status()
        assert status["outbox"]["pending_alarms"] == 3
        assert await school.lamp(blinks(3.0), red(school.button("gate")))
        await school.broker.start()
        await arrived(school.district, *alarms)
        await ended(school, "offline")
        await well(school)
        assert told(school.district, "fault", "offline") == 1
        assert told(school.district, "restored", "offline") == 1
        # one may be refused and come again: the district too must first find the broker
        assert sorted(record.id for record in school.district.alarms()) == sorted(alarms)
        await whole(school)


async def test_fault_of_an_outage_ends_after_a_crash_in_it(school_root: Path) -> None:
    """The lamp must not show a fault for ever because the agent was killed while it stood."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.broker.stop()
        alarm = await press(school)
        await stands(school, "offline")
        await stored(school, 1)
        await school.agent.kill()
        await school.broker.start()
        await school.agent.start()
        await ended(school, "offline")
        await arrived(school.district, alarm)
        await whole(school)


async def test_broker_loses_its_memory(school_root: Path) -> None:
    """A PUBACK is not storage: what the broker had taken and lost must come again."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.district.go_away()
        alarm = await press(school)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "sent")
        await school.broker.kill()  # the alarm was only in its memory
        await school.broker.start()
        await school.district.come_back()
        await arrived(school.district, alarm)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        await whole(school)


async def test_frozen_broker_is_left_for_the_second(school_root: Path) -> None:
    """Its kernel still acknowledges TCP: only the missing PUBACK tells, within five seconds."""
    async with opened(school_root, Plan(brokers=2)) as school:
        second = school.new_district(1)
        async with second:
            await well(school)
            school.broker.freeze()
            try:
                alarm = await press(school)
                await arrived(second, alarm)
                status = await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
                assert status["link"]["broker"] == school.brokers[1].url
            finally:
                school.broker.thaw()
            await well(school)


async def test_frozen_only_broker(school_root: Path) -> None:
    """With nowhere else to go the press waits, and goes out when the broker breathes again."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.broker.freeze()
        try:
            alarms = [await press(school)]
            await school.agent.wait_for(not_connected)
            alarms.append(await press(school))
            status = await school.agent.status()
            assert row(status)["alarm"] in {"stored", "undelivered"}
        finally:
            school.broker.thaw()
        await arrived(school.district, *alarms)
        await well(school)
        await whole(school)


def without_alarms() -> str:
    """Return the district's access rules without the right to ``up/alarm``."""
    given = (rules() / "acl").read_text(encoding="utf-8")
    every = "pattern write gatehouse/v1/%u/up/#\n"
    assert every in given
    return given.replace(every, "pattern write gatehouse/v1/%u/up/event\n")


async def test_broker_refuses_alarms(school_root: Path) -> None:
    """A refusal is never shown as sent; it is a fault with its text, and it is tried again."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.broker.set_acl(without_alarms())
        alarms = [await press(school), await press(school)]
        fault = await stands(school, "publish-refused")
        assert (fault["code"], fault["text"]) == ("0x87", "Not authorized")
        assert fault["topic"].endswith("up/alarm")
        await school.district.wait_for(lambda d: told(d, "fault", "publish-refused"))
        assert row(await school.agent.status())["alarm"] in {"stored", "undelivered"}
        await school.broker.set_acl()
        await arrived(school.district, *alarms)
        await ended(school, "publish-refused")
        await well(school)
        await whole(school)


async def test_nobody_subscribed(school_root: Path) -> None:
    """The broker takes it and throws it away (0x10): that is not sent, and somebody must know."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.district.go_away(keep=False)
        alarm = await press(school)
        fault = await stands(school, "no-subscriber")
        assert fault["code"] == "0x10"
        assert row(await school.agent.status())["alarm"] in {"stored", "undelivered"}
        await school.district.come_back()
        await arrived(school.district, alarm)
        await ended(school, "no-subscriber")
        await well(school)
        await whole(school)


async def test_name_that_nobody_knows(school_root: Path) -> None:
    """A broker whose name does not resolve is passed over for the next one, and told."""
    async with opened(school_root, Plan(), agent=False) as school:
        nowhere = "mqtts://broker.invalid:8883"
        good = school.broker.url
        text = school.place.config.read_text(encoding="utf-8")
        school.write_config(district=section(text).replace(f'"{good}"', f'"{nowhere}"'))
        await school.agent.start()
        alarm = await press(school)
        fault = await stands(school, "offline")
        assert "broker.invalid" in fault["text"]
        await school.agent.stop()
        both = section(text).replace(f'"{good}"', f'"{nowhere}", "{good}"')
        school.write_config(district=both)
        await school.agent.start()
        await arrived(school.district, alarm)
        assert (await school.agent.status())["link"]["broker"] == good
        await ended(school, "offline")
        await whole(school)


def section(config: str) -> str:
    """Return the section ``[district]`` of a configuration."""
    return "[district]" + config.partition("[district]")[2]


async def test_district_killed_and_back(school_root: Path) -> None:
    """While the district is away the broker collects; what it stored is not asked for twice."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.district.go_away(goodbye=False)
        alarms = [await press(school) for _ in range(2)]
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "sent")
        assert await school.lamp(blinks(3.0), red(school.button("gate")))
        await school.district.stop()
        again: District = school.new_district()
        async with again:
            await arrived(again, *alarms)
            assert await school.lamp(blinks(1.0), red(school.button("gate")))
            assert again.conflicts == []
            await again.wait_for(lambda d: not d.missing(school.plan.gateway))


async def test_end_in_order_while_the_broker_is_frozen(school_root: Path) -> None:
    """SIGTERM must not wait for a broker that answers nothing, and loses no press for it."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.broker.freeze()
        try:
            alarm = await press(school)
            async with asyncio.timeout(ENDS_S):
                assert await school.agent.stop() == 0
        finally:
            school.broker.thaw()
        await school.agent.start()
        await arrived(school.district, alarm)
        await well(school)
        await whole(school)
