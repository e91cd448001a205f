"""Nonsense with the district's right: on the gateway's own topics, of every kind."""

import json
from pathlib import Path
from typing import Final

import msgspec

from gatehouse.uplink.topics import Topics
from gatehouse_sim.district import MALFORMED
from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import arrived, press, well, whole

TOPICS: Final = Topics.of(GATEWAY)

NONSENSE: Final = (
    *MALFORMED,
    b"\x00" * 1000,
    b"\xed\xa0\x80",  # a lone surrogate as bytes
    b'{"ids": ["\\ud800"]}',
    b'{"ids": [' + b'"x",' * 20_000 + b'"x"]}',
    b'{"ids": ["' + b"x" * 100_000 + b'"]}',
    b'{"ids": {"a": ' * 3000,
    b'{"ids": [1e999]}',
    b'{"ids": [null, true, 1.5, {}, []]}',
    b'{"id": 7, "expires": 7, "command": 7}',
    b'{"id": "", "expires": 1, "command": "acknowledge"}',
    b'{"id": "\\u0000", "expires": 4e9, "command": "acknowledge", "alarm": "\\u0000", "by": "x"}',
    b'{"id": "a", "expires": 1e999, "command": "acknowledge"}',
    b'{"id": "b", "expires": "never", "command": "acknowledge"}',
    b'{"id": "c", "expires": "9999-12-31T23:59:59-23:59", "command": "acknowledge"}',
    b'{"id": "d", "expires": "0001-01-01T00:00:00+23:59", "command": "acknowledge"}',
    b'{"id": "e", "expires": 4e9, "command": "disarm"}',
    b'{"id": "' + b"i" * 5000 + b'", "expires": 4e9, "command": "acknowledge"}',
    b'{"id": "f", "expires": 4e9, "command": "snapshot", "camera": ' + b"[" * 9000,
)
"""What no gateway of this contract may fall over."""


async def heard(school: School) -> None:
    """Wait until the agent has read everything that was said before."""
    await school.district.ask(GATEWAY, {"command": "snapshot"})


async def test_nonsense_costs_neither_the_connection_nor_a_press(school_root: Path) -> None:
    """Whoever holds the district's right must not be able to silence a gateway with it."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        await school.district.go_away(keep=False)
        waits = await press(school)
        await school.district.come_back()
        for topic in (TOPICS.receipt, TOPICS.command):
            for payload in NONSENSE:
                school.district.say(topic, payload, b"\x00" * 60_000 if len(payload) < 9 else None)
            await heard(school)
        alarm = await press(school)
        await arrived(school.district, waits, alarm)
        status = await well(school)
        assert status["link"]["connection"] == 1
        refused = [r.body["reason"] for r in school.district.replies if not r.body["ok"]]
        assert refused.count("malformed") >= len(MALFORMED)
        told = school.district.events(GATEWAY, "gatehouse.command.refused")
        assert 1 <= len(told) <= 10  # counted, and a flood does not fill the outbox
        assert max(record.event.data["count"] for record in told) > 1
        await whole(school)


async def test_packet_above_the_gateways_limit(school_root: Path) -> None:
    """The broker keeps what is above 128 KiB from us; if it does not, only the line is lost."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        just_under = 128 * 1024 - len(TOPICS.command) - 20
        school.district.say(TOPICS.receipt, b" " * just_under)
        school.district.say(TOPICS.command, b"{" + b" " * just_under)
        await heard(school)
        assert (await school.agent.status())["link"]["connection"] == 1
        alarm = await press(school)
        await arrived(school.district, alarm)
        await whole(school)


async def test_flood_of_commands_drops_no_receipt(school_root: Path) -> None:
    """Receipts are never dropped for commands: the lamp would stay fast on a delivered alarm."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        for number in range(2000):
            body = {"id": f"flood-{number}", "expires": 4e9, "command": "disarm"}
            school.district.command(GATEWAY, body)
        alarms = [await press(school) for _ in range(3)]
        await arrived(school.district, *alarms)
        await well(school)
        status = await school.agent.status()
        assert status["buttons"][0]["alarm"] == "received"
        assert status["link"]["connection"] == 1
        await whole(school)


async def test_command_for_another_is_not_ours(school_root: Path) -> None:
    """Nothing remote resets, disarms or drills, however it is spelt."""
    async with opened(school_root, Plan()) as school:
        await well(school)
        alarm = await press(school)
        await arrived(school.district, alarm)
        for command in ("reset", "drill-start", "drill", "disarm", "ACKNOWLEDGE", "acknowledge "):
            asked = {"command": command, "alarm": alarm, "by": "x", "buttons": ["gate"]}
            reply = await school.district.ask(GATEWAY, asked)
            assert reply.body["ok"] is False
        status = await well(school)
        assert status["buttons"][0]["alarm"] == "received"
        assert status["drill"] is None
        assert json.loads(msgspec.json.encode(status["faults"])) == []
