"""What commands print: one document for machines, something readable for people."""

import copy
import json
import os
import signal
from typing import Any

import pytest

from cli.typed import LIMIT_S, STATUS, Answers, Gatehouse, child, ended, shown, typed
from gatehouse import texts
from gatehouse.cli.events import _table
from gatehouse.cli.status import render

Caps = pytest.CaptureFixture[str]
EVENT: dict[str, Any] = {
    "id": "01a2076b-447b-7001-8203-040506070809",
    "type": "gatehouse.line.fault",
    "subject": "button/gate",
    "time": "2026-11-23T08:00:00.123456Z",
    "mode": "real",
    "data": {"fault": "open", "location": "南门"},
    "pending": True,
}


def test_json_is_one_document_and_nothing_else(
    place: Gatehouse, service: Answers, capsys: Caps
) -> None:
    """Without it no script could read it."""
    service.said["events"] = {"events": [EVENT]}
    where = ("--config", str(place.config))
    said = typed(capsys, *where, "status", "--json")
    assert (said.code, said.err) == (0, "")
    assert said.json == STATUS
    assert said.out.count("\n") == 1
    said = typed(capsys, *where, "events", "--json", "--limit", "7", "--pending")
    assert said.json == {"events": [EVENT]}
    assert "南门" in said.out  # readable in a terminal, too
    assert service.asked[-1] == {"do": "events", "limit": 7, "pending": True}


def test_json_does_not_load_rich(place: Gatehouse, service: Answers) -> None:
    """Without it a script that asks each second would pay for tables that nobody sees."""
    service.said["events"] = {"events": []}
    for command in ("status", "events"):
        said = ended(
            child(
                "python", "-X", "importtime", "-m", "gatehouse", command, "--json",
                GATEHOUSE_CONFIG=str(place.config),
            )
        )  # fmt: skip
        assert said.code == 0
        assert said.json
        assert "rich" not in said.err
        assert "gatehouse.service" not in said.err


def test_results_go_to_stdout_and_say_what_was_done(
    place: Gatehouse, service: Answers, capsys: Caps
) -> None:
    """Without it nobody would know whether there was an alarm to reset, or a drill to stop."""
    where = ("--config", str(place.config))
    reset = ("reset", "gate", "--by", "李保安", "--reason", "real")
    for count, words in ((2, "gate: 2 alarm(s) reset\n"), (0, "gate: no alarm to reset\n")):
        service.said["reset"] = {"alarms": count}
        said = typed(capsys, *where, *reset)
        assert (said.code, said.out, said.err) == (0, words, "")
    assert service.asked[-1] == {"do": "reset", "button": "gate", "by": "李保安", "reason": "real"}
    said = typed(capsys, *where, "drill", "start", "--for", "90s", "gate", "office")
    assert said.out.startswith("drill for 1.5 min: the first press of gate, office is a drill")
    assert service.asked[-1] == {
        "do": "drill-start",
        "buttons": ["gate", "office"],
        "seconds": 90.0,
    }
    assert typed(capsys, *where, "drill", "start", "gate").code == 0
    assert service.asked[-1]["seconds"] == 600.0
    for stopped, words in ((True, "every press is real"), (False, "no drill is running")):
        service.said["drill-stop"] = {"stopped": stopped}
        assert words in typed(capsys, *where, "drill", "stop").out


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("columns", [80, 45])
def test_the_status_is_readable_on_a_small_screen(language: str, columns: int) -> None:
    """Without it a technician with a telephone in his hand would read broken lines."""
    texts.use(language)
    lines = shown(render(STATUS), columns)
    assert all(len(line) <= columns for line in lines)
    text = "".join("".join(lines).split())
    for word in ("qd-sn-0042", "gate", "noroute[to]host", "line3:pin", "p501.5p999.5n3"):
        assert word in text
    expected = ("received", "open(cutwire)") if language == "en" else ("已送达", "断路", "离线")
    for word in expected:
        assert word in text


@pytest.mark.parametrize("columns", [80, 45])
def test_events_are_readable_on_a_small_screen(columns: int) -> None:
    """Without it the log could be read on a desk only."""
    drill = {**EVENT, "type": "gatehouse.alarm.raised", "mode": "drill", "data": {}}
    lines = shown(_table([EVENT, {**drill, "pending": False}]), columns)
    assert all(len(line) <= columns for line in lines)
    text = "".join("".join(lines).split())
    whole = ("line.faultopen", "alarm.raised(drill)", "button/gate")
    for word in ("2026-11-23", "08:00:00", "waiting", *(whole if columns == 80 else ())):
        assert word in text
    assert "gatehouse." not in text
    assert shown(_table([]), columns) == ["no events"]


ODD: list[tuple[str, Any]] = [
    ("buttons", []),
    ("buttons", [{"name": "[bold]"}]),
    ("buttons", [{"name": "gate", "line": "bent", "alarm": "[/]lost"}]),
    ("link", None),
    ("link", {"state": "connected"}),
    ("link", {"state": "flying", "broker": "[red]"}),
    ("outbox", {}),
    ("latency_ms", {}),
    ("latency_ms", None),
    ("latency_ms", {"seen": {"n": 1, "p50": 1.0, "p99": 1.0}}),
    ("faults", [{"subject": "gateway", "fault": "x", "error": "[/red] why"}]),
    ("faults", None),
    ("drill", None),
    ("clock", "odd"),
    ("video", {"cameras": []}),
    ("video", {"cameras": {"cameras": "[/]", "well": None}, "recordings": {"ok": "[/]"}}),
    ("video", {"state": "elsewhere"}),
    ("video", "[/]"),
    ("faults", [{}]),
    ("pictures", "[/]"),
    ("pictures", {"queued": "[/]"}),
]


@pytest.mark.parametrize(("key", "value"), ODD)
def test_a_status_of_another_version_is_shown_all_the_same(key: str, value: object) -> None:
    """Without it an upgrade would leave `gatehouse status` with a traceback until the restart."""
    lines = shown(render({**STATUS, key: value}), 80)
    assert any("qd-sn-0042" in line for line in lines)


@pytest.mark.parametrize("key", list(STATUS))
def test_what_a_status_leaves_out_is_left_out(key: str) -> None:
    """Without it one missing field would hide all others."""
    old = copy.deepcopy(STATUS)
    del old[key]
    assert shown(render(old), 80)
    assert shown(render({}), 80)


def test_colour_is_for_people_who_want_it(place: Gatehouse, service: Answers) -> None:
    """Without it a log of the screen would be full of escape sequences."""
    assert service.asked == []
    where = str(place.config)
    assert "\x1b" not in ended(child("gatehouse", "status", GATEHOUSE_CONFIG=where)).out
    reading, writing = os.openpty()
    try:
        for more in ({"NO_COLOR": "1"}, {}):
            environ = {"GATEHOUSE_CONFIG": where, "TERM": "xterm", **more}
            process = child("gatehouse", "status", pipe=writing, **environ)
            assert ended(process).code == 0
            seen = os.read(reading, 65536).decode()
            assert "qd-sn-0042" in seen
            assert ("\x1b[31m" in seen) is (more == {})
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("words", [("events",), ("events", "--json"), ("status", "--json")])
@pytest.mark.parametrize("rows", [1, 3000])
def test_a_pipe_that_is_gone_is_no_error(
    place: Gatehouse, service: Answers, words: tuple[str, ...], rows: int
) -> None:
    """Without it `gatehouse events | head -1` would end in a traceback."""
    service.said["events"] = {"events": [EVENT] * rows}
    reading, writing = os.pipe()
    os.close(reading)
    said = ended(child("gatehouse", *words, pipe=writing, GATEHOUSE_CONFIG=str(place.config)))
    os.close(writing)
    assert (said.code, said.err) == (0, "")


def test_a_full_disk_under_stdout_is_said(place: Gatehouse, service: Answers) -> None:
    """Without it a cut-off document would look to a script like a whole one."""
    assert service.asked == []
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # its number is wanted
        where = str(place.config)
        said = ended(
            child("gatehouse", "status", "--json", pipe=full.fileno(), GATEHOUSE_CONFIG=where)
        )
    assert said.code == 1
    assert "No space left" in said.err.splitlines()[0]
    assert "Traceback" not in said.err


@pytest.mark.parametrize("words", [("--json",), ()])
def test_ctrl_c_ends_watching_without_a_word(
    place: Gatehouse, service: Answers, words: tuple[str, ...]
) -> None:
    """Without it the usual way to leave would look like a crash."""
    service.said["watch"] = [STATUS, {**STATUS, "gateway": "the-second"}]
    where = str(place.config)
    process = child("gatehouse", "status", "--watch", *words, GATEHOUSE_CONFIG=where)
    assert process.stdout is not None
    if words:
        assert json.loads(process.stdout.readline())["gateway"] == "qd-sn-0042"
        assert json.loads(process.stdout.readline())["gateway"] == "the-second"
    else:
        assert service.begun.wait(LIMIT_S)  # by then the command watches
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert (said.code, said.err) == (0, "")


def test_ctrl_c_elsewhere_is_not_fine(place: Gatehouse) -> None:
    """Without it `gatehouse reset … && echo done` would say done of what was not."""
    import socket  # noqa: PLC0415  # a service that takes the question and says nothing

    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place.root / "control.sock"))
        silent.listen()
        silent.settimeout(LIMIT_S)
        words = ("reset", "gate", "--by", "x", "--reason", "test")
        process = child("gatehouse", *words, GATEHOUSE_CONFIG=str(place.config))
        connection, _ = silent.accept()
        assert connection.recv(4096)
        process.send_signal(signal.SIGINT)
        said = ended(process)
        connection.close()
    assert (said.code, said.out, said.err) == (130, "", "")
