"""``gatehouse-sim demo``: a whole school and district on this machine."""

import asyncio
import contextlib
import importlib.util
import logging
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table

from gatehouse.cli import words
from gatehouse.texts import _
from gatehouse_sim import cameras
from gatehouse_sim.camera_client import COVERED, NORMAL
from gatehouse_sim.district import Record
from gatehouse_sim.scenario import Scenario
from gatehouse_sim.school import Plan, School, opened, short_folder
from gatehouse_sim.school_cameras import SimCamera
from gatehouse_sim.timeline import FOLLOWED, STAGES, Timeline

_CAMERAS: Final = {
    "gate": SimCamera(area="critical", covers=("校门",)),
    "yard": SimCamera(area="general", covers=("操场",)),
}
_EXTRA: Final = ("av", "defusedxml", "httpx", "numpy")
_FAULT, _RESTORED = "gatehouse.camera.fault", "gatehouse.camera.restored"


def run(*, once: bool, port: int) -> int:
    """Open a school; play the scenario once, or stay up until Ctrl-C. Returns the exit code."""
    folder = short_folder()
    logging.basicConfig(filename=folder / "district.log", level=logging.INFO)
    try:
        return asyncio.run(_open(folder, port, once=once))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _open(folder: Path, port: int, *, once: bool) -> int:
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
    return await (_once(folder, plan) if once else _stay(folder, plan))


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


async def _stay(folder: Path, plan: Plan) -> int:
    console = Console(highlight=False, soft_wrap=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with opened(folder, plan, video=bool(plan.cameras)) as school:
        await school.agent.wait_for(lambda s: s["link"]["state"] == "connected")
        console.print(_hints(school))
        tell = (_tell(school, console), _tell_cameras(school, console))
        following = [asyncio.create_task(each) for each in tell]
        await stop.wait()
        for each in following:
            each.cancel()
    console.print(_("the school is closed"))
    return 0


def _hints(school: School) -> RenderableType:
    programs = Path(sys.executable).parent
    agent, sim = programs / "gatehouse", programs / "gatehouse-sim"
    guard = _("guard")
    hints: tuple[tuple[str, str], ...] = (
        (f"export GATEHOUSE_CONFIG={school.place.config}", ""),
        (f"{sim} press gate", _("the panic button at the gate")),
        (f"{agent} status --watch", _("what the agent knows")),
        (f"{agent} reset gate --by {guard} --reason test", _("end the alarm, on site")),
        (f"{sim} cut gate", _("cut its wire; mend it again with: mend gate")),
        (f"{agent} events", _("all that was told, and what still waits")),
    )
    if school.plan.cameras:
        hints += (
            (f"{agent} cameras", _("how the cameras are")),
            (f"{sim} cover gate", _("cover the gate's camera; see again with: uncover gate")),
            (f"{agent} recordings", _("how long their recordings reach back")),
        )
    lines = [
        "[bold]" + _("The school is open. In a second terminal, type:") + "[/]",
        "",
        *(f"  {command}  [dim]{why and '# '}{why}[/]" for command, why in hints),
        "",
        _("Each press is answered by the district after five seconds. Ctrl-C closes the school."),
        "",
    ]
    return "\n".join(lines)


async def _tell(school: School, console: Console) -> None:
    """Print each stage of each alarm, and answer it as a person at the district would."""
    edges: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    answers: set[asyncio.Task[Any]] = set()
    async for line in school.agent.follow():
        if line.get("stage") not in FOLLOWED:
            continue
        alarm, stage, at_ns = line["alarm"], line["stage"], line["t"]
        edge_ns = edges.setdefault(alarm, at_ns)
        console.print(f"  {alarm[-6:]}  {_(stage):<14} {(at_ns - edge_ns) / 1e6:9.2f} ms")
        if stage == "received":
            answer = loop.create_task(_answer(school, alarm))
            answers.add(answer)
            answer.add_done_callback(answers.discard)


async def _tell_cameras(school: School, console: Console) -> None:
    """Print each fault of a camera as the district hears that it begins and ends."""
    told = list[Record]()

    def news(records: list[Record]) -> list[Record]:
        return [each for each in records if each.type in {_FAULT, _RESTORED}][len(told) :]

    while True:
        with contextlib.suppress(TimeoutError):  # a quiet school
            for record in await school.district.wait_for(lambda d: news(d.events())):
                told.append(record)
                console.print("  " + _of_camera(record))


def _of_camera(record: Record) -> str:
    event = record.event
    name, fault = event.subject.partition("/")[2], str(event.data.get("fault"))
    said = (
        _("camera {name}: {fault}")
        if record.type == _FAULT
        else _("camera {name}: no longer {fault}")
    )
    return said.format(name=name, fault=words.fault(fault, event.subject))


async def _answer(school: School, alarm: str) -> None:
    await asyncio.sleep(5)
    await school.district.acknowledge(school.plan.gateway, alarm, _("duty officer"))


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
