"""Self-tests of a whole school: by hand, by the district's command, and never an alarm."""

import asyncio

from gatehouse import events
from gatehouse.events import Event
from gatehouse_sim.district.memory import Memory
from gatehouse_sim.school import GATEWAY, School
from system.seen import LIMIT_S, RELAY, at_rest, gatehouse, history, set_pin


def answered(district: Memory) -> Event | None:
    """Return the report that a command asked for."""
    reports = (record.event for record in district.events(type_=events.SELFTEST_REPORT))
    return next((event for event in reports if "command" in event.data), None)


WELL = ("configuration", "wiring", "lamps", "outbox", "broker", "district")


async def test_a_school_in_order_is_proven(school: School) -> None:
    """All the way: the district has the report, and no alarm was raised for it."""
    moved = history(school, RELAY)
    async with asyncio.timeout(LIMIT_S):
        while True:  # the room for alarms is made in the first seconds of an outbox
            answer = await school.agent.ask({"do": "outbox-check"})
            if answer["sound"] and answer["slices"] == answer["of"]:
                break
            await asyncio.sleep(0.1)
    said = await gatehouse(school, "selftest", "--json", GATEHOUSE_CLOCK="gatehouse_sim")
    rows = {row["name"]: row for row in said.json["checks"]}
    assert {name: rows[name]["result"] for name in WELL} == dict.fromkeys(WELL, "OK"), rows
    assert said.err == ""
    await at_rest(school)
    reports = [record.event for record in school.district.events(type_=events.SELFTEST_REPORT)]
    assert [e.data.get("trial", False) for e in reports] == [True, False]
    assert reports[1].data == said.json
    assert school.district.alarms() == []
    assert history(school, RELAY) == moved
    assert school.district.malformed == []
    status = await school.agent.status()
    assert status["link"]["connection"] == 1, "the gateway itself was not thrown out"


async def test_the_district_asks_for_one(school: School) -> None:
    """Somebody at the platform sees what a technician would; a cut wire is in it."""
    set_pin(school, 27, 1)
    await school.agent.wait_for(lambda s: s["buttons"][0]["line"] == "open")
    reply = await school.district.ask(GATEWAY, {"command": "selftest"})
    assert reply.body["ok"] is True
    again = await school.district.ask(GATEWAY, {"command": "selftest"})
    assert again.body["reason"] == "a self-test is under way"
    found = await school.district.wait_for(answered, timeout_s=LIMIT_S)
    assert found.data["command"] == reply.body["id"]
    rows = {row["name"]: row for row in found.data["checks"]}
    assert found.data["result"] == "FAIL"
    assert rows["wiring"]["result"] == "FAIL"
    assert "gate" in rows["wiring"]["figure"]
    assert found.mode == "test"
