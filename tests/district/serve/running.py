"""The district's service as a process: readiness as systemd hears it, what it logs, how it ends."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatehouse.control import client
from gatehouse.threads import off_loop
from gatehouse_sim.agent import die_with_parent
from gatehouse_sim.ports import reserve
from gatehouse_sim.school import short_folder

LIMIT_S: Final = 60.0
_CONFIG: Final = """
[district]
name = "实验区"
language = "en"
state_dir = "state"
runtime_dir = "run"

[broker]
url = "{broker}"
{broker_files}

[desk]
listen = "127.0.0.1:{port}"
{desk}
"""


@dataclass
class Running:
    """One district's service."""

    root: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    said: list[str] = field(default_factory=list)
    """What it said to systemd."""

    @property
    def program(self) -> list[str]:
        """How a command is typed."""
        return [sys.executable, "-m", "gatehouse_district"]

    @property
    def file(self) -> Path:
        """Its configuration."""
        return self.root / "district.toml"

    @property
    def log(self) -> str:
        """What it wrote to stderr, over all its starts."""
        return (self.root / "log").read_text(encoding="utf-8")

    def configure(self, broker: str, *, desk: str = "", broker_files: str = "") -> None:
        """Write its configuration."""
        text = _CONFIG.format(broker=broker, port=self.port, desk=desk, broker_files=broker_files)
        self.file.write_text(text, encoding="utf-8")

    def begin(self, **environ: str) -> subprocess.Popen[bytes]:
        """Start a process; more than one is possible, as by mistake."""
        command = [*self.program, "serve", f"--config={self.file}"]
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=os.environ | environ,
                stdin=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl, no lock
            )

    async def start(self, **environ: str) -> None:
        """Start it; returns when it has told systemd (us) that it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            path = self.root / "notify"
            path.unlink(missing_ok=True)
            ear.bind(str(path))
            ear.settimeout(LIMIT_S)
            self.said.clear()
            self.process = self.begin(NOTIFY_SOCKET=str(path), **environ)
            wanted = {"READY=1"} | ({"WATCHDOG=1"} if "WATCHDOG_USEC" in environ else set())
            await off_loop(lambda: self._hear(ear, wanted), name="notify", timeout_s=LIMIT_S)

    def _hear(self, ear: socket.socket, wanted: set[str]) -> None:
        while not wanted <= set(self.said):
            self.said += ear.recv(4096).decode().split("\n")

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(how)
        return await off_loop(lambda: process.wait(LIMIT_S), name="end", timeout_s=LIMIT_S)

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask on its socket. Raises NotRunningError, ControlError."""
        path = self.root / "run" / "district.sock"
        return await off_loop(lambda: client.ask(path, request), name="ask", timeout_s=LIMIT_S)

    async def typed(self, *words: str) -> tuple[int, str]:
        """Type a command about it, as a process of its own."""
        command = [*self.program, words[0], f"--config={self.file}", *words[1:]]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate()
        return process.returncode or 0, (out + err).decode()

    async def watch(self) -> AsyncGenerator[list[dict[str, Any]], None]:
        """Have `alarms --watch` run, and give the alarms at each change."""
        command = [*self.program, "alarms", f"--config={self.file}", "--watch", "--json"]
        watching = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        assert watching.stdout is not None
        try:
            while line := await watching.stdout.readline():
                yield json.loads(line)["alarms"]
        finally:
            with contextlib.suppress(ProcessLookupError):
                watching.send_signal(signal.SIGINT)
            assert await watching.wait() == 0

    async def until_logged(self, words: str, times: int = 1) -> None:
        """Wait until it has written something. Raises TimeoutError with all of it."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while self.log.count(words) < times:  # noqa: ASYNC110  # another process
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"waited in vain for {words!r} in\n{self.log}") from None


@asynccontextmanager
async def district() -> AsyncIterator[Running]:
    """Lend a district that is configured by the test, and started by it."""
    root = short_folder()
    reserved = reserve(0)
    one = Running(root, reserved.getsockname()[1])
    (root / "log").touch()
    try:
        yield one
    finally:
        if one.process is not None:
            one.process.kill()
            one.process.wait(LIMIT_S)
        reserved.close()
        shutil.rmtree(root, ignore_errors=True)
