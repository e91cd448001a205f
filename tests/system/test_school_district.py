"""What a person at the district may ask for, and what is refused (contract section 3)."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gatehouse_district.receiver.heard import Reply
from gatehouse_sim.district import Manners, Record
from gatehouse_sim.school import GATEWAY, School, opened
from system.seen import GREEN, PLAN, at_rest, gatehouse, lit, press, pressed, stage, told

UNKNOWN = "unknown command"


def at(seconds: float) -> str:
    """Return a moment so far from now, as a command writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def refusal(school: School, body: dict[str, Any]) -> tuple[Reply, Record]:
    """Send a command that must be refused; return the reply and the event that tells of it."""
    before = len(school.district.events(GATEWAY, "gatehouse.command.refused"))
    reply = await school.district.ask(GATEWAY, body)
    return reply, (await told(school, "command.refused", before + 1))[-1]


async def test_acknowledge_is_answered_with_its_correlation_data(school: School) -> None:
    """Without it the officer's screen could not tell which of his answers arrived."""
    alarm = await pressed(school)
    command = {"id": "c-1", "expires": at(60), "command": "acknowledge", "alarm": alarm, "by": "甲"}
    school.district.command(GATEWAY, command, b"\x00its own\xff")
    reply = await school.district.wait_for(lambda d: d.replies[-1] if d.replies else None)
    assert reply.correlation == b"\x00its own\xff"
    assert reply.body == {"id": "c-1", "ok": True}
    await stage(school, "acknowledged")


async def refuses(school: School, cases: list[tuple[dict[str, Any], str]]) -> None:
    """Send one command after the other; see each refused, counted and told, and nothing moved."""
    alarm = await pressed(school)
    for count, (body, reason) in enumerate(cases, 1):
        reply, event = await refusal(school, body)
        assert reply.body["ok"] is False
        assert reply.body["reason"] == reason
        assert event.event.data["reason"] == reason
        assert event.event.data["count"] == count
        assert event.event.subject == "gateway"
    assert (await stage(school, "received"))["last_alarm"] == alarm
    assert (await school.agent.status())["drill"] is None


async def test_what_is_not_for_the_district_is_refused(school: School) -> None:
    """Without it whoever broke into the platform could disarm every school at once."""
    await refuses(
        school,
        [
            ({"command": "reset", "button": "gate", "by": "甲", "reason": "real"}, UNKNOWN),
            ({"command": "drill-start", "buttons": ["gate"], "seconds": 60}, UNKNOWN),
            ({"command": "open-the-gate"}, UNKNOWN),
        ],
    )


async def test_what_makes_no_sense_is_refused_with_a_reason(school: School) -> None:
    """Without it a command that did nothing would look like one that was carried out."""
    await refuses(
        school,
        [
            ({"command": "acknowledge", "alarm": "nobody-knows", "by": "甲"}, "unknown alarm"),
            ({"command": "acknowledge", "alarm": "x"}, "acknowledge needs alarm and by"),
            ({"command": "snapshot", "camera": "nowhere"}, "unknown camera"),
            ({"command": "release-evidence"}, "release-evidence needs alarm"),
            ({"command": "acknowledge", "expires": at(-1)}, "expired"),
            ({"command": "selftest", "expires": at(48 * 3600)}, "expires more than 24 h ahead"),
            ({"command": "selftest", "expires": "tomorrow"}, "malformed"),
            ({"command": 7}, "malformed"),
            ({}, "malformed"),
        ],
    )


async def test_flood_of_refusals_is_answered_and_not_all_told(school: School) -> None:
    """Without it a mad platform could fill the log that a court may want to read."""
    for _ in range(15):
        reply = await school.district.ask(GATEWAY, {"command": "open-the-gate"})
        assert reply.body["reason"] == UNKNOWN
    await at_rest(school)
    assert len(await told(school, "command.refused", 10)) == 10


async def test_replayed_command_is_refused_also_after_a_restart(school: School) -> None:
    """Without it whoever recorded an answer could give it to the next alarm."""
    first = await pressed(school)
    command = {"id": str(uuid.uuid4()), "expires": at(600), "command": "acknowledge", "by": "甲"}
    assert (await school.district.ask(GATEWAY, command | {"alarm": first})).body["ok"] is True
    reply, _ = await refusal(school, command | {"alarm": first})
    assert reply.body["reason"] == "replayed"
    await at_rest(school)
    await school.agent.stop()
    await school.agent.start()
    second = await pressed(school)
    reply, event = await refusal(school, command | {"alarm": second})
    assert reply.body["reason"] == "replayed"
    assert event.event.data == {
        "reason": "replayed",
        "count": 1,
        "id": command["id"],
        "command": "acknowledge",
    }
    await stage(school, "received")


async def test_nonsense_of_every_kind_changes_nothing(school: School) -> None:
    """Without it one broken message from the platform could cost a school its alarm."""
    nonsense = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"id": 1}',
        b"x" * 9000,
    ]
    down = f"gatehouse/v1/{GATEWAY}/down"
    for payload in nonsense:
        school.district.say(f"{down}/command", payload, b"c")
        school.district.say(f"{down}/receipt", payload)
        school.district.say(f"{down}/other", payload)
    replies = await school.district.wait_for(
        lambda d: d.replies if len(d.replies) == len(nonsense) else None
    )
    assert {json.dumps(reply.body) for reply in replies} == {
        json.dumps({"id": None, "ok": False, "reason": "malformed"})
    }
    alarm = await pressed(school)
    assert (await school.district.acknowledge(GATEWAY, alarm, "甲")).body["ok"] is True
    assert (await at_rest(school))["link"]["connection"] == 1


async def test_receipts_for_unknown_ids_and_doubled_ones_are_harmless(school: School) -> None:
    """Without it a platform that repeats itself could end an event it never had."""
    await school.broker.stop()
    await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
    await gatehouse(school, "drill", "start", "gate")
    pending = (await school.agent.status())["outbox"]["pending"]
    assert pending > 0
    await school.broker.start()
    await at_rest(school)
    alarm = await pressed(school, "office")
    school.district.receipt(GATEWAY, [alarm, alarm, "no-such-event"])
    school.district.receipt("another-gateway", [alarm])
    assert (await school.district.acknowledge(GATEWAY, alarm, "甲")).body["ok"] is True
    assert (await school.agent.status())["link"]["connection"] == 2


async def test_district_that_sends_no_receipts_ends_an_event_with_the_puback(
    school_root: Path,
) -> None:
    """Without it a district that cannot send receipts would have every event again for ever."""
    plan = replace(PLAN, district_lines="receipts = false")
    async with opened(school_root, plan) as school:
        school.district.manners = Manners(receipts=False)
        await at_rest(school)
        assert await school.lamp(lit, GREEN)  # its PUBACKs are the proof that it is there
        press(school)
        row = await stage(school, "sent", line="normal")
        status = await at_rest(school)
        assert status["latency_ms"]["received"]["n"] == 0
        await school.district.acknowledge(GATEWAY, row["last_alarm"], "甲")
        await stage(school, "acknowledged")
        await school.agent.stop()
        await school.agent.start()
        await stage(school, "acknowledged")
        await at_rest(school)
        assert school.district.deliveries(row["last_alarm"]) == 1
