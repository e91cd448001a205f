"""What the alarm service does besides waiting for a press: each duty is one task."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from gatehouse import config, events
from gatehouse.alarm.gpio import Board
from gatehouse.clock import Clock
from gatehouse.config import Loaded
from gatehouse.control.server import ControlServer
from gatehouse.errors import BoardError
from gatehouse.events import Happening
from gatehouse.service import documents
from gatehouse.service.clockwatch import ClockWatch
from gatehouse.service.documents import Rooms
from gatehouse.service.machine import Looker
from gatehouse.service.voice import Voice
from gatehouse.threads import off_loop

log = logging.getLogger(__name__)

_KEEP_S: Final = 30.0
_LAST_PRESS_S: Final = 0.5
_RESTART_S: Final = (1.0, 30.0)


async def tick(rooms: Rooms, board: Board, clock: Clock, voice: Voice) -> None:
    """Look at the board, the levels and the clock once a second.

    Raises BoardError when no edge can come any more: the process must end to be restarted.
    """
    loop = asyncio.get_running_loop()
    watch = ClockWatch(clock.reading(), synced=clock.synced())
    due = loop.time()
    while True:
        due = max(due + 1.0, loop.time())
        await asyncio.sleep(due - loop.time())
        if not board.alive():
            raise BoardError("the board's edge thread has died: the process ends, to be restarted")
        rooms.station.tick()
        seen = watch.look(clock.reading(), synced=clock.synced())
        if seen.corrected_s is not None:
            data = {"bootid": clock.bootid, "offset_s": seen.corrected_s}
            voice.tell(Happening(events.CLOCK_CORRECTED, "gateway", data))
        if seen.unset is not None:  # within the grace a fault that stood before still stands
            voice.fault("clock", seen.unset)


async def answer(control: ControlServer, listening: asyncio.Event, voice: Voice) -> None:
    """Answer on the control socket until cancelled."""
    await control.start()
    listening.set()
    voice.fault("control", False)
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await control.close()


async def supervised(name: str, work: Callable[[], Awaitable[None]], voice: Voice) -> None:
    """Keep something alive that is not the alarm path; its failure is a fault, not our end."""
    pause, longest = _RESTART_S
    while True:
        try:
            await work()
        except Exception as exc:  # whatever it is, the alarm goes on
            log.exception("%s failed; again in %.0f s", name, pause)
            voice.fault(name, True, data={"error": str(exc)})
        await asyncio.sleep(pause)
        pause = min(longest, pause * 2)


async def keep_config(loaded: Loaded, voice: Voice) -> None:
    """Keep the copy that a later typo falls back to; tell when it differs from the last."""
    if loaded.from_last_good:
        return
    try:
        changed = await off_loop(
            lambda: config.keep_last_good(loaded.config), name="keep-config", timeout_s=_KEEP_S
        )
    except OSError as exc:  # KeepError and TimeoutError are OSErrors
        log.warning("the last good configuration could not be kept: %s", exc)
        return
    if changed:
        told = {"file": loaded.config.path.name}
        voice.tell(Happening(events.CONFIG_CHANGED, "gateway", told))


async def last_presses(rooms: Rooms) -> None:
    """Let a press that has only just begun reach its filter time, so that no stop swallows it."""
    presses = ((c.config, c.contacts.press) for c in rooms.station.channels.values() if c.contacts)
    undecided = [button.filter_ms for button, press in presses if press and not press.reported]
    if undecided:
        await asyncio.sleep(min(max(undecided) / 1000 + 0.01, _LAST_PRESS_S))


async def heartbeat(rooms: Rooms, looker: Looker) -> bytes:
    """Make the telemetry body; a machine that cannot be looked at is left out."""
    seen = None
    try:
        seen = (await looker.look()).document()
    except OSError as exc:
        log.debug("the machine cannot be looked at: %s", exc)
    return msgspec.json.encode(documents.heartbeat(rooms, seen))
