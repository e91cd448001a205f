"""The simulated wiring on its socket, and ``gatehouse-sim`` (contract sections 1 and 7)."""

import json
import os
import re
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from gatehouse_sim.school import School, opened
from system.seen import (
    HALL_RED,
    LIMIT_S,
    OFFICE_PIN,
    PLAN,
    RED,
    at_rest,
    hand,
    history,
    stage,
    told,
    typed,
)


def asked(school: School, *lines: bytes) -> list[dict[str, Any]]:
    """Say lines on the socket, as any program would; return what it answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(LIMIT_S)
        link.connect(str(school.place.wiring))
        with link.makefile("rwb") as stream:
            answers = []
            for line in lines:
                stream.write(line + b"\n")
                stream.flush()
                answers.append(json.loads(stream.readline()))
    return answers


async def test_set_press_and_history_tell_one_time(school: School) -> None:
    """Without it nobody could measure from outside how long a press takes."""
    before = time.monotonic_ns()
    (answer,) = asked(school, b'{"do": "press", "pin": 17, "for_s": 0.2, "bounce_ms": 5}')
    assert set(answer) == {"ok", "t"}
    assert before <= answer["t"] <= time.monotonic_ns()
    await told(school, "alarm.released")
    contact, loop = (asked(school, b'{"do": "history", "pin": %d}' % pin)[0] for pin in (17, 27))
    assert contact["edges"][0] == [answer["t"], 0]
    levels = [level for _, level in contact["edges"]]
    assert len(levels) % 2 == 0
    assert levels == [0, 1] * (len(levels) // 2)
    assert loop["edges"][0][1] == 1  # the loop opens before the contact closes
    assert loop["edges"][0][0] <= answer["t"]
    assert loop["edges"][-1][1] == 0

    (answer,) = asked(school, b'{"do": "set", "pin": 13, "level": 0}')
    assert asked(school, b'{"do": "history", "pin": 13}')[0]["edges"] == [[answer["t"], 0]]
    await told(school, "alarm.raised", 2)
    times = [at for at, _ in history(school, RED)]
    assert times == sorted(times)


async def test_pins_tell_every_pin_in_use(school: School) -> None:
    """Without it nobody could check the wiring list against the running agent."""
    (answer,) = asked(school, b'{"do": "pins"}')
    pins = {pin["number"]: pin for pin in answer["pins"]}
    inputs, outputs = {17, 27, 24, 13, 12, 16, 20, 21}, {22, 5, 6, 23, 26, 19, 25, 18}
    assert set(pins) == inputs | outputs
    for number, pin in pins.items():
        assert pin["function"] == ("input" if number in inputs else "output")
        assert pin["level"] in {0, 1}
        if number in inputs:
            assert pin["pull"] == "up"
    assert {number for number in inputs if pins[number]["level"] == 0} == {27, 12, 16}


async def test_anything_else_is_an_error_and_no_harm(school: School) -> None:
    """Without it a typing mistake in a test rig could hang the rig, or the agent."""
    wrong = [
        b"",
        b"no json",
        b"[]",
        b'{"do": "explode"}',
        b'{"do": "set"}',
        b'{"do": "set", "pin": 99, "level": 0}',
        b'{"do": "set", "pin": 17, "level": 2}',
        b'{"do": "set", "pin": "17", "level": 0}',
        b'{"do": "set", "pin": 22, "level": 0}',
        b'{"do": "press", "pin": 17, "for_s": -1}',
        b'{"do": "history"}',
        b"\xff\xfe",
    ]
    *refused, fine = asked(school, *wrong, b'{"do": "pins"}')
    for line, answer in zip(wrong, refused, strict=True):
        assert set(answer) == {"ok", "error"}, line
        assert answer["ok"] is False
        assert answer["error"]
    assert fine["ok"] is True
    assert (await at_rest(school))["faults"] == []
    assert school.district.alarms() == []


async def test_levels_of_the_environment_hold_at_start(school_root: Path) -> None:
    """Without it nobody could show what a button does that is held while the Pi boots."""
    async with opened(school_root, PLAN, agent=False) as school:
        await school.agent.start(levels={OFFICE_PIN: 0, 12: 1})
        (alarm,) = await told(school, "alarm.raised")
        assert alarm.event.data["held_at_start"] is True
        assert alarm.event.subject == "button/office"
        await told(school, "tamper.opened")
        await stage(school, "idle", "gate", line="normal")


async def test_hands_press_cut_short_and_mend(school: School) -> None:
    """Without it nobody could try the school without a soldering iron."""
    assert (await hand(school, "press", "gate", "--bounce")).code == 0
    await told(school, "alarm.raised")
    await stage(school, "received", line="normal")
    assert (await hand(school, "press", "hall", "--for", "0.6")).code == 0
    await told(school, "alarm.raised", 2)
    await stage(school, "received", "hall", line="normal")
    (closed, _), (opened_again, _) = history(school, 20)
    assert opened_again - closed >= 0.55e9  # the first edge may come a thread's turn late
    assert (await hand(school, "press", "office")).code == 0  # latches
    await stage(school, "received", "office", line="active")
    assert (await hand(school, "mend", "office")).code == 0
    await stage(school, "idle", "office", line="normal")
    for act, line in (("cut", "open"), ("mend", "normal"), ("short", "short"), ("mend", "normal")):
        said = await hand(school, act, "gate")
        assert (said.code, said.err) == (0, "")
        assert "gate" in said.out
        await stage(school, "received", line=line)
    assert len(school.district.alarms()) == 4  # a short is one, a cut is none
    assert history(school, HALL_RED)


async def test_hands_refuse_what_makes_no_sense(school: School) -> None:
    """Without it a rig would believe that it pressed."""
    for words in (
        ("press", "nowhere"),
        ("press", "gate", "--for", "-1"),
        ("press", "gate", "--for", "long"),
        ("press",),
        ("explode", "gate"),
        (),
    ):
        said = await hand(school, *words)
        assert (said.code, said.out) == (2, ""), words
        assert said.err
        assert "Traceback" not in said.err
    assert (await at_rest(school))["buttons"][0]["alarm"] == "idle"


async def test_hands_without_a_board_end_with_3(school: School) -> None:
    """Without it a rig could not tell an agent that is down from a wrong name."""
    await school.agent.stop()
    said = await hand(school, "press", "gate")
    assert (said.code, said.out) == (3, "")
    assert str(school.place.wiring) in said.err


async def test_hands_take_the_configuration_on_either_side(school: School) -> None:
    """Without it --config would work for one of the two programs only."""
    file = str(school.place.config)
    for words in (("--config", file, "press", "gate"), ("press", "gate", "--config", file)):
        said = await typed(None, "gatehouse-sim", *words)
        assert said.code == 0, said.err
        await stage(school, "received", line="normal")
        assert "gate" in said.out


@pytest.mark.campaign  # tests/sim has it in CI
async def test_demo_shows_every_step_and_counts(school_root: Path) -> None:
    """Without it the first thing that a stranger runs could be broken, and nobody would see."""
    said = await typed(
        None, "gatehouse-sim", "demo", "--once", environ={"TMPDIR": str(school_root)}
    )
    assert said.code == 0, said.out + said.err
    assert "✗" not in said.out
    assert said.out.count("✓") > 15
    assert re.search(r"\d+\.\d\d", said.out)  # times in ms
    assert said.out.splitlines()[-1] == "4 presses, 4 alarms at the district, 0 lost"
    assert said.err == ""
    left = os.listdir(school_root)  # noqa: PTH208  # it leaves nothing behind
    assert all(name.startswith("gatehouse-films-") for name in left)  # films are made once
