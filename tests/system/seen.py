"""What the whole-process tests see of a school from outside, and how they wait for it."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gatehouse_sim import wiring_client
from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.district import Record
from gatehouse_sim.school import BUTTONS, GATEWAY, Plan, School

LIMIT_S: Final = 120.0
"""What hangs ends here. An eye that failed often tries again after half a minute, and so on."""

HALL: Final = """
[[button]]
name = "hall"
location = "教学楼大厅"
pin = 20
reset = 21
lamps = { red = 25 }
buzzer = 18
silent = false
filter_ms = 300
"""
"""A third button: loud, one red lamp, a filter that a test can stay under."""

PLAN: Final = Plan(buttons=BUTTONS + HALL)

RED, YELLOW, GREEN, BUZZER, RELAY, KEY = 22, 5, 6, 23, 26, 24
"""The pins of the gate's button."""
HALL_PIN, HALL_RED, HALL_BUZZER, HALL_KEY = 20, 25, 18, 21
OFFICE_PIN, OFFICE_RED = 13, 19
TAMPER, MAINS = 12, 16

Edges = list[tuple[int, int]]


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


async def typed(
    place: Path | None,
    *words: str,
    environ: Mapping[str, str] = MappingProxyType({}),
    cwd: Path | None = None,
) -> Said:
    """Type a command (its program first) with that configuration file; wait for its end."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GATEHOUSE_", "LANG", "LC_"))}
    config = {} if place is None else {"GATEHOUSE_CONFIG": str(place)}
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name(words[0])),
        *words[1:],
        env={**kept, **config, **environ},
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())


async def gatehouse(school: School, *words: str, **environ: str) -> Said:
    """Type a ``gatehouse`` command at this school."""
    return await typed(school.place.config, "gatehouse", *words, environ=environ)


async def hand(school: School, *words: str) -> Said:
    """Type a ``gatehouse-sim`` command at this school."""
    return await typed(school.place.config, "gatehouse-sim", *words)


async def at_rest(school: School) -> dict[str, Any]:
    """Wait until the school is connected and the district has everything."""
    return await school.agent.wait_for(
        lambda s: s["link"]["state"] == "connected" and s["outbox"]["pending"] == 0
    )


def press(school: School, button: str = "gate", *, for_s: float | None = None) -> int:
    """Press a button, longer than its filter, and let go; a latching one stays in.

    Returns the time of the first edge, CLOCK_MONOTONIC in ns.
    """
    pushed = school.button(button)
    if for_s is None and not pushed.latching:
        for_s = wiring_client.PRESS_S + pushed.filter_ms / 1000
    with school.wires() as wires:
        return wiring_client.press(wires, pushed, for_s=for_s)


def set_pin(school: School, pin: int, level: int) -> int:
    """Move one wire; a closed contact is 0. Returns when, in ns."""
    with school.wires() as wires:
        return wires.set(pin, level)


def turn_key(school: School, pin: int = KEY) -> None:
    """Turn a reset key and let it go again."""
    with school.wires() as wires:
        wires.request("press", pin=pin, for_s=0.15)


def history(school: School, pin: int) -> Edges:
    """Return the edges of a pin."""
    with school.wires() as wires:
        return wires.history(pin)


async def stage(
    school: School, word: str, button: str = "gate", *, line: str | None = None
) -> dict[str, Any]:
    """Wait until the status shows this stage (and line) for a button; return its row."""

    def row(status: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = next(b for b in status["buttons"] if b["name"] == button)
        return found

    status = await school.agent.wait_for(
        lambda s: row(s)["alarm"] == word and line in {None, row(s)["line"]}, timeout_s=LIMIT_S
    )
    return row(status)


async def told(school: School, type_: str, count: int = 1, **data: object) -> list[Record]:
    """Wait until the district has so many events of a type with these data, in their order."""

    def there() -> list[Record]:
        found = school.district.events(GATEWAY, f"gatehouse.{type_}")
        fitting = [r for r in found if r.event.data | data == r.event.data]
        return sorted(fitting, key=lambda record: record.event.sequence)

    return await school.district.wait_for(
        lambda _: there() if len(there()) >= count else None, timeout_s=LIMIT_S
    )


async def durable(school: School) -> str:
    """Wait until all that was told so far is on the agent's disk; return the last alarm's id.

    The district has an event beside its commit. Commits are in order, so that a press in the hall
    that is stored proves what was before it.
    """
    async with contextlib.aclosing(school.agent.follow()) as lines:
        assert (await anext(lines))["following"]
        press(school, "hall")
        async with asyncio.timeout(LIMIT_S):
            raised = stored = None
            while raised is None or stored != raised:  # an earlier alarm may be stored meanwhile
                line = await anext(lines)
                raised = line["alarm"] if line["stage"] == "raised" else raised
                stored = line["alarm"] if line["stage"] == "stored" else stored
    return str(raised)


def alarms(school: School, button: str = "gate") -> list[Record]:
    """Return the alarms of one button that the district has."""
    found = school.district.alarms(GATEWAY)
    return [record for record in found if record.event.subject == f"button/{button}"]


async def pressed(school: School, button: str = "gate", *, for_s: float | None = None) -> str:
    """Press a button, wait until the district has its alarm and the button is let go.

    A latching one stays in. Returns the alarm's id.
    """
    before = {record.id for record in school.district.alarms(GATEWAY)}
    press(school, button, for_s=for_s)
    fresh = await school.district.wait_for(
        lambda d: [r for r in d.alarms(GATEWAY) if r.id not in before], timeout_s=LIMIT_S
    )
    assert len(fresh) == 1
    if not school.button(button).latching:
        await stage(school, "received", button, line="normal")
    return fresh[0].id


def blinking(per_s: float, *, since_ns: int = 0) -> Callable[[Edges], bool]:
    """Return a test for a lamp that blinks at this rate, on as long as off."""

    def test(edges: Edges) -> bool:
        late = [at for at, _ in edges if at >= since_ns][-5:]
        if len(late) < 5:
            return False
        half_ns = (late[-1] - late[0]) / 4
        return 0.75 < half_ns / (5e8 / per_s) < 1.25

    return test


def dark(edges: Edges) -> bool:
    """Tell whether an output has been off for longer than any pattern but the blip is."""
    return bool(edges) and edges[-1][1] == 0 and time.monotonic_ns() - edges[-1][0] > 1.2e9


def lit(edges: Edges) -> bool:
    """Tell whether an output is on."""
    return bool(edges) and edges[-1][1] == 1


def moved(times: int) -> Callable[[Edges], bool]:
    """Return a test for a pin that has had so many edges."""
    return lambda edges: len(edges) >= times
