"""The alarm service: opens the rooms, joins them, and closes them in order."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from random import SystemRandom
from typing import Final

from gatehouse import events
from gatehouse.alarm.gpio import Board, Edge
from gatehouse.alarm.station import Parts, Station
from gatehouse.checks.context import Context
from gatehouse.clock import Clock
from gatehouse.config import Loaded
from gatehouse.control.server import ControlServer
from gatehouse.events import Happening, Mode, Scribe
from gatehouse.faults import FaultBook
from gatehouse.outbox import Opening, Outbox
from gatehouse.service import documents, duties, machine, pictures, standing
from gatehouse.service.documents import Rooms
from gatehouse.service.health import Health
from gatehouse.service.joints import Joints
from gatehouse.service.latency import Latencies
from gatehouse.service.pins import input_pins
from gatehouse.service.requests import ACTS, Requests
from gatehouse.service.selftests import Selftests, command_line
from gatehouse.service.still_unproven import StillUnproven
from gatehouse.service.video_reports import KEYS_FAULT, VideoReports
from gatehouse.service.voice import Voice
from gatehouse.service.walkdue import LOG_FAULT
from gatehouse.service.walktests import WalkTests
from gatehouse.service.watchdog import Watchdog
from gatehouse.systemd import Notifier
from gatehouse.uplink import Uplink

log = logging.getLogger(__name__)

_FAREWELL_S: Final = 1.0
_CLOSE_S: Final = 0.5
_LISTEN_S: Final = 2.0


class AlarmService:
    """One run of the service, from the first level read to the orderly end."""

    def __init__(
        self,
        loaded: Loaded,
        board: Board,
        clock: Clock,
        notifier: Notifier,
        *,
        hung: bool = False,
    ) -> None:
        self._loaded = loaded
        self._hung = hung
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
        began_ns = self._clock.reading().monotonic_ns  # no edge is taken as older: before `listen`
        self._board.listen(deliver)
        levels = {pin: self._board.level(pin) for pin in input_pins(self._config)}
        joints = Joints(self._clock)
        outbox, opening = await Outbox.open(
            self._config.gateway.state_dir / "outbox.db",
            clock=self._clock,
            random=os.urandom,
            on_stored=joints.stored,
            on_trouble=joints.trouble,
        )
        rooms, voice = self._join(loop, joints, outbox, opening)
        self._tell_start(voice, opening)
        joints.catch_up()
        rooms.station.begin(levels, began_ns)
        rooms.video.begin()
        self._take = rooms.station.edge
        for edge in self._early:
            rooms.station.edge(edge)
        self._early.clear()
        walks = WalkTests(rooms, voice, joints.stages, joints.changes)
        handlers = Requests(rooms, joints.stages, joints.changes).handlers()
        control = ControlServer(
            self._config.gateway.runtime_dir / "control.sock",
            {**handlers, "walktest": walks.take},
            acts=ACTS,
        )
        code = await self._work(rooms, voice, control, stop, deliver, walks=walks)
        await self._close(rooms)
        return code

    def _deliver_to(self, loop: asyncio.AbstractEventLoop) -> Callable[[Edge], None]:
        def arrive(edge: Edge) -> None:
            self._take(edge)

        def deliver(edge: Edge) -> None:
            loop.call_soon_threadsafe(arrive, edge)

        return deliver

    def _join(
        self, loop: asyncio.AbstractEventLoop, joints: Joints, outbox: Outbox, opening: Opening
    ) -> tuple[Rooms, Voice]:
        conf, clock = self._config, self._clock
        reading = clock.reading()
        looker = machine.Looker(conf.gateway.state_dir)
        faults = FaultBook(opening.faults)
        uplink = Uplink(
            gateway=conf.gateway.id,
            district=conf.district,
            outbox=outbox,
            clock=clock,
            random=SystemRandom().random,
            seen_commands=opening.commands,
            birth=lambda: documents.birth(rooms),
            heartbeat=lambda: duties.heartbeat(rooms, looker),
            hooks=joints.hooks(),
            evidence=pictures.folder(conf),
            cameras=[camera.name for camera in conf.cameras],
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
                standing.by_button(opening, reading, receipts=conf.district.receipts),
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
            video=VideoReports(
                voice=voice,
                outbox=outbox,
                clock=clock,
                loop=loop,
                cameras=len(conf.cameras),
                changed=lambda: joints.changes.tell({}),
            ),
            selftests=Selftests(
                voice=voice,
                clock=clock,
                receipts=conf.district.receipts,
                command=command_line(conf.path),
            ),
            health=Health(Context(config=conf, clock=clock, gentle=True), voice.fault),
            unproven=StillUnproven(conf, lambda: joints.changes.tell({})),
            store=opening.store,
            start=opening.start,
            started_unix_ns=reading.unix_ns,
            started_ns=reading.monotonic_ns,
        )
        joints.join(rooms, voice, self._notifier)
        return rooms, voice

    def _tell_start(self, voice: Voice, opening: Opening) -> None:
        """Say that the service started, why, and what was found amiss."""
        reason = standing.start_reason(
            opening.last_event,
            self._clock.bootid,
            hung=self._hung,
            card_reset=machine.card_reset(),
        )
        data = {"previous": opening.previous, "reason": reason}
        voice.tell(Happening(events.GATEWAY_STARTED, "gateway", data))
        if opening.drill_open:
            ended = {"reason": "restart"}
            voice.tell(Happening(events.DRILL_ENDED, "gateway", ended, Mode.DRILL))
        found = {trouble.fault: trouble.data for trouble in opening.trouble}
        for name in standing.FOUND_AT_START:
            voice.fault(name, name in found, data=found.get(name))
        for name in found.keys() - set(standing.FOUND_AT_START):
            voice.fault(name, True, data=found[name])
        for gone in standing.taken_out(voice.faults, self._config):
            voice.fault(gone.fault, False, subject=gone.subject, data={"reason": "removed"})
        mistakes = [str(m) for m in self._loaded.mistakes if m.stops_alarm]
        voice.fault("config", self._loaded.from_last_good, data={"mistakes": mistakes[:20]})

    async def _work(
        self,
        rooms: Rooms,
        voice: Voice,
        control: ControlServer,
        stop: asyncio.Event,
        deliver: Callable[[Edge], None],
        *,
        walks: WalkTests,
    ) -> int:
        """Do all duties until told to stop; a duty that cannot go on ends the process."""
        listening = asyncio.Event()
        watchdog = Watchdog(deliver, self._notifier.watchdog_s)
        watchdog.start()
        code = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                answering = partial(duties.answer, control, listening, voice)
                kept = [
                    tasks.create_task(rooms.uplink.run()),
                    tasks.create_task(duties.tick(rooms, self._board, self._clock, voice)),
                    tasks.create_task(duties.supervised("control", answering, voice)),
                    tasks.create_task(duties.keep_config(self._loaded, voice)),
                    tasks.create_task(duties.supervised(KEYS_FAULT, rooms.video.learn, voice)),
                    tasks.create_task(rooms.unproven.keep()),
                    tasks.create_task(duties.supervised(LOG_FAULT, walks.due.watch, voice)),
                    tasks.create_task(rooms.selftests.run()),
                    tasks.create_task(duties.supervised("health", rooms.health.run, voice)),
                ]
                with contextlib.suppress(TimeoutError):  # the alarm works without its socket
                    async with asyncio.timeout(_LISTEN_S):
                        await listening.wait()
                self._notifier.say("READY=1", "STATUS=watching")
                log.info("watching %d buttons", len(self._config.buttons))
                await stop.wait()
                self._notifier.say("STOPPING=1")
                await duties.last_presses(rooms)
                rooms.video.close()
                walks.close()
                voice.tell(Happening(events.GATEWAY_STOPPED, "gateway", {"reason": "command"}))
                await rooms.uplink.farewell(_FAREWELL_S)
                for task in kept:
                    task.cancel()
        except* Exception as group:
            for error in group.exceptions:
                log.critical("the service ends, to be restarted", exc_info=error)
            code = 1
        finally:
            watchdog.stop()
        return code

    async def _close(self, rooms: Rooms) -> None:
        """Write what waits and let go of the pins; what is not sent stays in the outbox."""
        await rooms.outbox.close(_CLOSE_S)
        rooms.station.close()
        self._board.close()
        log.info("stopped")
