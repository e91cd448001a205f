"""Typing commands: in this process where that does, as a child where the process itself matters."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from gatehouse.cli import main
from gatehouse_sim.agent import die_with_parent

LIMIT_S: Final = 60.0

CONFIG: Final = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
language = "en"
state_dir = "{root}"
runtime_dir = "{root}"

[[button]]
name = "gate"
location = "南门"
pin = 17

[district]
brokers = ["mqtt://127.0.0.1:1"]
"""

STATUS: Final[dict[str, Any]] = {
    "gateway": "qd-sn-0042",
    "version": "0.1.0",
    "board": "simulated",
    "bootid": "2f5c7f0e-8d1a-4b7e-9b67-0a5f4f0c2d11",
    "clock": "synced",
    "buttons": [
        {"name": "gate", "line": "normal", "alarm": "received", "last_alarm": "a"},
        {
            "name": "a-name-of-thirty-two-characters-",
            "line": "open",
            "alarm": "idle",
            "last_alarm": None,
        },
    ],
    "link": {
        "state": "offline",
        "broker": "mqtts://broker-with-a-long-name.district.example:8883",
        "since": "2026-11-23T08:00:00.000000Z",
        "error": "no route to host",
    },
    "outbox": {"pending": 12, "pending_alarms": 3, "oldest_s": 5.0, "bytes": 5000},
    "latency_ms": {
        "stored": {"n": 3, "p50": 1.5, "p99": 9.5, "max": 9.5},
        "sent": {"n": 0, "p50": None, "p99": None, "max": None},
        "received": {"n": 0, "p50": None, "p99": None, "max": None},
    },
    "faults": [
        {"subject": "gateway", "fault": "offline", "since": None, "text": "no route [to] host"},
        {"subject": "gateway", "fault": "config", "since": None, "mistakes": ["line 3: pin"]},
    ],
    "drill": {"buttons": ["gate"], "seconds_left": 60.0},
    "pictures": {"queued": 3, "sent": 8, "dropped": 1},
    "video": None,
}


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """A folder with a configuration in it."""

    root: Path
    config: Path


@dataclass
class Answers:
    """What a service says to each ``do``, and what it was asked."""

    said: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    """Set when the first question has come."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document that it printed; more or less than one is an error."""
        return json.loads(self.out)


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    """Type ``gatehouse`` with these words in this process."""
    try:
        code = main(words)
    except SystemExit as exc:  # argparse: --help, --version and wrong usage
        code = exc.code if isinstance(exc.code, int) else 1
    out, err = capsys.readouterr()
    return Said(code, out, err)


def child(*words: str, pipe: int | None = None, **environ: str) -> "subprocess.Popen[str]":
    """Type a command (its program first) as a child; it dies with us."""
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]],
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if pipe is None else pipe,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=as_typed,  # noqa: PLW1509  # two system calls: it takes no lock
    )


def as_typed() -> None:
    """Die with us; and hear Ctrl-C, which whoever runs the tests in the background ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    die_with_parent()


def ended(process: "subprocess.Popen[str]") -> Said:
    """Wait for a child's end; one that does not end is killed, and fails the test."""
    with process:
        try:
            out, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Said(process.returncode, out or "", err or "")


def shown(thing: Any, columns: int) -> list[str]:
    """Print something as on a terminal of so many columns; return its lines, none too wide."""
    from rich.cells import cell_len  # noqa: PLC0415  # as the commands do
    from rich.console import Console  # noqa: PLC0415

    console = Console(width=columns, highlight=False, no_color=True)
    with console.capture() as capture:
        console.print(thing)
    lines = capture.get().splitlines()
    assert all(cell_len(line) <= columns for line in lines), lines
    return lines
