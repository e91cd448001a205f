"""Steps that the tests of what breaks share: press, be well, be whole, stand in a fault."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gatehouse.config.model import Button
from gatehouse_sim import wiring_client
from gatehouse_sim.district import District
from gatehouse_sim.school import GATEWAY, School

LONG_S: Final = 120.0
BRIEFLY_S: Final = 0.08
"""A press longer than the filter, shorter than a person's: campaigns press often."""

ROOT: Final = os.geteuid() == 0


async def well(school: School, **limits: float) -> dict[str, Any]:
    """Wait until the agent is connected and the district has everything."""
    return await school.agent.wait_for(
        lambda s: s["link"]["state"] == "connected" and s["outbox"]["pending"] == 0, **limits
    )


async def press(school: School, name: str = "gate") -> str:
    """Press a button and let go; return the alarm that the agent has made of it."""
    before = last_alarm(await school.agent.status(), name)
    with school.wires() as wires:
        wiring_client.press(wires, school.button(name), for_s=BRIEFLY_S)

    def raised(status: dict[str, Any]) -> bool:
        return last_alarm(status, name) != before and row(status, name)["line"] == "normal"

    return str(last_alarm(await school.agent.wait_for(raised), name))


def row(status: dict[str, Any], name: str = "gate") -> dict[str, Any]:
    """Return a button's row of a status."""
    return next(button for button in status["buttons"] if button["name"] == name)


def last_alarm(status: dict[str, Any], name: str = "gate") -> str | None:
    """Return a button's newest alarm."""
    return row(status, name)["last_alarm"]  # type: ignore[no-any-return]  # what JSON holds


def red(button: Button) -> int:
    """Return the pin of a button's red lamp."""
    assert button.lamps.red is not None
    return button.lamps.red


async def arrived(district: District, *alarms: str, timeout_s: float = LONG_S) -> None:
    """Wait until a district has all of these alarms on disk."""
    await district.wait_for(lambda d: all(d.record(id_) for id_ in alarms), timeout_s=timeout_s)


async def stands(school: School, fault: str, *, timeout_s: float = LONG_S) -> dict[str, Any]:
    """Wait until a fault stands; return it."""
    status = await school.agent.wait_for(lambda s: bool(faults(s, fault)), timeout_s=timeout_s)
    return faults(status, fault)[0]


async def stored(school: School, count: int) -> None:
    """Wait until so many alarms of this start are on the disk: a kill takes what is not."""
    await school.agent.wait_for(lambda s: s["latency_ms"]["stored"]["n"] == count)


async def ended(school: School, *names: str, timeout_s: float = LONG_S) -> None:
    """Wait until none of these faults stands."""
    await school.agent.wait_for(
        lambda s: not any(faults(s, name) for name in names), timeout_s=timeout_s
    )


def faults(status: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the faults of that name in a status."""
    return [fault for fault in status["faults"] if fault["fault"] == name]


def told(district: District, type_: str, fault: str) -> int:
    """Count how often the district was told that a fault began, or ended."""
    found = district.events(GATEWAY, f"gatehouse.gateway.{type_}")
    return sum(record.event.data["fault"] == fault for record in found)


async def whole(school: School) -> None:
    """Wait until no number is missing at the district; no number may mean two events."""
    district = school.district
    await district.wait_for(lambda d: not d.missing(GATEWAY), timeout_s=LONG_S)
    assert district.conflicts == []
    assert district.malformed == []


async def log(school: School) -> list[dict[str, Any]]:
    """Return the agent's event log."""
    answer = await school.agent.ask({"do": "events", "limit": 10_000})
    return answer["events"]  # type: ignore[no-any-return]  # what JSON holds


def in_own_mounts(monkeypatch: pytest.MonkeyPatch, root: Path, *commands: str) -> None:
    """Have every agent start in a mount namespace of its own, after these commands.

    What is mounted there ends with the agent. Skips where the machine forbids it.
    """
    unshare = ["unshare", "--mount"] + ([] if ROOT else ["--map-root-user"])
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this machine forbids a mount namespace: {tried.stderr.strip()}")
    wrapper = root / "python-in-own-mounts"
    steps = " && ".join([*commands, f'exec {shlex.quote(sys.executable)} "$@"'])
    script = f'#!/bin/sh\nexec {shlex.join(unshare)} sh -c {shlex.quote(steps)} sh "$@"\n'
    wrapper.write_text(script, encoding="utf-8")
    wrapper.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(wrapper))


def seen_by(school: School, path: Path) -> Path:
    """Return where we find what the agent sees at a path."""
    return Path(f"/proc/{school.agent.pid}/root") / path.relative_to("/")
