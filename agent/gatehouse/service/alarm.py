"""The alarm service: opens the rooms, joins them, and closes them in order."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Final

import msgspec

from gatehouse import config, events, texts
from gatehouse.alarm.gpio import Board, Edge, open_board
from gatehouse.alarm.station import Parts, Station
from gatehouse.clock import Clock, open_clock
from gatehouse.config import Loaded
from gatehouse.control.server import ControlServer
from gatehouse.errors import BoardError, GatehouseError
from gatehouse.events import Happening, Scribe
from gatehouse.faults import FaultBook
from gatehouse.outbox import Opening, Outbox
from gatehouse.service import documents, machine, process, standing
from gatehouse.service.clockwatch import ClockWatch
from gatehouse.service.documents import Rooms
from gatehouse.service.joints import Joints
from gatehouse.service.latency import Latencies
from gatehouse.service.requests import Requests
from gatehouse.service.voice import Voice
from gatehouse.service.watchdog import Watchdog
from gatehouse.systemd import Notifier
from gatehouse.threads import off_loop
from gatehouse.uplink import Uplink

log = logging.getLogger(__name__)

_FAREWELL_S: Final = 1.0
_CLOSE_S: Final = 0.5
_LOOK_S: Final = 3.0
_LISTEN_S: Final = 2.0
_RESTART_S: Final = (1.0, 30.0)


def serve(path: Path, environ: Mapping[str, str]) -> int:
    """Run the alarm service until SIGTERM; returns its exit code."""
    process.start_logging()
    try:
        loaded = config.read_for_alarm(path, environ)
        texts.use(loaded.config.gateway.language)
        clock = open_clock(environ.get("GATEHOUSE_CLOCK"), environ.get("GATEHOUSE_BOOTID"))
        loaded.config.gateway.runtime_dir.mkdir(parents=True, exist_ok=True)
        board = _open_board(loaded.config, environ)
    except config.ConfigError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    except (GatehouseError, LookupError, OSError) as exc:
        log.critical("the alarm service cannot start: %s", exc)
        return 1
    process.stay_in_memory()
    return process.run(AlarmService(loaded, board, clock, Notifier(environ)).run())


def _input_pins(conf: config.Config) -> list[int]:
    pins = [pin for b in conf.buttons for pin in (b.pin, b.loop, b.reset)]
    return [pin for pin in [*pins, conf.enclosure.tamper, conf.enclosure.mains] if pin is not None]


def _output_pins(conf: config.Config) -> list[int]:
    pins = [
        pin
        for b in conf.buttons
        for pin in (b.lamps.red, b.lamps.yellow, b.lamps.green, b.buzzer, b.relay)
    ]
    return [pin for pin in pins if pin is not None]


def _open_board(conf: config.Config, environ: Mapping[str, str]) -> Board:
    return open_board(
        inputs=_input_pins(conf),
        outputs=_output_pins(conf),
        runtime_dir=conf.gateway.runtime_dir,
        factory_name=environ.get("GPIOZERO_PIN_FACTORY"),
    )


async def _serve(control: ControlServer, listening: asyncio.Event) -> None:
    """Answer on the control socket until cancelled."""
    await control.start()
    listening.set()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await control.close()


class AlarmService:
    """One run of the service, from the first level read to the orderly end."""

    def __init__(self, loaded: Loaded, board: Board, clock: Clock, notifier: Notifier) -> None:
        self._loaded = loaded
        self._config = loaded.config
        self._board = board
        self._clock = clock
        self._notifier = notifier
        self._early: list[Edge] = []
        self._take: Callable[[Edge], None] = self._early.append

    async def run(self) -> int:
        """Open, work, close. Returns the exit code."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        deliver = self._deliver_to(loop)
        self._board.listen(deliver)
        began_ns = self._clock.reading().monotonic_ns
        levels = {pin: self._board.level(pin) for pin in _input_pins(self._config)}
        joints = Joints(self._clock)
        outbox, opening = await Outbox.open(
            self._config.gateway.state_dir / "outbox.db",
            clock=self._clock,
            random=os.urandom,
            on_stored=joints.stored,
            on_trouble=joints.trouble,
        )
        rooms = self._join(loop, joints, outbox, opening)
        self._tell_start(joints.voice, opening)
        rooms.station.begin(levels, began_ns)
        self._take = rooms.station.edge
        for edge in self._early:
            rooms.station.edge(edge)
        self._early.clear()
        code = await self._work(rooms, joints, stop, deliver)
        await self._close(rooms, joints.voice)
        return code

    def _deliver_to(self, loop: asyncio.AbstractEventLoop) -> Callable[[Edge], None]:
        def arrive(edge: Edge) -> None:
            self._take(edge)

        def deliver(edge: Edge) -> None:
            loop.call_soon_threadsafe(arrive, edge)

        return deliver

    def _join(
        self, loop: asyncio.AbstractEventLoop, joints: Joints, outbox: Outbox, opening: Opening
    ) -> Rooms:
        conf, clock = self._config, self._clock
        reading = clock.reading()
        faults = FaultBook(opening.faults)
        uplink = Uplink(
            gateway=conf.gateway.id,
            district=conf.district,
            outbox=outbox,
            clock=clock,
            random=SystemRandom().random,
            seen_commands=opening.commands,
            birth=lambda: documents.birth(rooms),
            heartbeat=lambda: self._heartbeat(rooms),
            hooks=joints.hooks(),
        )
        scribe = Scribe(
            gateway=conf.gateway.id,
            store=opening.store,
            start=opening.start,
            clock=clock,
            random=os.urandom,
        )
        voice = Voice(
            scribe=scribe,
            faults=faults,
            outbox=outbox,
            uplink=uplink,
            clock=clock,
            on_event=joints.told,
            on_faults=joints.faults_changed,
        )
        station = Station(
            Parts(
                conf.buttons,
                conf.enclosure,
                conf.district.receipts,
                standing.by_button(opening, reading),
            ),
            board=self._board,
            voice=voice,
            outside=joints,
            loop=loop,
            monotonic_ns=lambda: clock.reading().monotonic_ns,
            on_probe=joints.probe,
        )
        rooms = Rooms(
            config=conf,
            clock=clock,
            board=self._board.name,
            station=station,
            outbox=outbox,
            uplink=uplink,
            faults=faults,
            latencies=Latencies(),
            store=opening.store,
            start=opening.start,
            started_unix_ns=reading.unix_ns,
            started_ns=reading.monotonic_ns,
        )
        joints.join(rooms, voice, self._notifier)
        return rooms

    def _tell_start(self, voice: Voice, opening: Opening) -> None:
        """Say that the service started, why, and what was found amiss."""
        reason = standing.start_reason(opening.last_event, self._clock.bootid)
        data = {"previous": opening.previous, "reason": reason}
        voice.tell(Happening(events.GATEWAY_STARTED, "gateway", data))
        if opening.drill_open:
            voice.tell(Happening(events.DRILL_ENDED, "gateway", {"reason": "restart"}))
        found = {trouble.fault: trouble.data for trouble in opening.trouble}
        for name in standing.FOUND_AT_START:
            voice.fault(name, name in found, data=found.get(name))
        for name in found.keys() - set(standing.FOUND_AT_START):
            voice.fault(name, True, data=found[name])
        mistakes = [str(m) for m in self._loaded.mistakes if m.stops_alarm]
        voice.fault("config", self._loaded.from_last_good, data={"mistakes": mistakes[:20]})

    async def _work(
        self,
        rooms: Rooms,
        joints: Joints,
        stop: asyncio.Event,
        deliver: Callable[[Edge], None],
    ) -> int:
        control = ControlServer(
            self._config.gateway.runtime_dir / "control.sock",
            Requests(rooms, joints.stages, joints.changes).handlers(),
        )
        listening = asyncio.Event()
        watchdog = None
        if self._notifier.watchdog_s:
            watchdog = Watchdog(deliver, self._notifier.watchdog_s)
            watchdog.start()
        code = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                kept = [
                    tasks.create_task(rooms.uplink.run()),
                    tasks.create_task(self._tick(rooms, joints)),
                    tasks.create_task(
                        self._supervised("control", partial(_serve, control, listening), joints.voice)
                    ),
                    tasks.create_task(self._keep_config(joints.voice)),
                ]
                with contextlib.suppress(TimeoutError):  # the alarm works without its socket
                    async with asyncio.timeout(_LISTEN_S):
                        await listening.wait()
                self._notifier.say("READY=1", "STATUS=watching")
                log.info("watching %d buttons", len(self._config.buttons))
                await stop.wait()
                self._notifier.say("STOPPING=1")
                for task in kept:
                    task.cancel()
        except* BoardError as group:
            log.critical("%s", group.exceptions[0])
            code = 1
        finally:
            if watchdog:
                watchdog.stop()
        return code

    async def _tick(self, rooms: Rooms, joints: Joints) -> None:
        """Once a second: the board, the levels, the clock."""
        loop = asyncio.get_running_loop()
        watch = ClockWatch(self._clock.reading(), synced=self._clock.synced())
        due = loop.time()
        while True:
            due = max(due + 1.0, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self._board.alive():
                raise BoardError(
                    "the board's edge thread has died: the process ends, to be restarted"
                )
            rooms.station.tick()
            seen = watch.look(self._clock.reading(), synced=self._clock.synced())
            if seen.corrected_s is not None:
                data = {"bootid": self._clock.bootid, "offset_s": seen.corrected_s}
                joints.voice.tell(Happening(events.CLOCK_CORRECTED, "gateway", data))
            joints.voice.fault("clock", seen.unset_too_long)

    async def _supervised(
        self, name: str, work: Callable[[], Awaitable[None]], voice: Voice
    ) -> None:
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

    async def _keep_config(self, voice: Voice) -> None:
        """Keep the copy that a later typo falls back to; say so when it differs from the last."""
        if self._loaded.from_last_good:
            return
        try:
            changed = await off_loop(
                lambda: config.keep_last_good(self._config), name="keep-config", timeout_s=30
            )
        except (OSError, TimeoutError) as exc:
            log.warning("the last good configuration could not be kept: %s", exc)
            return
        if changed:
            told = {"file": self._config.path.name}
            voice.tell(Happening(events.CONFIG_CHANGED, "gateway", told))

    async def _heartbeat(self, rooms: Rooms) -> bytes:
        """Make the telemetry body; a machine that cannot be looked at is left out."""
        state_dir = self._config.gateway.state_dir
        try:
            seen = await off_loop(
                lambda: machine.look(state_dir).document(), name="machine", timeout_s=_LOOK_S
            )
        except (OSError, TimeoutError):
            seen = None
        return msgspec.json.encode(documents.heartbeat(rooms, seen))

    async def _close(self, rooms: Rooms, voice: Voice) -> None:
        """Stop within two seconds with nothing lost: what is not sent stays in the outbox."""
        voice.tell(Happening(events.GATEWAY_STOPPED, "gateway", {"reason": "command"}))
        await rooms.uplink.farewell(_FAREWELL_S)
        await rooms.outbox.close(_CLOSE_S)
        rooms.station.close()
        self._board.close()
        log.info("stopped")
