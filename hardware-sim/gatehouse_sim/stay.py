"""``gatehouse-sim demo`` that stays up: the school, its page, and what happens in lines."""

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console, RenderableType

from gatehouse.cli import words
from gatehouse.texts import _
from gatehouse.threads import off_loop
from gatehouse_sim.district import Record
from gatehouse_sim.page.app import Desk, Page, application
from gatehouse_sim.page.hands import Hands
from gatehouse_sim.page.server import listen, served
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.page.watching import watched
from gatehouse_sim.school import Plan, School, opened
from gatehouse_sim.school_desk import desk_of
from gatehouse_sim.timeline import FOLLOWED

USUAL_PORT: Final = 8080
"""Where the page is served, unless somebody else is there."""

_FAULT, _RESTORED = "gatehouse.camera.fault", "gatehouse.camera.restored"
_AGAIN_S: Final = 0.05
_ANSWERS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Shown:
    """How the demo is shown."""

    page_port: int | None = None
    """None: the usual one, or another if that is taken."""
    desk: bool = True
    """Whether the district's desk is served too; without it alarms are answered by themselves."""
    browser: bool = True
    """Whether a browser is opened where there is a screen."""


async def stay(folder: Path, plan: Plan, shown: Shown) -> int:
    """Open a school and stay up until Ctrl-C. Returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        school = await stack.enter_async_context(opened(folder, plan, video=bool(plan.cameras)))
        await school.agent.wait_for(lambda s: s["link"]["state"] == "connected")
        desk = None
        if shown.desk:
            behind = desk_of(school.district.receiver, school.place.root)
            desk = await stack.enter_async_context(behind)
        url = await stack.enter_async_context(page_of(school, desk, shown.page_port))
        console.print(_hints(school, url, desk))
        if shown.browser and has_screen():
            await off_loop(lambda: webbrowser.open(url), name="browser", timeout_s=60)
        tell = (_tell(school, console, answers=desk is None), _tell_cameras(school, console))
        following = [asyncio.create_task(each) for each in tell]
        await stop.wait()
        for each in following:
            each.cancel()
    console.print(_("the school is closed"))
    return 0


@contextlib.asynccontextmanager
async def page_of(school: School, desk: Desk | None, port: int | None) -> AsyncIterator[str]:
    """Serve the page of an open school; its address. Raises OSError for a port that is taken."""
    listener = listen(port, USUAL_PORT)
    at = listener.getsockname()[1]
    stand = Stand(school.config)
    app = application(Page(school, stand, Hands(school, stand), desk), at)
    with listener:
        async with watched(school, stand), served(app, listener):
            try:
                yield f"http://127.0.0.1:{at}/"
            finally:
                stand.close()


def has_screen() -> bool:
    """Whether a browser would be seen by the one who types."""
    return sys.stdout.isatty() and bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


def _hints(school: School, url: str, desk: Desk | None) -> RenderableType:
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
            (f"{agent} evidence list", _("what was kept around an alarm")),
        )
    answered = _("Each press is answered by the district after five seconds.")
    lines = [
        "[bold]" + _("The school is open. In a browser:") + "[/]",
        "",
        f"  {url}  [dim]# " + _("the gatehouse: press, and break what you like") + "[/]",
        *(_at_desk(desk) if desk else ()),
        "",
        "[bold]" + _("Or in a second terminal, type:") + "[/]",
        "",
        *(f"  {command}  [dim]{why and '# '}{why}[/]" for command, why in hints),
        "",
        ("" if desk else answered + " ") + _("Ctrl-C closes the school."),
        "",
    ]
    return "\n".join(lines)


def _at_desk(desk: Desk) -> tuple[str, ...]:
    sign_in = _("sign in as {user}, password {password}")
    return (
        f"  {desk.url}  [dim]# " + _("the district's desk: answer there") + "[/]",
        "  " + sign_in.format(user=desk.user, password=desk.password),
    )


async def _tell(school: School, console: Console, *, answers: bool) -> None:
    """Print each stage of each alarm, and answer it, if wanted, as a person would."""
    edges: dict[str, int] = {}
    async with asyncio.TaskGroup() as answering:
        while True:
            await school.agent.started.wait()
            with contextlib.suppress(OSError):
                async for line in school.agent.follow():
                    if line.get("stage") not in FOLLOWED:
                        continue
                    _print_stage(console, edges, line)
                    if answers and line["stage"] == "received":
                        answering.create_task(_answer(school, line["alarm"]))
            await asyncio.sleep(_AGAIN_S)  # an agent that died by itself is asked in vain


def _print_stage(console: Console, edges: dict[str, int], line: dict[str, Any]) -> None:
    alarm, stage, at_ns = line["alarm"], line["stage"], line["t"]
    edge_ns = edges.setdefault(alarm, at_ns)
    console.print(f"  {alarm[-6:]}  {_(stage):<14} {(at_ns - edge_ns) / 1e6:9.2f} ms")


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
    await asyncio.sleep(_ANSWERS_S)
    with contextlib.suppress(TimeoutError):  # the gateway is gone: nobody can tell it
        await school.district.acknowledge(school.plan.gateway, alarm, _("duty officer"))
