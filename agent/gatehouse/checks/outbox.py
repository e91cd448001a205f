"""The outbox: its disk takes and gives back, its file is sound, and 10,000 alarms have room."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing, ok, warn
from gatehouse.checks.scratch import Scratch
from gatehouse.checks.text import say
from gatehouse.control import protocol
from gatehouse.errors import ControlError, OutboxError
from gatehouse.outbox.reader import Reader
from gatehouse.texts import N_
from gatehouse.threads import off_loop

_LIMIT_S: Final = 15.0
_SLOW_MS: Final = 500.0
"""Above it a press is stored later than the district has it, and a power cut costs more."""
_CONTENT: Final = bytes(range(256)) * 256
ALARMS: Final = 10_000
NEEDED: Final = 50_000_000
"""Bytes: the room for them, with the WAL."""


async def _run(context: Context) -> Findings:
    state_dir = context.config.gateway.state_dir
    tried = await off_loop(lambda: _try(state_dir), name="check-outbox", timeout_s=_LIMIT_S)
    return [tried, *await _file(context, state_dir / "outbox.db")]


def _try(state_dir: Path) -> Finding:
    """Write beside the outbox, have it on the disk, and read it back."""
    try:
        with Scratch(state_dir, "outbox") as scratch:
            began = time.perf_counter()
            scratch.write(_CONTENT)
            ms = (time.perf_counter() - began) * 1000
            same = scratch.read() == _CONTENT
    except PermissionError:
        if os.geteuid() not in {0, _owner(state_dir)}:
            return nothing(N_("not allowed to write to {folder}: use sudo"), folder=state_dir)
        return _refused(state_dir, "EACCES")
    except OSError as exc:
        return _refused(state_dir, exc.strerror or str(exc))
    if not same:
        figure = say(N_("{folder} gives back other bytes than were written"), folder=state_dir)
        return fail(figure, say(N_("change the card at once; it loses what it is given")))
    figure = say(N_("written in {ms} ms"), ms=f"{ms:.1f}")
    if ms > _SLOW_MS:
        return warn(figure, say(N_("a disk that slow holds up what is stored: change the card")))
    return ok(figure)


def _owner(folder: Path) -> int:
    try:
        return folder.stat().st_uid
    except OSError:
        return -1


def _refused(folder: Path, why: str) -> Finding:
    figure = say(N_("{folder} cannot be written: {why}"), folder=folder, why=why)
    remedy = N_("make {folder} writable for the service, and give it space")
    return fail(figure, say(remedy, folder=folder))


async def _file(context: Context, path: Path) -> list[Finding]:
    """Have the file checked, by the service where it runs: it lets nobody else at it."""
    try:
        answer = await context.ask({"do": "outbox-check"})
    except ControlError as exc:
        if exc.code == protocol.UNKNOWN:
            return [nothing(N_("the alarm service is older than this command"))]
        raise
    if answer is None:
        try:
            answer = await off_loop(lambda: _read(path), name="check-file", timeout_s=_LIMIT_S)
        except FileNotFoundError:
            return [fine(N_("no outbox yet: the alarm service makes it"))]
        except OutboxError as exc:
            answer = {"sound": False, "text": str(exc)}
    free = await off_loop(
        lambda: _free(context, path.parent), name="check-file", timeout_s=_LIMIT_S
    )
    return _judge(answer, free)


def _free(context: Context, folder: Path) -> int:
    room = context.machine.statvfs(folder)
    return room.f_bavail * room.f_frsize


def _read(path: Path) -> dict[str, Any]:
    path.stat()
    with closing(Reader(path)) as reader:
        reserve = reader.examine()
    return {"sound": True, "slices": reserve.slices, "of": reserve.of}


def _judge(answer: dict[str, Any], free: int) -> list[Finding]:
    if not answer.get("sound"):
        figure = say(N_("its file is damaged or locked: {why}"), why=answer.get("text", "?"))
        remedy = N_(
            "restart gatehouse-alarm: it saves what can be read; if it comes again, change the card"
        )
        return [fail(figure, say(remedy))]
    slices, of = int(answer.get("slices", 0)), max(1, int(answer.get("of", 1)))
    room = ALARMS * min(slices, of) // of
    figure = say(N_("sound, room for {count} alarms"), count=room)
    if slices >= of:
        return [ok(figure)]
    if free >= NEEDED:
        return [warn(figure, say(N_("look again in a minute: the room is being made")))]
    return [fail(figure, say(N_("give the disk of the outbox 50 MB more space")))]


CHECK: Final = Check("outbox", N_("outbox"), _LIMIT_S, _run)
