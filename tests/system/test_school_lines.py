"""Wires that are cut, shorted, stuck; the lid, the mains: found and never mistaken for alarms."""

import pytest

from gatehouse_sim.school import GATEWAY, School
from gatehouse_sim.wires import CLOSED, OPEN
from system.seen import (
    BUZZER,
    GREEN,
    HALL_BUZZER,
    HALL_KEY,
    HALL_PIN,
    KEY,
    MAINS,
    OFFICE_PIN,
    TAMPER,
    YELLOW,
    at_rest,
    dark,
    durable,
    hand,
    history,
    lit,
    moved,
    press,
    pressed,
    set_pin,
    stage,
    told,
    turn_key,
)


async def test_cut_wire_is_a_fault_and_no_alarm(school: School) -> None:
    """Without it a cut wire would be found when the button is needed, or cry wolf at once."""
    assert (await hand(school, "cut", "gate")).code == 0
    (fault,) = await told(school, "line.fault")
    assert fault.event.data == {"fault": "open", "location": "南门门卫室"}
    assert fault.event.subject == "button/gate"
    assert fault.topic.endswith("/up/alarm")  # it may be a press through a cut conductor
    assert (await stage(school, "idle", line="open"))["last_alarm"] is None
    status = await school.agent.status()
    assert [(f["subject"], f["fault"]) for f in status["faults"]] == [("button/gate", "open")]
    assert status["faults"][0]["since"].endswith("Z")
    assert await school.lamp(lit, YELLOW)
    assert await school.lamp(dark, GREEN)

    assert (await hand(school, "mend", "gate")).code == 0
    (restored,) = await told(school, "line.restored")
    assert restored.event.data == {"fault": "open"}
    await stage(school, "idle", line="normal")
    assert await school.lamp(lit, GREEN)
    assert school.district.alarms() == []


async def test_press_through_a_cut_loop_is_an_alarm_all_the_same(school: School) -> None:
    """Without it whoever cuts one wire would have disarmed the button."""
    await hand(school, "cut", "gate")
    await told(school, "line.fault", fault="open")
    press(school)
    (alarm,) = await told(school, "alarm.raised")
    assert alarm.event.data["held_at_start"] is False
    await told(school, "alarm.released")
    await stage(school, "received", line="open")


async def test_short_is_an_alarm_and_a_fault_besides(school: School) -> None:
    """Without it a shorted button would look like a patient guard."""
    assert (await hand(school, "short", "gate")).code == 0
    await told(school, "alarm.raised")
    (fault,) = await told(school, "line.fault")
    assert fault.event.data["fault"] == "short"
    assert fault.topic.endswith("/up/event")
    await stage(school, "received", line="short")
    await hand(school, "mend", "gate")
    await told(school, "line.restored", fault="short")
    await told(school, "alarm.released")
    await stage(school, "received", line="normal")  # the alarm still wants a reset
    assert len(school.district.alarms()) == 1


async def test_lid_and_mains_are_told_when_they_begin_and_end(school: School) -> None:
    """Without it somebody could open the box, or pull the plug, and nobody would know."""
    set_pin(school, TAMPER, OPEN)
    (opened,) = await told(school, "tamper.opened")
    set_pin(school, MAINS, OPEN)
    (lost,) = await told(school, "power.fault")
    faults = {f["fault"] for f in (await school.agent.status())["faults"]}
    assert faults == {"tamper", "mains"}
    set_pin(school, TAMPER, CLOSED)
    (closed,) = await told(school, "tamper.closed")
    set_pin(school, MAINS, CLOSED)
    (back,) = await told(school, "power.restored")
    assert {record.event.subject for record in (opened, lost, closed, back)} == {"gateway"}
    assert {record.event.data["fault"] for record in (opened, closed)} == {"tamper"}
    assert {record.event.data["fault"] for record in (lost, back)} == {"mains"}
    assert (await school.agent.status())["faults"] == []
    assert school.district.alarms() == []


async def test_fault_that_stands_over_a_restart_is_told_once_and_its_end_too(
    school: School,
) -> None:
    """Without it each restart would repeat old faults, and one mended meanwhile stood for ever."""
    set_pin(school, TAMPER, OPEN)
    await hand(school, "cut", "gate")
    await told(school, "tamper.opened")
    await told(school, "line.fault")
    await durable(school)
    await school.agent.kill()
    await school.agent.start(levels={TAMPER: OPEN})  # the wire was mended meanwhile
    await told(school, "line.restored", fault="open")
    await at_rest(school)
    assert [f["fault"] for f in (await school.agent.status())["faults"]] == ["tamper"]
    set_pin(school, TAMPER, CLOSED)
    await told(school, "tamper.closed")
    assert len(await told(school, "tamper.opened")) == 1
    assert len(await told(school, "line.fault")) == 1


async def test_chirp_for_a_fault_is_silenced_by_the_reset_key(school: School) -> None:
    """Without it the guard would tear the buzzer off, and not hear the next alarm."""
    set_pin(school, TAMPER, OPEN)
    for buzzer in (BUZZER, HALL_BUZZER):  # also at a silent button: a fault is no secret
        assert await school.lamp(moved(2), buzzer)
    turn_key(school, HALL_KEY)
    set_pin(school, TAMPER, CLOSED)
    await told(school, "tamper.closed")
    set_pin(school, TAMPER, OPEN)  # would chirp at once
    await told(school, "tamper.opened", 2)
    press(school)
    await told(school, "alarm.raised")
    turn_key(school, KEY)
    await told(school, "alarm.reset")
    assert len(history(school, BUZZER)) == 2
    assert len(history(school, HALL_BUZZER)) == 2


async def test_latching_button_is_reset_by_turning_it_back(school: School) -> None:
    """Without it a latching button would need a second key that it does not have."""
    alarm = await pressed(school, "office")
    await stage(school, "received", "office", line="active")
    set_pin(school, OFFICE_PIN, OPEN)
    (released,) = await told(school, "alarm.released")
    assert released.event.data == {"location": "教务处", "alarm": alarm}
    (reset,) = await told(school, "alarm.reset")
    assert reset.event.data == {"by": "button", "reason": "turned-back", "alarms": [alarm]}
    await stage(school, "idle", "office", line="normal")
    assert school.district.events(GATEWAY, "gatehouse.line.fault") == []


@pytest.mark.campaign  # really waits for the minute that makes a contact stuck
async def test_contact_that_stays_closed_is_stuck_and_a_latched_one_is_not(school: School) -> None:
    """Without it a coin in the button would be one alarm, and then deafness without a word."""
    await pressed(school, "office")
    set_pin(school, HALL_PIN, CLOSED)
    await told(school, "alarm.raised", 2)
    (fault,) = await school.district.wait_for(
        lambda d: d.events(GATEWAY, "gatehouse.line.fault"), timeout_s=120
    )
    assert fault.event.data["fault"] == "stuck"
    assert fault.event.subject == "button/hall"
    await stage(school, "received", "hall", line="stuck")
    await pressed(school, "gate")  # others go on
    set_pin(school, HALL_PIN, OPEN)
    await told(school, "line.restored", fault="stuck")
    await pressed(school, "hall")
    assert len(school.district.alarms()) == 4


@pytest.mark.campaign  # 601 presses take their time
async def test_contact_that_chatters_is_a_fault_and_then_an_alarm_a_minute(school: School) -> None:
    """Without it a loose contact would bury every other alarm under its own."""
    for count in range(2, 1220, 2):
        press(school, "office", for_s=0.02)
        assert await school.lamp(moved(count), OFFICE_PIN)
        await stage(school, "idle", "office", line="normal")
        if school.district.events(GATEWAY, "gatehouse.line.fault"):
            break
    (fault,) = await told(school, "line.fault", fault="chatter")
    assert fault.event.subject == "button/office"
    assert len(school.district.alarms()) == 601
