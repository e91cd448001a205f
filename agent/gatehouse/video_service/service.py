"""The video service: watches the cameras, follows their recordings, and reports both.

It may hang, crash or be killed at any time: the alarm service then tells a fault, and nothing else.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any, Final

from gatehouse import config, process, texts
from gatehouse.clock import Clock, open_clock
from gatehouse.config import Loaded
from gatehouse.control import client, reports
from gatehouse.control.reports import GATEWAY, Report, Row, Standing
from gatehouse.control.server import ControlServer, Handler
from gatehouse.errors import ControlError, GatehouseError
from gatehouse.systemd import Notifier
from gatehouse.threads import off_loop
from gatehouse.video_service.evidence import Evidence
from gatehouse.video_service.recordings import Recordings
from gatehouse.video_service.reporter import Reporter
from gatehouse.video_service.watch import Watch

log = logging.getLogger(__name__)

SOCKET: Final = "video.sock"
_SECTIONS: Final = {"camera", "retention", "evidence"}
"""What of the configuration is ours; the alarm service tells of the rest."""
_MOST_MISTAKES: Final = 20
_ASK_S: Final = 15.0
_READ_S: Final = 10.0
_RESTART_S: Final = (1.0, 30.0)


def serve(path: Path, environ: Mapping[str, str]) -> int:
    """Run the video service until SIGTERM; returns its exit code."""
    try:
        loaded = config.read_for_alarm(path, environ)
        texts.use(loaded.config.gateway.language)
        clock = open_clock(environ.get("GATEHOUSE_CLOCK"), environ.get("GATEHOUSE_BOOTID"))
        loaded.config.gateway.runtime_dir.mkdir(parents=True, exist_ok=True)
        lock = loaded.config.gateway.runtime_dir / "video.lock"
        alone = process.only_one(lock, "gatehouse-video")
    except config.ConfigError as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    except (GatehouseError, LookupError, OSError) as exc:
        log.critical("the video service cannot start: %s", exc)
        return 1
    with alone:
        return process.run(VideoService(path, loaded, clock, environ).run())


class VideoService:
    """One run of the service."""

    def __init__(
        self, path: Path, loaded: Loaded, clock: Clock, environ: Mapping[str, str]
    ) -> None:
        self._path = path
        self._config = conf = loaded.config
        self._mistakes = [str(each) for each in loaded.mistakes if each.section in _SECTIONS]
        self._environ = environ
        self._clock = clock
        self._notifier = Notifier(environ)
        self._reporter = Reporter(self._tell, self._gather, self._received)
        self._watch = Watch(
            conf.cameras,
            state_dir=conf.gateway.state_dir,
            clock=clock,
            random=SystemRandom().random,
            changed=self._reporter.wake,
        )
        self._evidence = Evidence(
            conf, cameras=self._watch, ask=self._tell, clock=clock, changed=self._reporter.wake
        )
        self._recordings = Recordings(
            conf.cameras,
            conf.retention,
            state_dir=conf.gateway.state_dir,
            clock=clock,
            changed=self._reporter.wake,
            held=self._evidence.held,
        )

    async def run(self) -> int:
        """Work until told to stop. Returns the exit code."""
        loop = asyncio.get_running_loop()
        stop, again, listens = asyncio.Event(), asyncio.Event(), asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        loop.add_signal_handler(signal.SIGHUP, again.set)
        if self._mistakes:
            log.warning("not all of the configuration is taken up: %s", "; ".join(self._mistakes))
        acts = {"relearn", "evidence-release", "snapshot"}
        socket = ControlServer(
            self._config.gateway.runtime_dir / SOCKET, self._handlers(), acts=acts
        )
        code = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                kept = [
                    tasks.create_task(self._watch.run()),
                    tasks.create_task(_supervised("recordings", self._recordings.run)),
                    tasks.create_task(_supervised("evidence", self._evidence.run)),
                    tasks.create_task(_supervised("reports", self._reporter.run)),
                    tasks.create_task(_supervised("socket", partial(_answer, socket, listens))),
                    tasks.create_task(self._reloads(again)),
                    tasks.create_task(self._sign_of_life()),
                ]
                await listens.wait()
                self._ready()
                await stop.wait()
                self._notifier.say("STOPPING=1")
                for task in kept:
                    task.cancel()
        except* Exception as group:
            for error in group.exceptions:
                log.critical("the service ends, to be restarted", exc_info=error)
            code = 1
        log.info("stopped")
        return code

    def _ready(self) -> None:
        watching = f"watching {len(self._config.cameras)} cameras"
        self._notifier.say("READY=1", f"STATUS={watching}")
        log.info(watching)

    # what is said to the alarm service

    async def _tell(self, request: dict[str, Any]) -> dict[str, Any]:
        control = self._config.gateway.runtime_dir / "control.sock"
        return await off_loop(
            lambda: client.ask(control, request, _ASK_S), name="report", timeout_s=_ASK_S + 1
        )

    def _gather(self) -> Report:
        status = {
            "cameras": self._watch.summary(),
            "recordings": self._recordings.summary(),
            reports.RETENTION_ROWS: self._recordings.retention(),
            "evidence": self._evidence.summary(),
        }
        rows = [*self._watch.rows(), *self._recordings.rows(), self._own_row()]
        told = (*self._evidence.told(), *self._recordings.told())[: reports.MOST_TOLD]
        return Report(reports.merged([*rows, self._evidence.row()]), told, status)

    def _received(self, keys: Collection[str]) -> None:
        self._recordings.received(keys)
        self._evidence.received(keys)

    def _own_row(self) -> Row:
        if not self._mistakes:
            return Row(GATEWAY)
        told = {"mistakes": self._mistakes[:_MOST_MISTAKES]}
        return Row(GATEWAY, (Standing(reports.VIDEO_CONFIG, told),))

    # what is asked on our own socket

    def _handlers(self) -> dict[str, Handler]:
        return {
            "cameras": self._on_cameras,
            "recordings": self._on_recordings,
            "relearn": self._on_relearn,
            **self._evidence.handlers(),
        }

    async def _on_cameras(self, _request: dict[str, Any]) -> dict[str, Any]:
        return self._watch.document()

    async def _on_recordings(self, _request: dict[str, Any]) -> dict[str, Any]:
        return self._recordings.document()

    async def _on_relearn(self, request: dict[str, Any]) -> dict[str, Any]:
        camera = request.get("camera")
        if not isinstance(camera, str):
            raise ControlError("camera must be a name")
        self._watch.relearn(camera)
        log.info("camera %s is learnt anew, as asked", camera)
        return {"camera": camera}

    # what goes on beside

    async def _reloads(self, asked: asyncio.Event) -> None:
        """Read the configuration again at every SIGHUP."""
        while True:
            await asked.wait()
            asked.clear()
            usec = self._clock.reading().monotonic_ns // 1000
            self._notifier.say("RELOADING=1", f"MONOTONIC_USEC={usec}")
            await self._reload()
            self._reporter.wake()
            self._ready()

    async def _reload(self) -> None:
        """Take up what changed of cameras and retention; a mistake anywhere changes nothing.

        A file with a mistake may lack cameras: to stop watching those is worse than to go on.
        """
        try:
            loaded = await off_loop(
                lambda: config.read_for_alarm(self._path, self._environ),
                name="config",
                timeout_s=_READ_S,
            )
        except (config.ConfigError, OSError) as exc:
            self._mistakes = [str(exc)[:500] or "the configuration could not be read in time"]
        else:
            self._mistakes = [str(each) for each in loaded.mistakes]
        if self._mistakes:
            log.warning("the configuration is not taken up: %s", "; ".join(self._mistakes))
            return
        new, old = loaded.config, self._config
        if (new.gateway.state_dir, new.gateway.runtime_dir) != (
            old.gateway.state_dir,
            old.gateway.runtime_dir,
        ):
            self._mistakes = ["state_dir and runtime_dir change only with a restart"]
            log.warning("the configuration is not taken up: %s", self._mistakes[0])
            return
        self._config = new
        await self._watch.reload(new.cameras)
        self._recordings.reload(new.cameras, new.retention)
        self._evidence.reload(new)

    async def _sign_of_life(self) -> None:
        """Tell systemd that the loop turns."""
        if (period_s := self._notifier.watchdog_s) is None:
            return
        while True:
            self._notifier.say("WATCHDOG=1")
            await asyncio.sleep(period_s / 3)


async def _answer(socket: ControlServer, listens: asyncio.Event) -> None:
    """Answer on our socket until cancelled; ``listens`` is set once that was begun, or tried.

    Who cannot be asked records nevertheless, and is not to be ended for a start that took too long.
    """
    try:
        await socket.start()
    finally:
        listens.set()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await socket.close()


async def _supervised(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Keep a part alive; its failure ends neither the others nor the recording."""
    pause, longest = _RESTART_S
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s failed; again in %.0f s", name, pause)
        await asyncio.sleep(pause)
        pause = min(longest, pause * 2)
