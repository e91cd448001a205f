"""A Pi without a battery wakes in the past; a time server may move it by a year."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gatehouse_sim.authority import EXPIRED
from gatehouse_sim.school import GATEWAY, School, opened
from system.seen import PLAN, at_rest, durable, gatehouse, pressed, stage, told

YEAR_S = 365 * 86400.0


def faults(status: dict[str, list[dict[str, object]]]) -> list[object]:
    """Return the names of the faults in a status."""
    return [fault["fault"] for fault in status["faults"]]


def year(time: str) -> int:
    """Return the year of a time."""
    return datetime.fromisoformat(time).year


async def test_unset_clock_is_said_and_then_corrected(school_root: Path) -> None:
    """Without it the district would file an alarm under a date that never was."""
    async with opened(school_root, PLAN, agent=False) as school:
        now = datetime.now().astimezone().year
        school.agent.move_clock(offset_s=-10 * YEAR_S, synced=False)
        await school.agent.start()
        status = await at_rest(school)
        assert status["clock"] == "unsynced"
        assert faults(status) == ["certificate-dates-unchecked"]
        alarm = await pressed(school)
        early = school.district.record(alarm)
        assert early is not None
        assert early.event.clock == "unsynced"
        assert year(early.event.time) < now - 8

        school.agent.move_clock()
        (corrected,) = await told(school, "clock.corrected")
        assert set(corrected.event.data) == {"bootid", "offset_s"}
        assert corrected.event.data["bootid"] == early.event.bootid
        assert abs(corrected.event.data["offset_s"] - 10 * YEAR_S) < 60
        assert corrected.event.clock == "synced"
        late = school.district.record(await pressed(school))
        assert late is not None
        assert late.event.clock == "synced"
        assert abs(year(late.event.time) - now) <= 1
        assert (await school.agent.status())["clock"] == "synced"


async def test_clock_that_is_stepped_by_a_year_moves_nothing_else(school: School) -> None:
    """Without it a broken time server could end drills, alarms or the log, or hold up a press."""
    await gatehouse(school, "drill", "start", "--for", "5m", "office")
    before = await pressed(school)
    for offset_s in (YEAR_S, -YEAR_S):
        known = len(school.district.events(GATEWAY, "gatehouse.clock.corrected"))
        school.agent.move_clock(offset_s=offset_s)
        await told(school, "clock.corrected", known + 1)
        await pressed(school)
    offsets = [round(r.event.data["offset_s"]) for r in await told(school, "clock.corrected", 2)]
    assert offsets == [YEAR_S, -2 * YEAR_S]
    status = await at_rest(school)
    assert status["drill"]["buttons"] == ["office"]
    assert status["link"]["connection"] == 1
    await school.district.acknowledge(GATEWAY, before, "甲")
    await stage(school, "received")
    log = (await gatehouse(school, "events", "--json")).json["events"]
    sequences = [event["sequence"] for event in log]
    assert sequences == sorted(sequences)

    await durable(school)
    await school.agent.kill()
    await school.agent.start()
    alarm = await pressed(school, "office")
    record = school.district.record(alarm)
    assert record is not None
    assert record.event.mode == "real"
    await at_rest(school)
    assert school.district.missing(GATEWAY) == []
    assert school.district.conflicts == []


async def test_certificate_is_judged_by_date_once_the_clock_is_set(school_root: Path) -> None:
    """Without it an expired certificate would work for ever, or an unset clock keep alarms in."""
    plan = replace(PLAN, district_lines="heartbeat_s = 1")
    async with opened(school_root, plan, agent=False) as school:
        school.authority.server(span=EXPIRED)
        await school.broker.restart()  # the district does not come back: it looks at dates
        school.agent.move_clock(synced=False)
        await school.agent.start()
        status = await school.agent.wait_for(lambda s: s["link"]["state"] == "connected")
        assert faults(status) == ["certificate-dates-unchecked"]

        school.agent.move_clock()
        status = await school.agent.wait_for(lambda s: "certificate" in faults(s))
        assert status["link"]["state"] != "connected"
        assert "expired" in status["link"]["error"]
        with school.wires() as wires:
            wires.request("press", pin=17)
        await stage(school, "stored")

        school.authority.server()
        await school.broker.restart()
        await stage(school, "received", line="normal")
        assert faults(await at_rest(school)) == []
