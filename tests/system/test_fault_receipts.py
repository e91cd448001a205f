"""Receipts that do not come, come twice, come late, or name what nobody knows."""

from pathlib import Path

import pytest

from gatehouse_sim.district import District, Manners
from gatehouse_sim.school import GATEWAY, Plan, blinks, opened
from system.fault_steps import LONG_S, arrived, press, red, row, stored, well, whole


async def test_without_receipt_it_goes_again_under_its_own_id(school_root: Path) -> None:
    """A receipt that is lost on the way must not make of one press two alarms, or none."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.district.manners = Manners(receipts=False)
        alarm = await press(school)
        await arrived(school.district, alarm)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "sent")
        assert await school.lamp(blinks(3.0), red(school.button("gate")))
        await school.district.wait_for(lambda d: d.deliveries(alarm) >= 2, timeout_s=LONG_S)
        assert [record.id for record in school.district.alarms()] == [alarm]
        school.district.manners = Manners()
        school.district.receipt(GATEWAY, [alarm])
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        assert await school.lamp(blinks(1.0), red(school.button("gate")))
        await whole(school)


@pytest.mark.campaign
async def test_without_receipt_for_long_it_is_undelivered(school_root: Path) -> None:
    """After 30 s the status must say that nobody is known to have it, and the lamp stays fast."""
    async with opened(school_root, Plan(district_lines="heartbeat_s = 1")) as school:
        await well(school)
        school.district.manners = Manners(receipts=False)
        alarm = await press(school)
        await arrived(school.district, alarm)
        await school.district.wait_for(
            lambda d: row(d.telemetry[-1].body)["alarm"] == "undelivered", timeout_s=LONG_S
        )
        assert await school.lamp(blinks(3.0), red(school.button("gate")))
        school.district.manners = Manners()
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received", timeout_s=LONG_S)
        assert await school.lamp(blinks(1.0), red(school.button("gate")))
        await whole(school)


async def test_bad_manners_of_every_kind_at_once(school_root: Path) -> None:
    """Late, doubled, for unknown ids and after nonsense: one press stays one alarm, received."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.district.manners = Manners(delay_s=0.3, copies=3, unknown=5, malformed=True)
        alarms = [await press(school) for _ in range(4)]
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")
        status = await well(school)
        assert status["link"]["connection"] == 1
        assert [record.id for record in school.district.alarms()] == alarms
        await whole(school)


async def test_receipt_for_what_nobody_knows_ends_nothing(school_root: Path) -> None:
    """A receipt of another gateway's events must not end one of ours."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.district.manners = Manners(receipts=False)
        alarm = await press(school)
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "sent")
        strange = [alarm[:-1] + ("0" if alarm[-1] != "0" else "1"), alarm.upper(), "", alarm + " "]
        school.district.receipt(GATEWAY, strange)
        reply = await school.district.ask(GATEWAY, {"command": "snapshot"})
        assert reply.body["ok"] is False  # it has read what was said before
        assert row(await school.agent.status())["alarm"] == "sent"
        school.district.receipt(GATEWAY, [alarm])
        await school.agent.wait_for(lambda s: row(s)["alarm"] == "received")


async def test_district_that_forgot_what_it_had_not_receipted(school_root: Path) -> None:
    """A district restored from a backup lacks events: those without receipt come again."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        school.district.manners = Manners(receipts=False)
        alarms = [await press(school) for _ in range(3)]
        await arrived(school.district, *alarms)
        await school.district.forget(alarms)
        school.district.manners = Manners()
        await school.broker.restart()  # a new connection: everything without a receipt goes again
        await arrived(school.district, *alarms)
        await well(school)
        await whole(school)


async def test_without_receipts_by_agreement(school_root: Path) -> None:
    """With ``receipts = false`` a PUBACK 0x00 ends an event, and ``sent`` is the last stage."""
    lines = "receipts = false\nheartbeat_s = 1"
    async with opened(school_root, Plan(district_lines=lines), agent=False) as school:
        district = school.district
        district.manners = Manners(receipts=False)

        def settled(known: District) -> bool:
            return bool(known.telemetry) and known.telemetry[-1].body["outbox"]["pending"] == 0

        await school.agent.start()
        alarm = await press(school)
        await arrived(district, alarm)
        await district.wait_for(settled)
        assert row(await school.agent.status())["alarm"] == "sent"
        await press(school)
        await stored(school, 2)
        await school.agent.kill()  # commits are in order: that the first one was sent is on disk
        district.telemetry.clear()
        await school.agent.start()
        await district.wait_for(settled)
        assert district.deliveries(alarm) == 1
