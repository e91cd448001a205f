"""Alarms outlive the agent: killed or stopped, at each stage, with the button held or not."""

from collections.abc import Awaitable, Callable

import pytest

from gatehouse_sim.district import Manners
from gatehouse_sim.school import GATEWAY, School, steady
from gatehouse_sim.wires import CLOSED, OPEN
from system.seen import (
    RED,
    RELAY,
    alarms,
    at_rest,
    blinking,
    durable,
    gatehouse,
    history,
    lit,
    press,
    pressed,
    set_pin,
    stage,
    told,
    turn_key,
)

Ending = Callable[[School], Awaitable[object]]
HELD = {17: CLOSED, 27: OPEN}


@pytest.fixture(params=["kill -9", "SIGTERM"])
def end(request: pytest.FixtureRequest) -> Ending:
    """End the agent one way and the other."""

    async def kill(school: School) -> None:
        await durable(school)
        await school.agent.kill()

    async def stop(school: School) -> None:
        assert await school.agent.stop() == 0

    return kill if request.param == "kill -9" else stop


async def test_stored_alarm_is_delivered_by_the_next_start(school: School, end: Ending) -> None:
    """Without it a power cut during an outage would swallow the alarm."""
    await school.broker.stop()
    press(school)
    alarm = (await stage(school, "stored", line="normal"))["last_alarm"]
    await end(school)
    await school.agent.start()
    row = await stage(school, "stored")
    assert row["last_alarm"] == alarm
    assert await school.lamp(blinking(3.0), RED)
    assert await school.lamp(lit, RELAY)
    await school.broker.start()
    await stage(school, "received")
    assert school.district.deliveries(alarm) == 1
    assert len(alarms(school)) == 1


async def test_sent_received_and_acknowledged_stay_what_they_are(
    school: School, end: Ending
) -> None:
    """Without it a restart would tell the guard less than is proven, or more."""
    school.district.manners = Manners(receipts=False)
    press(school)
    alarm = (await stage(school, "sent", line="normal"))["last_alarm"]
    await end(school)
    await school.agent.start()
    await stage(school, "sent")

    school.district.manners = Manners()
    await stage(school, "received")  # it asks again on each new connection
    await at_rest(school)
    await end(school)
    await school.agent.start()
    await stage(school, "received")
    assert await school.lamp(blinking(1.0), RED)

    await school.district.acknowledge(GATEWAY, alarm, "王警官")
    await stage(school, "acknowledged")
    await at_rest(school)
    await school.agent.stop()
    await school.agent.start()
    await stage(school, "acknowledged")
    assert await school.lamp(steady(), RED)
    assert await school.lamp(lit, RELAY)

    turn_key(school)
    await told(school, "alarm.reset")
    await at_rest(school)
    await end(school)
    await school.agent.start()
    await stage(school, "idle")
    assert history(school, RELAY) == []
    assert len(alarms(school)) == 1


async def test_reset_and_release_are_told_after_a_restart_too(school: School, end: Ending) -> None:
    """Without it an alarm that stood over a restart could never be ended properly."""
    with school.wires() as wires:
        wires.set(27, OPEN)
        wires.set(17, CLOSED)
    (alarm,) = await told(school, "alarm.raised")
    await at_rest(school)
    await end(school)
    await school.agent.start()  # let go while nobody looked
    (released,) = await told(school, "alarm.released", location="南门门卫室")
    assert released.event.data["alarm"] == alarm.id
    said = await gatehouse(school, "reset", "gate", "--by", "李", "--reason", "mistake")
    assert said.code == 0
    (reset,) = await told(school, "alarm.reset")
    assert reset.event.data == {"by": "李", "reason": "mistake", "alarms": [alarm.id]}
    assert len(alarms(school)) == 1


async def test_button_held_over_a_restart_is_the_alarm_that_stands(
    school: School, end: Ending
) -> None:
    """Without it each restart would raise the same press again, or forget that it is held."""
    with school.wires() as wires:
        wires.set(27, OPEN)
        wires.set(17, CLOSED)
    (alarm,) = await told(school, "alarm.raised")
    await at_rest(school)
    await end(school)
    await school.agent.start(levels=HELD)
    row = await stage(school, "received", line="active")
    assert row["last_alarm"] == alarm.id
    with school.wires() as wires:
        wires.set(17, OPEN)
        wires.set(27, CLOSED)
    (released,) = await told(school, "alarm.released", location="南门门卫室")
    assert released.event.data["alarm"] == alarm.id
    await pressed(school)
    assert len(alarms(school)) == 2


async def test_button_pressed_while_nobody_listened_is_an_alarm(
    school: School, end: Ending
) -> None:
    """Without it a press during a restart or a power cut would never be heard."""
    await pressed(school)  # released, and not reset: the next one is its own all the same
    await at_rest(school)
    await end(school)
    await school.agent.start(levels=HELD)
    held = (await told(school, "alarm.raised", 2, location="南门门卫室"))[-1]
    assert held.event.data == {"location": "南门门卫室", "held_at_start": True}
    assert await school.lamp(lit, RELAY)
    set_pin(school, 17, OPEN)
    set_pin(school, 27, CLOSED)
    released = await told(school, "alarm.released", 2, location="南门门卫室")
    assert released[-1].event.data["alarm"] == held.id
