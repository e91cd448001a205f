"""From the edge to the receipt while evidence of another press is gathered, and while none is.

Both are pressed within the same minute, on the same services: cameras, recorders and the video
service run all the time. A round presses a button without cameras for some seconds, then one with
two cameras, and again the first while pictures are taken, written and sent. The times are the
agent's own (CLOCK_MONOTONIC).
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import rig as rigs
from figures import Aim, Row, Spread, Table, ratio_by_round
from gatehouse_sim.cameras import lacking
from gatehouse_sim.school import Plan, School, opened
from gatehouse_sim.school_cameras import SimCamera
from gatehouse_sim.wiring_client import WiringClient

PLAIN: Final = 2
SEEN: Final = 3
_APART_S: Final = 0.3
"""Between presses: fifty of them last as long as the pictures of one press."""
_NOISE: Final = 1.15
"""How far two halves of the same round lie apart where nothing differs."""
_LIMIT_S: Final = 300.0
_TITLE: Final = "a press while evidence of another is gathered: ms after the edge"

_BUTTONS: Final = f"""
[[button]]
name = "plain"
location = "教务处"
pin = {PLAIN}
filter_ms = 0

[[button]]
name = "seen"
location = "南门门卫室"
pin = {SEEN}
filter_ms = 0
cameras = ["gate", "yard"]
"""


@dataclass(slots=True)
class Times:
    """Times in ms, by rounds."""

    quiet: list[list[float]] = field(default_factory=list)
    busy: list[list[float]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Of the presses that begin a gathering."""


class Presser:
    """Presses, and follows each press to its receipt."""

    def __init__(self, wires: WiringClient, reader: asyncio.StreamReader) -> None:
        self._wires = wires
        self._reader = reader

    async def press(self, pin: int) -> float:
        """Press and let go; returns ms from the edge to the receipt."""
        edge_ns = self._wires.set(pin, 0)
        alarm, at_ns = "", None
        async with asyncio.timeout(_LIMIT_S):
            while at_ns is None:
                said: dict[str, Any] = json.loads(await self._reader.readline())
                if said.get("stage") == "raised":
                    alarm = str(said["alarm"])
                elif said.get("stage") == "received" and said["alarm"] == alarm:
                    at_ns = int(said["t"])
        self._wires.set(pin, 1)
        await asyncio.sleep(_APART_S)
        return (at_ns - edge_ns) / 1e6

    async def some(self, presses: int) -> list[float]:
        """Press the button without cameras."""
        return [await self.press(PLAIN) for _ in range(presses)]


async def contest(rounds: int, presses: int) -> Times:
    """Open a school with cameras, and press."""
    times = Times()
    async with _school() as (school, presser):
        for number in range(rounds):
            times.quiet.append(await presser.some(presses))
            times.first.append(await presser.press(SEEN))
            times.busy.append(await presser.some(presses))
            if number + 1 < rounds:
                await _until_ready(school, number + 1)
        assert _manifests(school), "no evidence was gathered"  # noqa: S101  # nothing was measured
    return times


@contextlib.asynccontextmanager
async def _school() -> AsyncIterator[tuple[School, Presser]]:
    with rigs.temporary() as root:
        cameras = {"gate": SimCamera(), "yard": SimCamera()}
        environ = {"GATEHOUSE_CLOCK": ""}
        plan = Plan(buttons=_BUTTONS, shows=("normal",), cameras=cameras, environ=environ)
        async with opened(root, plan, video=True) as school:
            await school.video.cameras_until(
                lambda said: all(each["last_frame"] and each["records"] for each in said["cameras"])
            )
            await school.agent.wait_for(
                lambda s: s["link"]["state"] == "connected" and not s["outbox"]["pending"]
            )
            reader, writer = await asyncio.open_unix_connection(str(school.place.control))
            writer.write(b'{"do":"follow"}\n')
            await reader.readline()
            try:
                with school.wires() as wires:
                    yield school, Presser(wires, reader)
            finally:
                writer.close()


def _manifests(school: School) -> list[Path]:
    return list(school.place.state_dir.glob("evidence/*/manifest.json"))


def _ready(school: School) -> int:
    return sum(json.loads(path.read_bytes())["state"] == "ready" for path in _manifests(school))


async def _until_ready(school: School, count: int) -> None:
    until_s = time.monotonic() + _LIMIT_S
    while _ready(school) < count:
        if time.monotonic() > until_s:
            raise TimeoutError(school.video.tail())
        await asyncio.sleep(0.5)


def measure(rounds: int, presses: int) -> list[Table]:
    """Measure, and compare."""
    if (lacks := asyncio.run(lacking())) is not None:
        return [Table(_TITLE, (), (f"SKIPPED: {lacks}",))]
    times = asyncio.run(contest(rounds, presses))
    middle, low, high = ratio_by_round(times.busy, times.quiet)
    flat = [[ms for values in part for ms in values] for part in (times.quiet, times.busy)]
    rows = (
        Row("receipt, no evidence is gathered", "ms", Spread.of(flat[0])),
        Row(
            "receipt, evidence of another press is gathered",
            "ms",
            Spread.of(flat[1]),
            beside=f"without, in the same minute (rounds {low:.2f}–{high:.2f})",
            ratio=middle,
            aim=Aim("evidence gathered, of none", _NOISE, middle),
        ),
        Row("receipt of the press that begins it", "ms", Spread.of(times.first)),
    )
    return [Table(_TITLE, rows, ("two cameras of 1080p25, eyes and recorders run in both",))]
