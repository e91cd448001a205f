"""A wall clock that is not set, or jumps by a year: the order and the timers do not follow it."""

from pathlib import Path

import pytest

from gatehouse_sim.district import Manners
from gatehouse_sim.school import GATEWAY, Plan, opened
from system.fault_steps import LONG_S, arrived, ended, log, press, row, stands, stored, well, whole

YEAR_S = 365 * 86400.0


@pytest.mark.parametrize("step_s", [pytest.param(YEAR_S, marks=pytest.mark.campaign), -YEAR_S])
async def test_clock_steps_by_a_year(school_root: Path, step_s: float) -> None:
    """Resending, numbering and the log must not believe the wall clock."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        before = await press(school)
        await arrived(school.district, before)
        school.district.manners = Manners(receipts=False)
        over = await press(school)
        await arrived(school.district, over)
        school.agent.move_clock(offset_s=step_s)
        (corrected,) = await school.district.wait_for(
            lambda d: d.events(GATEWAY, "gatehouse.clock.corrected")
        )
        assert corrected.event.data["offset_s"] == pytest.approx(step_s, abs=5)
        assert corrected.event.data["bootid"] == corrected.event.bootid
        assert school.district.deliveries(over) == 1
        await school.district.wait_for(lambda d: d.deliveries(over) >= 2, timeout_s=LONG_S)
        school.district.manners = Manners()
        school.district.receipt(GATEWAY, [record.id for record in school.district.events()])
        after = await press(school)
        await arrived(school.district, after)
        status = await well(school)
        assert row(status)["alarm"] == "received"
        records = [school.district.record(id_) for id_ in (before, over, after)]
        found = [record.event for record in records if record is not None]
        assert [event.id for event in sorted(found, key=lambda e: e.sequence)] == [
            before,
            over,
            after,
        ]
        assert int(found[2].monotonic) > int(found[1].monotonic)
        assert (found[2].time > found[1].time) == (step_s > 0)
        assert {before, over, after} <= {event["id"] for event in await log(school)}
        await whole(school)


async def test_clock_stepped_between_two_starts(school_root: Path) -> None:
    """A Pi without a battery wakes in the past: what waited and what stands must survive that."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.broker.stop()
        alarm = await press(school)
        await stored(school, 1)
        await school.agent.kill()
        school.agent.move_clock(offset_s=-YEAR_S)
        await school.agent.start()
        status = await school.agent.status()
        assert row(status)["last_alarm"] == alarm
        assert status["outbox"]["pending_alarms"] == 1
        later = await press(school)
        await school.broker.start()
        await arrived(school.district, alarm, later)
        await well(school)
        await whole(school)


async def test_clock_not_set_at_start(school_root: Path) -> None:
    """Alarms wait for no time server; when the clock is set, the district can correct them."""
    async with opened(school_root, Plan(district_lines="heartbeat_s = 1"), agent=False) as school:
        school.agent.move_clock(offset_s=-YEAR_S, synced=False)
        await school.agent.start()
        early = await press(school)
        await arrived(school.district, early)
        await stands(school, "certificate-dates-unchecked")
        status = await school.agent.status()
        assert (status["clock"], status["link"]["state"]) == ("unsynced", "connected")
        school.agent.move_clock(synced=True)
        (corrected,) = await school.district.wait_for(
            lambda d: d.events(GATEWAY, "gatehouse.clock.corrected")
        )
        assert corrected.event.data["offset_s"] == pytest.approx(YEAR_S, abs=5)
        await ended(school, "certificate-dates-unchecked")
        late = await press(school)
        await arrived(school.district, late)
        clocks = {record.id: record.event.clock for record in school.district.alarms(GATEWAY)}
        assert clocks == {early: "unsynced", late: "synced"}
        await well(school)
        await whole(school)
