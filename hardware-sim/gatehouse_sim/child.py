"""One service of the agent as a child process: readiness as systemd hears it, logs, ends."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gatehouse.control import client
from gatehouse.threads import off_loop

_PR_SET_PDEATHSIG: Final = 1
START_S: Final = 60.0
_END_S: Final = 60.0
_LOG_CHARS: Final = 4000


def die_with_parent() -> None:
    """Have the kernel kill this child when its parent dies, so that nothing is left behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one simulated gateway keeps its files; short, as socket paths end at 107 bytes."""

    root: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "gatehouse.toml"

    @property
    def state_dir(self) -> Path:
        """Outbox, last good configuration, what the video service has learnt."""
        return self.root / "state"

    @property
    def runtime_dir(self) -> Path:
        """Sockets."""
        return self.root / "run"

    @property
    def clock(self) -> Path:
        """The file that moves the services' clock."""
        return self.root / "clock.json"

    @property
    def wiring(self) -> Path:
        """The socket of the simulated wiring."""
        return self.runtime_dir / "sim.sock"

    @property
    def control(self) -> Path:
        """The alarm service's control socket."""
        return self.runtime_dir / "control.sock"

    @property
    def video_socket(self) -> Path:
        """The video service's socket."""
        return self.runtime_dir / "video.sock"

    @property
    def log(self) -> Path:
        """What the alarm service wrote to stderr, over all its starts."""
        return self.root / "agent.log"

    @property
    def video_log(self) -> Path:
        """What the video service wrote to stderr, over all its starts."""
        return self.root / "video.log"

    @property
    def recordings(self) -> Path:
        """One folder of recordings for each camera."""
        return self.root / "recordings"


class Service:
    """Starts, kills, asks and restarts one service; ``name`` is what ``gatehouse run`` calls it."""

    name: Literal["alarm", "video"]

    def __init__(self, place: Place, environ: Mapping[str, str] | None = None) -> None:
        self.place = place
        self.environ = dict(environ or {})
        self.within: Sequence[str] = ()
        """Words before its command that put it somewhere, such as on a disk of its own."""
        self._process: asyncio.subprocess.Process | None = None
        self.started = asyncio.Event()
        """Set while it runs and is ready."""

    @property
    def address(self) -> Path:
        """Where it is asked."""
        return self.place.control if self.name == "alarm" else self.place.video_socket

    @property
    def log(self) -> Path:
        """What it wrote to stderr, over all its starts."""
        return self.place.log if self.name == "alarm" else self.place.video_log

    @property
    def pid(self) -> int:
        """Its process id. Raises ProcessLookupError when it is not started."""
        return self._running().pid

    async def stop(self) -> int:
        """Stop it in order (SIGTERM); returns its exit code.

        Raises TimeoutError with its log when it does not end; then it is killed.
        """
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it without a word (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for it to end by itself; returns its exit code."""
        return await self._running().wait()

    async def reload(self) -> None:
        """Have it read its configuration again (SIGHUP); returns when it says that it did.

        Raises ChildProcessError with its log when it ends instead, TimeoutError if it never does,
        ProcessLookupError when it does not run.
        """
        with self._listening() as listener:
            self._running().send_signal(signal.SIGHUP)
            await self._said(listener, "RELOADING=1", "READY=1")

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask it over its socket. Raises NotRunningError, ControlError."""
        path = self.address
        return await off_loop(lambda: client.ask(path, request), name="ask", timeout_s=START_S)

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_LOG_CHARS:]

    async def _begin(self, environ: Mapping[str, str], *, wait: bool) -> None:
        """Start it; returns when it has told systemd (us) that it is ready, if that is wanted."""
        self.place.runtime_dir.mkdir(parents=True, exist_ok=True)
        with self._listening() as listener:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(*self.within, sys.executable, "-m", "gatehouse"),
                    *("--config", str(self.place.config), "run", self.name),
                    env={**self._environ(), **environ},
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent,
                )
            if wait:
                await self._said(listener, "READY=1")
                self.started.set()

    async def _end(self, how: signal.Signals) -> int:
        self.started.clear()
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            async with asyncio.timeout(_END_S):
                return await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise TimeoutError(f"the {self.name} service did not end:\n{self.tail()}") from None
        finally:
            self._process = None

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ProcessLookupError(f"the {self.name} service is not started")
        return self._process

    @property
    def _notify(self) -> Path:
        return self.place.root / f"notify-{self.name}.sock"

    @contextlib.contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        """Listen as systemd does; between times nobody does, which is no service's trouble."""
        self._notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(self._notify))
            listener.setblocking(False)
            yield listener

    async def _said(self, listener: socket.socket, *words: str) -> None:
        """Wait until it has said these words in this order."""
        loop = asyncio.get_running_loop()
        wanted = [word.encode() for word in words]
        ended = asyncio.ensure_future(self.wait())
        try:
            async with asyncio.timeout(START_S):
                while wanted:
                    said = asyncio.ensure_future(loop.sock_recv(listener, 4096))
                    await asyncio.wait({said, ended}, return_when=asyncio.FIRST_COMPLETED)
                    if ended.done():
                        said.cancel()
                        raise ChildProcessError(f"the {self.name} service ended:\n{self.tail()}")
                    if wanted[0] in said.result().splitlines():
                        wanted.pop(0)
        finally:
            ended.cancel()

    def _environ(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("GATEHOUSE_", "NOTIFY_", "WATCHDOG_"))
        }
        return {
            **kept,
            "GATEHOUSE_CLOCK": "gatehouse_sim",
            "GATEHOUSE_SIM_CLOCK": str(self.place.clock),
            "NOTIFY_SOCKET": str(self._notify),
            **self.environ,
        }
