"""``gatehouse-sim demo`` as a stranger runs it: what it prints, what it leaves behind (nothing)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatehouse_sim.child import die_with_parent

LIMIT_S = 120.0


def typed(*words: str, **environ: str) -> "subprocess.Popen[str]":
    """Type a command; it dies with us."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GATEHOUSE_", "LANG", "LC_"))}
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]],
        env={**kept, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509  # one call of prctl: it takes no lock
    )


def done(*words: str, **environ: str) -> tuple[int, str]:
    """Type a command and wait for its end; return its code and what it printed."""
    with typed(*words, **environ) as process:
        out, _ = process.communicate(timeout=LIMIT_S)
    return process.returncode, out


def left(folder: str) -> list[str]:
    """Wait until no process names a folder; return those that do all the same.

    What dies with its parent is still there for a moment.
    """
    end = time.monotonic() + LIMIT_S
    while (found := holders(folder)) and time.monotonic() < end:
        time.sleep(0.05)  # the kernel tells only parents
    return found


def holders(folder: str) -> list[str]:
    """Return the command lines of all processes that name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile
        if folder in line:
            found.append(line)
    return found


@pytest.fixture
def demo() -> Iterator[Any]:
    """Open a demo that stays up."""
    with typed("gatehouse-sim", "demo", "--no-desk", "--page-port", "0") as process:
        yield process
        if process.poll() is None:
            process.kill()


def until(process: "subprocess.Popen[str]", word: str) -> list[str]:
    """Read lines up to one with that word in it; the demo's end is an error."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if word in line:
            return lines
    raise AssertionError("\n".join(lines))


def test_once_shows_every_step_and_counts_at_the_end() -> None:
    """Without it the first command of the README could fail on the day it is shown."""
    code, out = done("gatehouse-sim", "demo", "--once")
    assert code == 0, out
    lines = out.rstrip().splitlines()
    assert lines[-1] == "4 presses, 4 alarms at the district, 0 lost"
    assert "✗" not in out
    assert "not seen" not in out
    header = next(line for line in lines if "ms after the edge" in line)
    assert header.split()[-4:] == ["stored", "sent", "received", "acknowledged"]
    for word in ("lamp slow", "lamp steady", "reset by hand", "wire cut", "wire mended", "kill -9"):
        assert word in out
    if "no cameras in this school" not in lines[0]:
        assert "camera covered: a fault" in out
        assert "camera uncovered" in out


def test_a_demo_that_stays_says_what_to_type_and_ends_in_order(
    demo: "subprocess.Popen[str]",
) -> None:
    """Without it a stranger would not know what to do next, or leave a broker behind."""
    lines = until(demo, "Ctrl-C closes")
    at = lines.index("Or in a second terminal, type:")
    hints = [line.split(" # ")[0].strip() for line in lines[at:] if line.startswith("  ")]
    assert hints[0].startswith("export GATEHOUSE_CONFIG=")
    where = {"GATEHOUSE_CONFIG": hints[0].partition("=")[2]}
    folder = str(Path(where["GATEHOUSE_CONFIG"]).parent)
    assert holders(folder)
    for hint in hints[1:]:
        if "--watch" in hint:
            continue
        code, out = done(
            *[Path(word).name if "/" in word else word for word in hint.split()], **where
        )
        assert code == 0, (hint, out)
        if "press" in hint:
            until(demo, "acknowledged")
    code, out = done("gatehouse-sim", "mend", "gate", **where)
    assert (code, out) == (0, "gate: mended\n")
    demo.send_signal(signal.SIGTERM)
    rest, _ = demo.communicate(timeout=LIMIT_S)
    assert demo.returncode == 0, rest
    assert rest.rstrip().splitlines()[-1] == "the school is closed"
    assert left(folder) == []
    assert not Path(folder).exists()
