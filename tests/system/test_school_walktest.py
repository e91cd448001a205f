"""One technician walks the school: each press is followed to the district and answered there."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema

from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.school import GATEWAY, School
from system.seen import (
    BUZZER,
    HALL_KEY,
    HALL_RED,
    LIMIT_S,
    OFFICE_PIN,
    RED,
    RELAY,
    alarms,
    blinking,
    durable,
    gatehouse,
    history,
    lit,
    moved,
    pressed,
    set_pin,
    stage,
    told,
    turn_key,
)

SCHEMA = json.loads((files("gatehouse") / "schemas" / "walktest.schema.json").read_text())


@contextlib.asynccontextmanager
async def walking(school: School, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Type ``gatehouse walktest --json`` and wait until it is on; end it at the end."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GATEHOUSE_", "LANG", "LC_"))}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("gatehouse")),
        "walktest",
        "--json",
        *words,
        env={**kept, "GATEHOUSE_CONFIG": str(school.place.config)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        await school.agent.wait_for(lambda s: s["walktest"] is not None, timeout_s=LIMIT_S)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def document(process: asyncio.subprocess.Process) -> tuple[int, Any]:
    """Wait for the end of a walk; return its exit code and the one document that it printed."""
    async with asyncio.timeout(LIMIT_S):
        out, _ = await process.communicate()
    found = json.loads(out)
    jsonschema.validate(found, SCHEMA)
    return process.returncode or 0, found


async def test_one_technician_walks_the_school(school: School) -> None:
    """Without it an installation could be handed over with a button that reaches nobody."""
    async with walking(school) as walk:
        status = await school.agent.status()
        assert status["walktest"]["buttons"] == ["gate", "office", "hall"]
        gate = await pressed(school)
        assert await school.lamp(moved(3), BUZZER)  # though it is silent
        reply = await school.district.acknowledge(GATEWAY, gate, "值班员")
        assert reply.body["ok"] is True
        await stage(school, "acknowledged")
        assert await school.lamp(lit, RED)
        hall = await pressed(school, "hall")
        assert await school.lamp(blinking(1.0), HALL_RED)
        turn_key(school, HALL_KEY)  # a key resets the hall's before anybody answers
        office = await pressed(school, "office")  # it stays in
        set_pin(school, OFFICE_PIN, 1)  # turned back with its key
        code, said = await document(walk)
    assert code == 0
    assert (said["result"], said["reason"]) == ("OK", "complete")
    rows = {row["name"]: row for row in said["buttons"]}
    assert [rows[name]["alarm"] for name in ("gate", "office", "hall")] == [gate, office, hall]
    assert rows["gate"]["acknowledged_ms"] > rows["gate"]["received_ms"] > 0
    assert rows["hall"]["acknowledged_ms"] is None
    (report,) = await told(school, "walktest.report")
    assert report.event.mode == "test"
    assert [row["result"] for row in report.event.data["buttons"]] == ["OK"] * 3
    resets = {r.event.subject: r.event for r in await told(school, "alarm.reset", 3)}
    assert resets["button/gate"].data == {"by": "walktest", "reason": "test", "alarms": [gate]}
    assert resets["button/hall"].data["by"] == "key"
    assert resets["button/office"].data["reason"] == "turned-back"
    assert {reset.mode for reset in resets.values()} == {"test"}
    raised = await told(school, "alarm.raised", 3)
    released = await told(school, "alarm.released", 3)
    assert {record.event.mode for record in (*raised, *released)} == {"test"}
    assert history(school, RELAY) == []
    await stage(school, "idle", line="normal")

    await pressed(school)
    assert alarms(school)[-1].event.mode == "real"
    assert await school.lamp(lit, RELAY)


async def test_a_second_press_is_real_and_ctrl_c_ends_it(school: School) -> None:
    """A walk test is no time of deafness, and what was walked is not lost."""
    async with walking(school, "hall", "gate", "--timeout", "600") as walk:
        await pressed(school, "hall")
        await stage(school, "received", "hall")
        await pressed(school, "hall")
        assert [record.event.mode for record in alarms(school, "hall")] == ["test", "real"]
        refused = await gatehouse(school, "drill", "start", "office")
        assert refused.code == 2
        walk.send_signal(signal.SIGINT)
        code, said = await document(walk)
    assert (code, said["result"], said["reason"]) == (1, "FAIL", "left")
    assert [row["result"] for row in said["buttons"]] == ["OK", "NOT WALKED"]
    (report,) = await told(school, "walktest.report")
    assert [row["result"] for row in report.event.data["buttons"]] == ["OK", "NOT WALKED"]
    assert report.event.data["reason"] == "left"
    await stage(school, "received", "hall")  # the real one stands
    assert (await school.agent.status())["walktest"] is None
    await pressed(school)
    assert alarms(school)[-1].event.mode == "real"

    again = await gatehouse(school, "walktest", "gate", "--json")
    assert (again.code, again.out) == (2, "")  # an alarm stands there


async def test_a_kill_of_either_end_leaves_nothing_covered(school: School) -> None:
    """A telephone whose battery is flat must not make the next press a test."""
    async with walking(school, "gate") as walk:
        walk.kill()
        await school.agent.wait_for(lambda s: s["walktest"] is None, timeout_s=LIMIT_S)
        (report,) = await told(school, "walktest.report")
        assert report.event.data["buttons"][0]["result"] == "NOT WALKED"

    async with walking(school, "gate"):
        alarm = await pressed(school)
        await durable(school)
        await school.agent.kill()
        await school.agent.start()
    (reset,) = await told(school, "alarm.reset", by="walktest")
    assert reset.event.data["alarms"] == [alarm]
    await stage(school, "idle")
    await pressed(school)
    assert [record.event.mode for record in alarms(school)] == ["test", "real"]


async def test_a_school_that_nobody_walked_for_ninety_days_has_a_fault(school: School) -> None:
    """Without it a wire that was cut behind a cupboard would be found by the next emergency."""
    await durable(school)
    turn_key(school, HALL_KEY)
    await stage(school, "idle", "hall")
    await school.agent.stop()
    school.agent.move_clock(offset_s=91 * 86_400.0)
    await school.agent.start(GATEHOUSE_BOOTID="11111111-2222-4333-8444-555555555555")
    (fault,) = await told(school, "gateway.fault", fault="walktest-due")
    assert fault.event.data["buttons"] == ["gate", "office", "hall"]

    async with walking(school) as walk:
        await pressed(school, "hall")
        turn_key(school, HALL_KEY)
        await pressed(school)
        turn_key(school)
        await pressed(school, "office")
        set_pin(school, OFFICE_PIN, 1)
        code, _ = await document(walk)
    assert code == 0
    await told(school, "gateway.restored", fault="walktest-due")
    assert (await school.agent.status())["faults"] == []
