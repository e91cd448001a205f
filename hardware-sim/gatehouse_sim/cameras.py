"""Simulated RTSP cameras: a child that shows films, and what it is told to do while it runs.

The child is `rtsp_server`, run by Debian's own python; it needs the packages that `lacking` names.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, Self

from gatehouse_sim.child import die_with_parent
from gatehouse_sim.films import FILMS, film_path, films
from gatehouse_sim.ports import reserve

PYTHON: Final = "/usr/bin/python3"
PACKAGES: Final = (
    "gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad python3-gi"
)
"""What Debian must have installed besides ffmpeg."""
SOCKET: Final = "cameras.sock"
"""Where they take orders, in the folder that they were given."""
_SERVER: Final = Path(__file__).with_name("rtsp_server.py")
_LIMIT_S: Final = 60.0


async def lacking() -> str | None:
    """Say what is not installed, and how to install it; None when all is there."""
    if shutil.which("ffmpeg") is None:
        return "ffmpeg is not installed; on Debian: apt-get install ffmpeg"
    try:
        process = await asyncio.create_subprocess_exec(
            *(PYTHON, str(_SERVER), "--check"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        lacks = await process.wait() != 0
    except FileNotFoundError:
        lacks = True
    return (
        f"GstRtspServer is not installed; on Debian: apt-get install {PACKAGES}" if lacks else None
    )


class Cameras:
    """Some cameras in one child process; each keeps its port, also while it is away."""

    def __init__(
        self,
        folder: Path,
        cameras: Mapping[str, str],
        *,
        shows: Collection[str] = tuple(FILMS),
        film_folder: Path | None = None,
    ) -> None:
        """Prepare cameras by name, each with the film that it shows first.

        ``folder`` must have a short name (a socket lies in it); ``shows`` are the films that they
        can be told to show, which takes the first run some seconds each; ``film_folder`` is where
        films are made and kept, else the temp folder.
        """
        self._socket = folder / SOCKET
        self._shows = sorted({*shows, *cameras.values()})
        self._log = folder / "cameras.log"
        self._film_folder = film_folder
        self._first = dict(cameras)
        self._held = {name: reserve() for name in cameras}
        self._process: asyncio.subprocess.Process | None = None
        self._passwords: dict[str, dict[str, Any]] = {}

    @property
    def pid(self) -> int:
        """The child's process id. Raises ProcessLookupError when it is not started."""
        if self._process is None:
            raise ProcessLookupError("the cameras are not started")
        return self._process.pid

    def url(self, camera: str) -> str:
        """Where a camera is reached."""
        port = self._held[camera].getsockname()[1]
        return f"rtsp://127.0.0.1:{port}/{camera}"

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
        """Start them all, with the films and passwords that they had.

        Raises ChildProcessError with the child's log.
        """
        place = await films(self._film_folder, self._shows)
        ports = {name: held.getsockname()[1] for name, held in self._held.items()}
        asked = {
            "socket": str(self._socket),
            "films": {n: [str(film_path(place, n)), FILMS[n].size] for n in self._shows},
            "cameras": {name: [film, ports[name]] for name, film in self._first.items()},
        }
        self._socket.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(PYTHON, str(_SERVER), json.dumps(asked)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
                preexec_fn=die_with_parent,
            )
        assert self._process.stdout is not None  # noqa: S101  # a pipe was asked for
        async with asyncio.timeout(_LIMIT_S):
            said = await self._process.stdout.readline()
        if said != b"ready\n":
            await self.kill()
            raise ChildProcessError(f"the cameras did not start:\n{self._log.read_text()[-2000:]}")
        for order in self._passwords.values():
            await self._order(order)

    async def show(self, camera: str, film: str) -> None:
        """Have it show another film, from its next keyframe on."""
        await self._order({"do": "show", "camera": camera, "film": film})
        self._first[camera] = film

    async def stall(self, camera: str) -> None:
        """Let its connections stand, and no frame come."""
        await self._order({"do": "stall", "camera": camera})

    async def resume(self, camera: str) -> None:
        """Let frames come again."""
        await self._order({"do": "resume", "camera": camera})

    async def away(self, camera: str) -> None:
        """Take one camera off the network: its port is closed."""
        await self._order({"do": "away", "camera": camera})

    async def back(self, camera: str) -> None:
        """Put it back."""
        await self._order({"do": "back", "camera": camera})

    async def password(self, camera: str, user: str, password: str, how: str = "digest") -> None:
        """Have it ask for this password ("basic" or "digest"); an empty user: for none.

        Its streams are broken, so that all clients come again.
        """
        order = {"do": "password", "camera": camera, "user": user, "password": password, "how": how}
        await self._order(order)
        self._passwords[camera] = order

    async def stop(self) -> None:
        """End the child in order."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill the child: every camera dies as by a power cut."""
        await self._end(signal.SIGKILL)

    async def close(self) -> None:
        """End the child and give the ports back."""
        try:
            await self.kill()
        finally:
            for held in self._held.values():
                held.close()

    async def _order(self, order: Mapping[str, Any]) -> None:
        async with asyncio.timeout(_LIMIT_S):
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
            try:
                writer.write(json.dumps(order).encode() + b"\n")
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
        if not answer["ok"]:
            raise ValueError(f"the cameras refused {order}: {answer['error']}")

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        async with asyncio.timeout(_LIMIT_S):
            await process.wait()
