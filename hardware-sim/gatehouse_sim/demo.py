"""``gatehouse-sim demo``: a whole school and district on this machine."""

import asyncio
import importlib.util
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from gatehouse.texts import _
from gatehouse_sim import cameras
from gatehouse_sim.camera_client import COVERED, NORMAL
from gatehouse_sim.scenario import Scenario
from gatehouse_sim.school import Plan, opened, short_folder
from gatehouse_sim.school_cameras import SimCamera
from gatehouse_sim.stay import Shown, stay
from gatehouse_sim.timeline import STAGES, Timeline

_CAMERAS: Final = {
    "gate": SimCamera(area="critical", covers=("校门",)),
    "yard": SimCamera(area="general", covers=("操场",)),
}
_BUTTONS: Final = """
[[button]]
name = "gate"
location = "南门门卫室"
pin = 17
loop = 27
reset = 24
lamps = {{ red = 22, yellow = 5, green = 6 }}
buzzer = 23
relay = 26
{gate}

[[button]]
name = "office"
location = "教务处"
pin = 13
latching = true
lamps = {{ red = 19 }}
buzzer = 25
silent = false
{yard}

[enclosure]
tamper = 12
mains = 16
"""
_EXTRA: Final = ("av", "defusedxml", "httpx", "numpy")


def run(*, once: bool, port: int, shown: Shown) -> int:
    """Open a school; play the scenario once, or stay up until Ctrl-C. Returns the exit code."""
    folder = short_folder()
    logging.basicConfig(filename=folder / "district.log", level=logging.INFO)
    try:
        return asyncio.run(_open(folder, port, None if once else shown))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _open(folder: Path, port: int, shown: Shown | None) -> int:
    lacks = await _lacking()
    if lacks is None:
        sys.stdout.write(_("opening the school: broker, district, cameras, agent …") + "\n")
    else:
        sys.stdout.write(_("no cameras in this school: {why}").format(why=lacks) + "\n")
        sys.stdout.write(_("opening the school: broker, district, agent …") + "\n")
    sys.stdout.flush()
    # Without a language of its own it speaks that of the person who looks on.
    plan = Plan(
        port=port,
        gateway_lines="",
        cameras=_CAMERAS if lacks is None else {},
        shows=(NORMAL, COVERED),
    )
    if shown is None:
        return await _once(folder, plan)
    plan = replace(plan, buttons=_buttons(lacks is None), cable=True, small_disk=True)
    return await stay(folder, plan, shown)


def _buttons(cameras: bool) -> str:
    """Return the buttons of a demo that stays up: one silent and one that is heard."""
    return _BUTTONS.format(
        **{name: f'cameras = ["{name}"]' if cameras else "" for name in _CAMERAS}
    )


async def _lacking() -> str | None:
    """Say what cameras need that is not there, and how to install it."""
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        return "pip install 'gatehouse-agent[video]'"
    return await cameras.lacking()


async def _once(folder: Path, plan: Plan) -> int:
    console = Console(highlight=False)
    async with opened(folder, plan, video=bool(plan.cameras)) as school:
        with Live(console=console, auto_refresh=False, transient=True) as live:

            def show(timeline: Timeline) -> None:
                if console.is_terminal:
                    live.update(render(timeline), refresh=True)

            scenario = Scenario(school, show)
            timeline = await scenario.play()
        console.print(render(timeline))
        alarms = len(school.district.alarms())
        missing = list(timeline.missing())
        for what in missing:
            console.print("[bold red]" + _("not seen") + "[/]: " + what)
        said = _("{presses} presses, {alarms} alarms at the district, {lost} lost")
        lost = sum(school.district.record(press.alarm) is None for press in timeline.presses)
        console.print(said.format(presses=len(timeline.presses), alarms=alarms, lost=lost))
        fine = not missing and alarms == len(timeline.presses) and not lost
    return 0 if fine else 1


def render(timeline: Timeline) -> RenderableType:
    """Lay out the presses with their times after the edge, and the steps."""
    presses = Table(box=None, pad_edge=False, header_style="bold")
    presses.add_column(_("ms after the edge"))
    for stage in STAGES:
        presses.add_column(_(stage), justify="right")
    for press in timeline.presses:
        times = [press.ms(stage) for stage in STAGES]
        presses.add_row(press.label, *("–" if ms is None else f"{ms:.2f}" for ms in times))
    steps = Table(box=None, pad_edge=False, show_header=False)
    steps.add_column()
    steps.add_column()
    steps.add_column(justify="right")
    for step in timeline.steps:
        mark = "[green]✓[/]" if step.seen else "[red]✗[/]"
        steps.add_row(mark, step.what, "" if step.ms is None else f"{step.ms:.1f} ms")
    return Group(steps, "", presses)
