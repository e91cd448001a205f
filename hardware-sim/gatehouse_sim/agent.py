"""The real agent as a child process, on simulated wiring and a clock that can be moved."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse.control import client
from gatehouse.threads import off_loop
from gatehouse_sim import clock

_PR_SET_PDEATHSIG: Final = 1
_START_S: Final = 30.0


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
        """Outbox and last good configuration."""
        return self.root / "state"

    @property
    def runtime_dir(self) -> Path:
        """Sockets."""
        return self.root / "run"

    @property
    def clock(self) -> Path:
        """The file that moves the agent's clock."""
        return self.root / "clock.json"

    @property
    def wiring(self) -> Path:
        """The socket of the simulated wiring."""
        return self.runtime_dir / "sim.sock"

    @property
    def control(self) -> Path:
        """The agent's control socket."""
        return self.runtime_dir / "control.sock"

    @property
    def log(self) -> Path:
        """What the agent wrote to stderr, over all its starts."""
        return self.root / "agent.log"


class Agent:
    """Starts, kills, asks and restarts one agent."""

    def __init__(self, place: Place, environ: Mapping[str, str] | None = None) -> None:
        self.place = place
        self.environ = dict(environ or {})
        self._process: asyncio.subprocess.Process | None = None
        self.started = asyncio.Event()
        """Set while the agent runs and is ready."""

    @property
    def pid(self) -> int:
        """The agent's process id."""
        if self._process is None:
            raise ProcessLookupError("the agent is not started")
        return self._process.pid

    async def start(
        self, *, levels: Mapping[int, int] | None = None, wait: bool = True, **environ: str
    ) -> None:
        """Start it; returns when it has told systemd (us) that it is ready."""
        self.place.runtime_dir.mkdir(parents=True, exist_ok=True)
        notify = self.place.root / "notify.sock"
        notify.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(notify))
            listener.setblocking(False)
            with self.place.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "gatehouse",
                    "--config",
                    str(self.place.config),
                    "run",
                    "alarm",
                    env=self._environ(notify, levels or {}) | environ,
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent,
                )
            if wait:
                await self._ready(listener)
                self.started.set()

    async def stop(self) -> int:
        """Stop it in order (SIGTERM); returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it without a word (SIGKILL)."""
        await self._end(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for it to end by itself; returns its exit code."""
        if self._process is None:
            raise ProcessLookupError("the agent is not started")
        return await self._process.wait()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask it over its control socket. Raises NotRunningError, ControlError."""
        return await off_loop(
            lambda: client.ask(self.place.control, request), name="ask", timeout_s=_START_S
        )

    async def status(self) -> dict[str, Any]:
        """Return the document of ``gatehouse status``."""
        return await self.ask({"do": "status"})

    async def wait_for(
        self, test: Callable[[dict[str, Any]], bool], *, timeout_s: float = _START_S
    ) -> dict[str, Any]:
        """Wait until the status passes a test; woken by every change of the agent.

        Raises TimeoutError with the last status and the end of the agent's log.
        """
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s), contextlib.aclosing(self.watch()) as watched:
                async for status in watched:
                    if test(status):
                        return status
        except TimeoutError:
            pass
        tail = self.place.log.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise TimeoutError(f"the agent did not get there: {json.dumps(status)}\n{tail}")

    async def watch(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the status now and at every change."""
        async for line in self._lines({"do": "watch"}):
            yield line

    async def follow(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield each stage of each alarm as it happens."""
        async for line in self._lines({"do": "follow"}):
            yield line

    async def _lines(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        reader, writer = await asyncio.open_unix_connection(str(self.place.control))
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            while line := await reader.readline():
                yield json.loads(line)
        finally:
            writer.close()

    async def _end(self, how: signal.Signals) -> int:
        self.started.clear()
        if self._process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        code = await self._process.wait()
        self._process = None
        return code

    async def _ready(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.ensure_future(self.wait())
        try:
            async with asyncio.timeout(_START_S):
                while True:
                    said = asyncio.ensure_future(loop.sock_recv(listener, 4096))
                    await asyncio.wait({said, ended}, return_when=asyncio.FIRST_COMPLETED)
                    if ended.done():
                        said.cancel()
                        break
                    if b"READY=1" in said.result():
                        return
        finally:
            ended.cancel()
        tail = self.place.log.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise ChildProcessError(f"the agent ended before it was ready:\n{tail}")

    def _environ(self, notify: Path, levels: Mapping[int, int]) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("GATEHOUSE_", "NOTIFY_", "WATCHDOG_"))
        }
        return {
            **kept,
            "GPIOZERO_PIN_FACTORY": "gatehouse_sim",
            "GATEHOUSE_SIM_SOCKET": str(self.place.wiring),
            "GATEHOUSE_SIM_LEVELS": json.dumps({str(pin): level for pin, level in levels.items()}),
            "GATEHOUSE_CLOCK": "gatehouse_sim",
            "GATEHOUSE_SIM_CLOCK": str(self.place.clock),
            "NOTIFY_SOCKET": str(notify),
            **self.environ,
        }

    def move_clock(self, *, offset_s: float = 0.0, synced: bool = True) -> None:
        """Move the agent's wall clock, or unset it."""
        clock.move(self.place.clock, offset_s=offset_s, synced=synced)
