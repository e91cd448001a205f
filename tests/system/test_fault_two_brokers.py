"""Two brokers: which is taken, when it is left, and the way back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gatehouse_sim.district import District
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import LONG_S, arrived, press, row, well


@asynccontextmanager
async def two(root: Path) -> AsyncIterator[tuple[School, District]]:
    """Open a school with two brokers, and a district on the second one too."""
    async with opened(root, Plan(brokers=2)) as school, school.new_district(1) as second:
        await well(school)
        yield school, second


async def at(school: School, broker: int) -> None:
    """Wait until the agent is connected to that broker."""
    url = school.brokers[broker].url
    await school.agent.wait_for(
        lambda s: s["link"]["state"] == "connected" and s["link"]["broker"] == url
    )


async def test_first_one_first_and_the_way_back(school_root: Path) -> None:
    """A gateway that stays on the second broker for ever leaves its district's main one."""
    async with two(school_root) as (school, second):
        await at(school, 0)
        await school.broker.stop()
        await at(school, 1)
        there = await press(school)
        await arrived(second, there)
        await school.broker.start()
        await school.brokers[1].kill()
        await at(school, 0)
        here = await press(school)
        await arrived(school.district, here)
        assert school.district.record(there) is None  # its receipt came: nobody sends it twice


async def test_alarm_that_waits_goes_to_the_second(school_root: Path) -> None:
    """A broker that takes alarms and has no district must not keep them from the one that has."""
    async with two(school_root) as (school, second):
        await school.district.go_away(keep=False)
        alarm = await press(school)
        await arrived(second, alarm)
        await at(school, 1)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")


async def test_alarm_sent_without_receipt_goes_again_over_the_second(school_root: Path) -> None:
    """Taken by a broker that then dies is not delivered: under its own id it goes the other way."""
    async with two(school_root) as (school, second):
        await school.district.go_away()
        alarm = await press(school)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "sent")
        await school.broker.kill()
        await arrived(second, alarm)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        assert [record.id for record in second.alarms()] == [alarm]


async def test_both_districts_together_lack_nothing(school_root: Path) -> None:
    """What goes over two brokers must be whole when the district lays both halves together."""
    async with two(school_root) as (school, second):
        alarms = []
        for broker in (0, 1):
            alarms.append(await press(school))
            await well(school)
            await school.brokers[broker].kill()
            alarms.append(await press(school))
            await school.brokers[1 - broker].start() if broker else None
            await well(school, timeout_s=LONG_S)
        records = {r.id: r.event for d in (school.district, second) for r in d.events(GATEWAY)}
        assert set(alarms) <= set(records)
        counts = sorted(event.count for event in records.values())
        assert counts == list(range(1, len(counts) + 1))
