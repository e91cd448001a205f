"""A press on its way to the district and back, as the guard and the district see it."""

import contextlib
import time

from gatehouse_sim.district import Manners
from gatehouse_sim.school import GATEWAY, School, blinks, steady
from system.seen import (
    BUZZER,
    GREEN,
    HALL_BUZZER,
    HALL_KEY,
    HALL_PIN,
    HALL_RED,
    RED,
    RELAY,
    at_rest,
    blinking,
    dark,
    gatehouse,
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


async def test_lamp_tells_how_far_the_alarm_is(school: School) -> None:
    """Without it the guard cannot tell whether help knows: the three patterns are his only news."""
    school.district.manners = Manners(receipts=False)
    at_ns = press(school)
    alarm = (await stage(school, "sent"))["last_alarm"]
    assert await school.lamp(blinking(3.0, since_ns=at_ns), RED)

    at_ns = time.monotonic_ns()
    school.district.manners = Manners()
    school.district.receipt(GATEWAY, [alarm])
    await stage(school, "received")
    assert await school.lamp(blinking(1.0, since_ns=at_ns), RED)

    reply = await school.district.acknowledge(GATEWAY, alarm, "王警官")
    assert reply.body == {"id": reply.body["id"], "ok": True}
    await stage(school, "acknowledged")
    assert await school.lamp(steady(), RED)

    at_ns = time.monotonic_ns()
    said = await gatehouse(school, "reset", "gate", "--by", "李保安", "--reason", "real")
    assert said.code == 0
    await stage(school, "idle")
    assert await school.lamp(dark, RED)
    assert await school.lamp(lit, GREEN)


async def test_each_stage_is_reported_once_and_in_order(school: School) -> None:
    """Without it what a technician follows on site would not be what happened."""
    async with contextlib.aclosing(school.agent.follow()) as lines:
        assert (await anext(lines))["following"]
        edge_ns = press(school)
        heard = [await anext(lines) for _ in range(4)]
    assert {line["stage"] for line in heard} == {"raised", "stored", "sent", "received"}
    assert heard[0]["stage"] == "raised"
    assert heard[0]["t"] >= edge_ns
    assert len({line["alarm"] for line in heard}) == 1
    status = await at_rest(school)
    for name in ("stored", "sent", "received"):
        figures = status["latency_ms"][name]
        assert figures["n"] == 1
        assert 0 < figures["p50"] == figures["p99"] == figures["max"]


async def test_relay_closes_before_disk_and_network(school: School) -> None:
    """Without it an existing alarm host would wait for our disk and our network."""
    async with contextlib.aclosing(school.agent.follow()) as lines:
        assert (await anext(lines))["following"]
        edge_ns = press(school)
        reached = {line["stage"]: line["t"] for line in [await anext(lines) for _ in range(4)]}
    alarm = (await told(school, "alarm.raised"))[0]
    (at_ns, level), *more = history(school, RELAY)
    assert level == 1
    assert not more
    assert edge_ns <= at_ns < min(alarm.arrived_ns, reached["stored"], reached["sent"])

    turn_key(school)
    await told(school, "alarm.reset")
    await stage(school, "idle")
    assert [level for _, level in history(school, RELAY)] == [1, 0]


async def test_silent_button_makes_no_sound_and_a_loud_one_does(school: School) -> None:
    """Without it a silent alarm would betray the guard to the person in front of him."""
    await pressed(school, "gate")
    alarm = await pressed(school, "hall")
    assert await school.lamp(lambda edges: len(edges) > 3, HALL_BUZZER)
    assert history(school, BUZZER) == []
    await school.district.acknowledge(GATEWAY, alarm, "王警官")
    assert await school.lamp(dark, HALL_BUZZER)


async def test_each_press_is_an_alarm_also_while_one_stands(school: School) -> None:
    """Without it a second threat before the reset would go unheard."""
    alarms = [await pressed(school) for _ in range(3)]
    assert len(set(alarms)) == 3
    await school.district.acknowledge(GATEWAY, alarms[0], "甲")
    await stage(school, "received")  # the least advanced one is shown
    await school.district.acknowledge(GATEWAY, alarms[2], "乙")
    await stage(school, "acknowledged")  # and with it the one between
    released = await told(school, "alarm.released", 3)
    assert [record.event.data["alarm"] for record in released] == alarms
    turn_key(school)
    (reset,) = await told(school, "alarm.reset")
    assert reset.event.data["alarms"] == alarms


async def test_acknowledging_one_button_leaves_the_others(school: School) -> None:
    """Without it an answer to the gate would look to the office as if it were theirs."""
    gate = await pressed(school, "gate")
    await pressed(school, "office")
    await school.district.acknowledge(GATEWAY, gate, "甲")
    await stage(school, "acknowledged", "gate")
    await stage(school, "received", "office")


async def test_bounce_is_one_press_and_a_spike_is_none(school: School) -> None:
    """Without it each press would be five alarms, and a radio set at the gate would raise some."""
    for count in (2, 4, 6):
        press(school, "hall", for_s=0.02)  # far under its filter_ms = 300
        assert await school.lamp(moved(count), HALL_PIN)
    with school.wires() as wires:
        wires.request("press", pin=17, for_s=0.2, bounce_ms=8)
    await told(school, "alarm.released")
    await at_rest(school)
    assert [alarm.event.subject for alarm in school.district.alarms()] == ["button/gate"]
    assert school.district.conflicts == []


async def test_an_outage_shows_and_ends(school: School) -> None:
    """Without it an alarm that nobody got would look to the guard like one that was heard."""
    await school.broker.stop()
    await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
    at_ns = press(school)
    await stage(school, "stored")
    status = await school.agent.status()
    assert status["outbox"]["pending_alarms"] == 1
    assert status["outbox"]["bytes"] > 0
    waiting = (await gatehouse(school, "events", "--pending", "--json")).json["events"]
    assert all(event["pending"] for event in waiting)
    assert "gatehouse.alarm.raised" in [event["type"] for event in waiting]
    assert await school.lamp(blinking(3.0, since_ns=at_ns), RED)
    await stage(school, "undelivered")
    assert (await school.agent.status())["outbox"]["oldest_s"] > 0

    at_ns = time.monotonic_ns()
    await school.broker.start()
    press(school)  # also hurries the link, which may be sitting out a pause
    await stage(school, "received")
    assert await school.lamp(blinking(1.0, since_ns=at_ns), RED)
    status = await at_rest(school)
    assert status["outbox"] == {"pending": 0, "pending_alarms": 0, "oldest_s": 0.0, "bytes": 0}
    assert len(school.district.alarms()) == 2


async def test_red_alone_says_ready_by_a_blip_and_a_fault_by_none(school: School) -> None:
    """Without it a guard with one lamp could not tell a ready button from a dead one."""

    def blips(edges: list[tuple[int, int]]) -> bool:
        rises = [at for at, level in edges if level == 1]
        return len(rises) > 1 and 9 < (rises[-1] - rises[-2]) / 1e9 < 11

    def short(edges: list[tuple[int, int]]) -> bool:
        return edges[-1][1] == 0 and (edges[-1][0] - edges[-2][0]) / 1e9 < 1

    assert await school.lamp(blips, HALL_RED)
    assert await school.lamp(short, HALL_RED)
    set_pin(school, 12, 1)  # the lid
    await told(school, "tamper.opened")
    press(school, "hall")
    await stage(school, "received", "hall")
    assert await school.lamp(blinks(1.0), HALL_RED)  # an alarm is shown all the same
    turn_key(school, HALL_KEY)
    assert await school.lamp(dark, HALL_RED)
    set_pin(school, 12, 0)
    at_ns = time.monotonic_ns()
    assert await school.lamp(lambda edges: edges[-1][0] > at_ns and lit(edges), HALL_RED)
