"""A drill covers one named press and nothing else: it is no time of deafness."""

from gatehouse_sim.school import GATEWAY, School
from system.seen import (
    RED,
    RELAY,
    blinking,
    durable,
    gatehouse,
    history,
    lit,
    pressed,
    stage,
    told,
    turn_key,
)


async def test_covers_the_first_press_of_each_named_button(school: School) -> None:
    """Without it a real threat during a drill would be filed as an exercise."""
    said = await gatehouse(school, "drill", "start", "--for", "5m", "gate", "office")
    assert said.code == 0
    (started,) = await told(school, "drill.started")
    assert started.event.data == {"buttons": ["gate", "office"], "seconds": 300.0}
    assert started.event.mode == "drill"
    drill = (await gatehouse(school, "status", "--json")).json["drill"]
    assert drill["buttons"] == ["gate", "office"]
    assert 0 < drill["seconds_left"] <= 300

    alarms = [await pressed(school, button) for button in ("gate", "gate", "hall", "office")]
    modes = [record.event.mode for record in map(school.district.record, alarms) if record]
    assert modes == ["drill", "real", "real", "drill"]
    (ended,) = await told(school, "drill.ended")
    assert ended.event.data == {"reason": "complete", "not_pressed": []}
    assert (await school.agent.status())["drill"] is None
    for record in await told(school, "alarm.released", 2):
        alarm = school.district.record(record.event.data["alarm"])
        assert alarm is not None
        assert record.event.mode == alarm.event.mode


async def test_looks_the_same_and_leaves_the_relay(school: School) -> None:
    """Without it guards would learn a lamp that lies, or the police come for each exercise."""
    await gatehouse(school, "drill", "start", "gate")
    await pressed(school)
    assert await school.lamp(blinking(1.0), RED)
    assert history(school, RELAY) == []
    turn_key(school)
    (reset,) = await told(school, "alarm.reset")
    assert reset.event.mode == "drill"
    assert history(school, RELAY) == []

    await pressed(school)
    assert await school.lamp(lit, RELAY)


async def test_ends_by_command_by_time_and_by_restart(school: School) -> None:
    """Without it a forgotten drill would take the next real press, however late."""
    said = await gatehouse(school, "drill", "stop")
    assert said.code == 0
    await gatehouse(school, "drill", "start", "gate")
    await gatehouse(school, "drill", "stop")
    (stopped,) = await told(school, "drill.ended", reason="stopped")
    assert stopped.event.data["not_pressed"] == ["gate"]

    await gatehouse(school, "drill", "start", "--for", "0.5s", "gate")
    (expired,) = await told(school, "drill.ended", reason="expired")
    assert expired.event.data["not_pressed"] == ["gate"]

    for how in (school.agent.kill, school.agent.stop):
        await gatehouse(school, "drill", "start", "gate")
        await durable(school)
        before = len(school.district.events(GATEWAY, "gatehouse.drill.ended"))
        await how()
        await school.agent.start()
        ended = (await told(school, "drill.ended", before + 1))[-1]
        assert ended.event.data["reason"] == "restart"
        assert ended.event.mode == "drill"
        assert (await school.agent.status())["drill"] is None
    alarm = school.district.record(await pressed(school))
    assert alarm is not None
    assert alarm.event.mode == "real"


async def test_is_limited(school: School) -> None:
    """Without it a drill of a week would be a way to disarm the school."""
    for words in (
        ("start", "--for", "31m", "gate"),
        ("start", "--for", "0", "gate"),
        ("start", "--for", "soon", "gate"),
        ("start",),
        ("start", "nowhere"),
        (),
    ):
        said = await gatehouse(school, "drill", *words)
        assert said.code == 2, words
        assert said.out == ""
        assert said.err
    assert (await gatehouse(school, "drill", "start", "--for", "30m", "gate")).code == 0
    said = await gatehouse(school, "drill", "start", "office")
    assert said.code == 2  # one drill is running: it is not prolonged by another
    assert (await school.agent.status())["drill"]["buttons"] == ["gate"]
    await stage(school, "idle")
