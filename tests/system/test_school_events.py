"""Events as they go over the wire (contract section 4), heard by a client that is not ours."""

import itertools
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import MQTTMessage

from gatehouse import events
from gatehouse_sim.school import DISTRICT_NAME, GATEWAY, School, opened
from sim.paho_gateway import PahoGateway
from system.seen import (
    MAINS,
    PLAN,
    TAMPER,
    at_rest,
    durable,
    gatehouse,
    pressed,
    set_pin,
    stage,
    told,
    turn_key,
)

ENVELOPE = [
    *("specversion", "id", "source", "type", "subject", "time", "datacontenttype"),
    *("store", "sequence", "bootid", "monotonic", "clock", "mode", "data"),
]
UP = f"gatehouse/v1/{GATEWAY}/up"


@pytest.fixture
async def ear(school: School) -> AsyncIterator[PahoGateway]:
    """Listen to everything the gateway says, with the district's certificate."""
    ear = PahoGateway("ear", school.authority.client(DISTRICT_NAME, file="ear"))
    assert await ear.connect(school.broker.url) == 0
    assert await ear.subscribe(f"{UP}/#") < 0x80
    yield ear
    await ear.close()


async def heard(ear: PahoGateway, type_: str) -> tuple[MQTTMessage, dict[str, Any]]:
    """Return the next event of a type."""
    while True:
        message = await ear.next()
        body = json.loads(message.payload)
        if body.get("type") == f"gatehouse.{type_}":
            return message, body


async def test_envelope_is_the_contracts(school: School, ear: PahoGateway) -> None:
    """Without it no platform but our own could read the events."""
    before, status = time.time(), await school.agent.status()
    alarm = await pressed(school)
    message, body = await heard(ear, "alarm.raised")
    properties: Any = message.properties  # paho types none of them
    assert properties.json()["ContentType"] == "application/cloudevents+json"
    assert message.qos == 1
    assert not message.retain
    assert "MessageExpiryInterval" not in properties.json()  # alarms never expire
    assert list(body) == ENVELOPE
    assert body["specversion"] == "1.0"
    assert body["id"] == alarm
    assert uuid.UUID(alarm).version == 7
    assert uuid.UUID(alarm).variant == uuid.RFC_4122
    assert body["source"] == f"/gatehouse/{GATEWAY}"
    assert body["subject"] == "button/gate"
    assert body["datacontenttype"] == "application/json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["time"])
    at_s = datetime.fromisoformat(body["time"]).timestamp()
    assert before - 1 < at_s < time.time() + 1
    assert abs((uuid.UUID(alarm).int >> 80) / 1000 - at_s) < 0.002
    assert uuid.UUID(body["store"]).version == 4
    assert re.fullmatch(r"00000001\.\d{10}", body["sequence"])
    assert body["bootid"] == status["bootid"]
    assert 0 < int(body["monotonic"]) < time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert body["clock"] == "synced"
    assert body["mode"] == "real"
    assert body["data"] == {"location": "南门门卫室", "held_at_start": False}


async def test_alarms_go_on_their_own_topic(school: School, ear: PahoGateway) -> None:
    """Without it a platform could not give alarms a faster lane than door contacts."""
    await pressed(school)
    turn_key(school)
    with school.wires() as wires:
        wires.set(27, 1)  # the loop is cut
    set_pin(school, TAMPER, 1)
    set_pin(school, MAINS, 1)
    await told(school, "line.fault", fault="open")
    await told(school, "power.fault")
    set_pin(school, 27, 0)
    await told(school, "line.restored")
    topics: dict[str, str] = {}
    while "gatehouse.line.restored" not in topics:
        message = await ear.next()
        if (body := json.loads(message.payload)).get("type"):
            topics[body["type"]] = message.topic
    alarms = {"alarm.raised", "alarm.released", "alarm.reset", "line.fault"}
    others = {"line.restored", "tamper.opened", "power.fault"}
    assert {name for name, topic in topics.items() if topic == f"{UP}/alarm"} == {
        f"gatehouse.{name}" for name in alarms
    }
    assert {name for name, topic in topics.items() if topic == f"{UP}/event"} == {
        f"gatehouse.{name}" for name in others
    }


async def test_numbers_are_consecutive_and_in_the_order_of_the_happening(school: School) -> None:
    """Without it the district could not tell a lost event from one that never was."""
    for _ in range(3):
        await pressed(school)
        turn_key(school)
        await stage(school, "idle")
    await school.agent.stop()
    await school.agent.start()
    await at_rest(school)
    records = sorted(school.district.events(GATEWAY), key=lambda r: r.event.sequence)
    for start, group in itertools.groupby(records, key=lambda r: r.event.start):
        of_start = [record.event for record in group]
        assert [event.count for event in of_start] == list(range(1, len(of_start) + 1))
        assert of_start[0].type == events.GATEWAY_STARTED
        monotonic = [int(event.monotonic) for event in of_start]
        assert start in {1, 2}
        assert monotonic == sorted(monotonic)
    assert school.district.conflicts == []
    assert school.district.missing(GATEWAY) == []


async def test_log_holds_what_went_over_the_wire(school: School, ear: PahoGateway) -> None:
    """Without it the log on site and the district's would not be one story."""
    await pressed(school)
    _, body = await heard(ear, "alarm.raised")
    await at_rest(school)
    said = await gatehouse(school, "events", "--json")
    assert said.code == 0
    logged = {event["id"]: event for event in said.json["events"]}
    assert logged[body["id"]] == {**body, "pending": False}
    assert (await gatehouse(school, "events", "--pending", "--json")).json == {"events": []}
    newest = (await gatehouse(school, "events", "--limit", "2", "--json")).json["events"]
    assert newest == said.json["events"][-2:]


async def test_start_tells_where_it_goes_on_and_why(school_root: Path) -> None:
    """Without it the district would wait for numbers that never were, or miss some that were."""
    async with opened(school_root, PLAN) as school:
        await at_rest(school)
        (first,) = await told(school, "gateway.started")
        assert first.event.sequence == "00000001.0000000001"
        assert first.event.data == {"previous": None, "reason": "first"}

        fence = await durable(school)
        await school.agent.kill()
        await school.agent.start()
        second = (await told(school, "gateway.started", 2))[-1]
        assert second.event.data["reason"] == "crash"
        record = await school.district.wait_for(lambda d: d.record(fence))
        await at_rest(school)  # what was stored and not yet sent comes beside the start's own event
        last = max(r.event.sequence for r in school.district.events() if r.event.start == 1)
        assert record.event.sequence <= second.event.data["previous"] <= last

        assert await school.agent.stop() == 0
        (stopped,) = await told(school, "gateway.stopped")
        assert stopped.event.data == {"reason": "command"}
        await school.agent.start()
        third = (await told(school, "gateway.started", 3))[-1]
        assert third.event.data == {"previous": stopped.event.sequence, "reason": "command"}

        await durable(school)  # else the start before is the last that the disk knows of
        await school.agent.kill()
        await school.agent.start(GATEHOUSE_BOOTID="1f9d2c4e-0000-4000-8000-000000000001")
        fourth = (await told(school, "gateway.started", 4))[-1]
        assert fourth.event.data["reason"] == "power"
        assert fourth.event.bootid == "1f9d2c4e-0000-4000-8000-000000000001"
        assert [r.event.start for r in await told(school, "gateway.started", 4)] == [1, 2, 3, 4]
        assert len({r.event.store for r in school.district.events(GATEWAY)}) == 1


async def test_outbox_that_is_gone_is_a_new_store(school: School) -> None:
    """Without it number 1 of a new card would look like number 1 of the old one."""
    (before,) = await told(school, "gateway.started")
    await school.agent.stop()
    for file in school.place.state_dir.glob("outbox.db*"):
        file.unlink()
    await school.agent.start()
    fresh = next(r for r in await told(school, "gateway.started", 2) if r.id != before.id)
    assert fresh.event.store != before.event.store
    assert fresh.event.sequence == before.event.sequence
    assert fresh.event.data == {"previous": None, "reason": "first"}
    await at_rest(school)
    assert school.district.conflicts == []


async def test_heartbeat_tells_how_it_is(school_root: Path) -> None:
    """Without it the district would learn of a full disk or a slow line when it is too late."""
    lines = "heartbeat_s = 1"
    plan = replace(PLAN, district_lines=lines)
    async with opened(school_root, plan) as school:
        body = (await school.district.wait_for(lambda d: d.telemetry[1:])).pop().body
        assert datetime.fromisoformat(body["time"]).tzinfo == UTC
        assert body["gateway"] == GATEWAY
        assert body["link"]["state"] == "connected"
        assert set(body["latency_ms"]) == {"stored", "sent", "received"}
        assert body["uptime_s"] > 0
        assert len(body["machine"]["load"]) == 3
        for key in ("memory_percent", "rss_bytes", "disk_free_bytes", "disk_percent"):
            assert body["machine"][key] > 0
        assert {"pending", "pending_alarms", "oldest_s", "bytes"} <= set(body["outbox"])
