"""A private mosquitto on a free loopback port, with the district's very own rules.

It runs ``config/district/mosquitto.conf`` and ``acl``; only the port, the paths and the address
are moved. Without certificates it is a plain ``mqtt://`` broker with the same limits.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from gatehouse_sim.child import die_with_parent
from gatehouse_sim.identity import Identity
from gatehouse_sim.ports import reserve
from gatehouse_sim.rules import relocate, rules

_LIMIT_S: Final = 60.0


class Broker:
    """Starts, stops, kills, freezes and restarts one mosquitto; its port and its memory stay.

    As root it keeps root's rights: mosquitto would else drop to the user ``mosquitto``, who cannot
    read a private temp folder, and by changing its user would lose the order to die with us.
    """

    def __init__(
        self,
        folder: Path,
        server: Identity | None = None,
        *,
        port: int = 0,
        acl: str | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        """Prepare a broker in a folder of its own.

        ``server`` is its certificate; None makes it a plain one that lets anybody do anything.
        ``acl`` replaces the district's access rules, ``extra`` are further configuration lines.
        Raises OSError when ``port`` is taken; 0 finds a free one.
        """
        self.folder = folder
        self._server = server
        self._extra = tuple(extra)
        self._reserved = reserve(port)
        self.port: int = self._reserved.getsockname()[1]
        self._transport: asyncio.SubprocessTransport | None = None
        self._ear = _Ear()
        folder.mkdir(parents=True, exist_ok=True)
        self._acl = acl

    @property
    def url(self) -> str:
        """Where it is reached, as a gateway's configuration says it."""
        return f"{'mqtts' if self._server else 'mqtt'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id. Raises ProcessLookupError when it is not started."""
        if self._transport is None:
            raise ProcessLookupError("the broker is not started")
        return self._transport.get_pid()

    @property
    def log(self) -> str:
        """What it wrote to stderr since it was started."""
        return self._ear.text

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start it; returns when it accepts connections. Raises ChildProcessError with its log."""
        self._write()
        loop = asyncio.get_running_loop()
        self._transport, self._ear = await loop.subprocess_exec(
            _Ear,
            _mosquitto(),
            "-c",
            str(self.folder / "mosquitto.conf"),
            stdin=None,
            stdout=None,
            preexec_fn=die_with_parent,  # and so nothing is left when the test run is killed
        )
        await self._hear("running")
        # mosquitto 2.0.11 forgets a SIGTERM that comes between this line and its main loop; only a
        # connection that it has taken proves that it is there.
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await self._hear("New connection from")
        finally:
            writer.close()

    async def stop(self) -> None:
        """Stop it in order: it writes its memory down."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it without a word: what came since it last wrote its memory down is lost."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop it in order and start it again on the same port."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Halt it: connections stay open, the kernel still acknowledges, nothing answers.

        Returns when it stands still.
        """
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    async def set_acl(self, acl: str | None = None) -> None:
        """Replace the access rules while it runs; None puts those of the start back."""
        self._acl = acl
        await self.reload()

    async def reload(self) -> None:
        """Have it read rules, certificates and revocations again (SIGHUP), as they now lie there.

        Raises ChildProcessError with its log.
        """
        self._write()
        self._ear.forget()
        os.kill(self.pid, signal.SIGHUP)
        await self._hear("Reloading config")

    async def close(self) -> None:
        """Stop it and give its port back."""
        try:
            await self.stop()
        finally:
            self._reserved.close()

    async def _hear(self, word: str) -> None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                if await self._ear.heard(word):
                    return
        except TimeoutError:
            await self.kill()
        raise ChildProcessError(f"mosquitto did not say {word!r}; its log:\n{self.log}")

    async def _end(self, how: signal.Signals) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        pid = transport.get_pid()
        if not self._ear.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
                os.kill(pid, signal.SIGCONT)  # a frozen one hears no SIGTERM
        try:
            async with asyncio.timeout(_LIMIT_S):
                await self._ear.ended.wait()
        finally:
            transport.close()  # kills what still runs

    def _write(self) -> None:
        place = self.folder / "etc"
        place.mkdir(exist_ok=True)
        acl = self._acl
        if self._server is not None:
            acl = acl if acl is not None else (rules() / "acl").read_text(encoding="utf-8")
            files = {
                "ca.pem": self._server.ca,
                "server.pem": self._server.cert,
                "server.key": self._server.key,
            }
            if self._server.crl is not None:
                files["crl.pem"] = self._server.crl
            for name, source in files.items():
                shutil.copy(source, place / name)
        (place / "acl").write_text(acl or "", encoding="utf-8")
        given = (rules() / "mosquitto.conf").read_text(encoding="utf-8")
        revoked = self._server is not None and self._server.crl is not None
        moved = relocate(
            given, port=self.port, place=place, tls=self._server is not None, revoked=revoked
        )
        memory = self.folder / "memory"
        memory.mkdir(exist_ok=True)
        lines = [  # what Debian's own mosquitto.conf says, and who it runs as
            f"persistence_location {memory}/",
            "log_dest stderr",
            *(["user root"] if os.geteuid() == 0 else []),
            moved,
            *([f"acl_file {place}/acl"] if acl is not None and self._server is None else []),
            *self._extra,
        ]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Ear(asyncio.SubprocessProtocol):
    """Hears what mosquitto says on stderr, and its end."""

    def __init__(self) -> None:
        self.text = ""
        self.ended = asyncio.Event()
        self._from = 0
        self._said = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002  # asyncio's signature
        """Keep it, and wake who waits for a word."""
        self.text += data.decode(errors="replace")
        self._said.set()

    def process_exited(self) -> None:
        """Wake everybody: nothing more will be said."""
        self.ended.set()
        self._said.set()

    def forget(self) -> None:
        """Listen only to what is said from now on."""
        self._from = len(self.text)

    async def heard(self, word: str) -> bool:
        """Wait for a word; False when mosquitto ended without it."""
        while word not in self.text[self._from :]:
            if self.ended.is_set():
                return False
            self._said.clear()
            await self._said.wait()
        return True


def _mosquitto() -> str:
    """Find mosquitto; Debian puts it where ordinary users do not look."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError("mosquitto is not installed; on Debian: apt-get install mosquitto")
    return found
