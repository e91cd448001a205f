"""What a technician types: documents, words and exit codes (contract sections 1 and 5)."""

import asyncio
import json
import os
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cli.typed import as_typed
from gatehouse import __version__
from gatehouse.clock import SystemClock
from gatehouse_sim.school import School, opened
from system.seen import (
    LIMIT_S,
    PLAN,
    at_rest,
    gatehouse,
    press,
    pressed,
    stage,
    told,
    turn_key,
    typed,
)


async def test_status_has_every_field_of_the_contract(school: School) -> None:
    """Without it what reads the status by machine would break on a school."""
    alarm = await pressed(school)
    said = await gatehouse(school, "status", "--json")
    assert (said.code, said.err) == (0, "")
    status = said.json
    assert "ok" not in status
    assert status["gateway"] == "sim-school-1"
    assert status["version"] == __version__
    assert status["board"] == "simulated"
    assert status["bootid"] == SystemClock().bootid
    assert status["clock"] == "synced"
    gate, office, hall = status["buttons"]
    assert (gate["name"], gate["line"], gate["alarm"]) == ("gate", "normal", "received")
    assert gate["last_alarm"] == alarm
    assert (office["alarm"], office["last_alarm"]) == ("idle", None)
    assert hall["line"] == "normal"
    assert status["link"]["state"] == "connected"
    assert status["link"]["broker"] == school.broker.url
    assert status["link"]["since"].endswith("Z")
    assert set(status["outbox"]) >= {"pending", "pending_alarms", "oldest_s", "bytes"}
    for name in ("stored", "sent", "received"):
        assert set(status["latency_ms"][name]) == {"n", "p50", "p99", "max"}
    assert status["faults"] == []
    assert status["drill"] is None
    assert status["video"] is None


async def test_reset_says_how_many_and_who(school: School) -> None:
    """Without it nobody could tell later who ended an alarm, and as what."""
    nothing = await gatehouse(school, "reset", "gate", "--by", "李", "--reason", "test")
    assert nothing.code == 0
    alarms = [await pressed(school), await pressed(school)]
    said = await gatehouse(school, "reset", "gate", "--by", " 李 ", "--reason", "mistake")
    assert said.code == 0
    assert "2" in said.out
    assert said.out != nothing.out
    (reset,) = await told(school, "alarm.reset")
    assert reset.event.data == {"by": "李", "reason": "mistake", "alarms": alarms}
    assert reset.event.subject == "button/gate"
    really = f"control socket: uid {os.getuid()}, pid "  # 李 is what was typed
    await school.agent.wait_for(lambda _: really in school.agent.log.read_text(encoding="utf-8"))
    await stage(school, "idle")
    await pressed(school)
    turn_key(school)
    by_key = (await told(school, "alarm.reset", 2))[-1]
    assert by_key.event.data["by"] == "key"


async def test_wrong_usage_ends_with_2(school: School) -> None:
    """Without it a script could not tell a typing mistake from a fault."""
    await pressed(school)
    for words in (
        ("reset", "nowhere", "--by", "李", "--reason", "real"),
        ("reset", "gate", "--by", "李", "--reason", "boredom"),
        ("reset", "gate", "--by", " ", "--reason", "real"),
        ("reset", "gate", "--by", "李"),
        ("reset", "gate"),
        ("events", "--limit", "0"),
        ("events", "--limit", "many"),
        ("events", "--limit", "100001"),
        ("status", "--yaml"),
        ("open-the-gate",),
        ("run", "everything"),
        ("run", "audio"),
        (),
    ):
        said = await gatehouse(school, *words)
        assert said.code == 2, words
        assert said.out == ""
        assert said.err
        assert "Traceback" not in said.err
    await stage(school, "received")


async def test_service_that_is_not_running_ends_with_3(school_root: Path) -> None:
    """Without it a monitor could not tell a dead alarm service from a wrong command."""
    async with opened(school_root, PLAN, agent=False) as school:
        for words in (
            ("status",),
            ("status", "--json"),
            ("status", "--watch"),
            ("events", "--json"),
            ("reset", "gate", "--by", "李", "--reason", "real"),
            ("drill", "start", "gate"),
            ("drill", "stop"),
        ):
            said = await gatehouse(school, *words)
            assert said.code == 3, words
            assert said.out == ""
            assert "未运行" in said.err


async def test_file_that_cannot_be_used_ends_with_2(school: School) -> None:
    """Without it a wrong path would look like a service that is down."""
    for words in (("status",), ("events", "--json"), ("drill", "stop")):
        said = await typed(school.place.root / "nowhere.toml", "gatehouse", *words)
        assert said.code == 2
        assert "nowhere.toml" in said.err


async def test_the_file_is_found_wherever_it_is_named(school: School) -> None:
    """Without it a command could speak about another school than the one that was named."""
    file = str(school.place.config)
    for words in (("--config", file, "status", "--json"), ("status", "--json", "--config", file)):
        said = await typed(school.place.root / "nowhere.toml", "gatehouse", *words)
        assert said.code == 0
        assert said.json["gateway"] == "sim-school-1"
    (school.place.root / "status").symlink_to(file)  # a file whose name is a command
    words = ("--config", "status", "events", "--json")
    said = await typed(None, "gatehouse", *words, cwd=school.place.root)
    assert said.code == 0
    assert said.json["events"]


@pytest.mark.parametrize(
    ("line", "locale", "language"),
    [
        ('language = "zh_CN"', "en_GB.UTF-8", "zh_CN"),
        ('language = "en"', "zh_CN.UTF-8", "en"),
        ("", "zh_CN.UTF-8", "zh_CN"),
        ("", "en_GB.UTF-8", "en"),
    ],
)
async def test_texts_follow_the_configuration_and_then_the_locale(
    school_root: Path, line: str, locale: str, language: str
) -> None:
    """Without it a guard would be told in a language that he does not read."""
    shown = {
        "zh_CN": ("无故障", "没有事件", "没有报警可复位", "没有按钮"),
        "en": ("no faults", "no events", "no alarm to reset", "no button"),
    }[language]
    async with opened(school_root, replace(PLAN, tls=False, gateway_lines=line)) as school:
        await at_rest(school)
        await school.agent.stop()
        await school.agent.start(LANG=locale)
        await at_rest(school)
        for words, text in zip(
            (
                ("status",),
                ("events", "--pending"),
                ("reset", "gate", "--by", "a", "--reason", "test"),
                ("drill", "start", "nowhere"),
            ),
            shown,
            strict=True,
        ):
            said = await gatehouse(school, *words, LANG=locale)
            assert text in said.out + said.err, words


async def test_watch_shows_every_change_until_it_is_left(school: School) -> None:
    """Without it a technician on the ladder could not see what his hand on the wire does."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("gatehouse")), "status", "--watch", "--json"),
        *("--config", str(school.place.config)),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=as_typed,
    )
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        first = json.loads(await process.stdout.readline())
        assert first["buttons"][0]["alarm"] == "idle"
        press(school)
        while True:
            status = json.loads(await process.stdout.readline())
            if status["buttons"][0]["alarm"] == "received":
                break
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_watch_ends_with_the_service(school: School) -> None:
    """Without it a screen on the wall would show the last good moment for ever."""
    watching = asyncio.create_task(gatehouse(school, "status", "--watch"))
    await school.agent.wait_for(lambda s: s["uptime_s"] > 0)
    await school.agent.kill()
    said = await watching
    assert said.code == 3


async def test_control_socket_is_for_its_group_only(school: School) -> None:
    """Without it any program on the machine could reset alarms."""
    found = school.place.control.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o660
    await school.agent.stop()
    assert not school.place.control.exists()
