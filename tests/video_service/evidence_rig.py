"""Evidence gathered in one process: an alarm service that is asked, cameras that a test moves."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.config import Button, Camera, Config, District, Gateway
from gatehouse.config import Evidence as Room
from gatehouse.control import client, protocol
from gatehouse.control.server import ControlServer, Handler
from gatehouse.errors import ControlError
from gatehouse.events import Event, Mode, rfc3339, uuid7
from gatehouse.evidence import bundle
from gatehouse.evidence.manifest import Manifest
from gatehouse.evidence.plan import Window
from gatehouse.evidence.shelf import Shelf
from gatehouse.threads import off_loop
from gatehouse.video.layout import own_path
from gatehouse.video_service.asking import NoPictureError, Seen
from gatehouse.video_service.clips import Pace
from gatehouse.video_service.evidence import Evidence

LIMIT_S: Final = 60.0
WINDOW: Final = Window(before_s=3.0, after_s=0.8, every_s=0.8, pictures=3)
"""A picture that is not begun within ``every_s`` is lost: a loaded machine needs so long."""
PACE: Final = Pace(after_s=0.1, again_s=0.1, patience_s=0.4, other_s=LIMIT_S)
SMALL: Final = b"\xff\xd8small"
STORE: Final = "5b8a2d0e-0000-4000-8000-000000000001"


class Desk:
    """An alarm service that answers as the real one does, from a log in memory."""

    def __init__(self, socket: Path) -> None:
        self.log: list[Event] = []
        self.pictures: list[tuple[str, int, str]] = []
        self.busy = False
        self._lines: list[asyncio.Queue[dict[str, Any]]] = []
        self._socket = socket
        self._server: ControlServer | None = None

    async def start(self) -> None:
        """Listen."""
        handlers: dict[str, Handler] = {
            "events": self._events,
            "history": self._history,
            "follow": self._follow,
            "picture": self._picture,
        }
        self._server = ControlServer(self._socket, handlers)
        await self._server.start()

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    def alarm(self, button: str = "gate", *, age_s: float = 0.0, mode: Mode = Mode.REAL) -> Event:
        """Have a press stored, as of so long ago."""
        unix_ns = time.time_ns() - round(age_s * 1e9)
        event = Event(
            id=uuid7(unix_ns // 1_000_000, os.urandom(10)),
            source="/gatehouse/gw",
            type=events.ALARM_RAISED,
            subject=f"button/{button}",
            time=rfc3339(unix_ns),
            store=STORE,
            sequence=f"00000001.{len(self.log) + 1:010d}",
            bootid="boot",
            monotonic=str(time.clock_gettime_ns(time.CLOCK_BOOTTIME) - round(age_s * 1e9)),
            clock="synced",
            mode=mode,
            data={"location": "门卫室"},
        )
        self.log.append(event)
        for queue in self._lines:
            queue.put_nowait({"alarm": event.id, "stage": "stored", "t": 0})
        return event

    async def _events(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"events": [msgspec.to_builtins(event) for event in self.log[-1:]]}

    async def _history(self, request: dict[str, Any]) -> dict[str, Any]:
        after = request["after"]
        found = [msgspec.to_builtins(event) for event in self.log[after:]]
        return {"events": found, "next": len(self.log) if found else None}

    async def _follow(self, _request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._lines.append(queue)

        async def lines() -> AsyncIterator[dict[str, Any]]:
            yield {"following": True}
            while True:
                yield await queue.get()

        return lines()

    async def _picture(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.busy:
            raise ControlError("busy", protocol.BUSY)
        self.pictures.append((request["alarm"], request["number"], request["path"]))
        return {"queued": True, "most_bytes": 9000}


@dataclass
class Eyes:
    """Cameras: each gives pictures of now, or none since a time."""

    away: dict[str, str] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    goes: dict[str, tuple[int, str]] = field(default_factory=dict)
    """After how many pictures a camera goes, and since when it then is gone."""
    most_bytes: int = 0
    """How large the last small one was to be at most."""

    async def picture(self, name: str, _old_s: float, most_bytes: int) -> Seen:
        """Take one."""
        await asyncio.sleep(0)
        if name in self.away:
            raise NoPictureError("gone", self.away[name])
        self.taken.append(name)
        if self.taken.count(name) == self.goes.get(name, (0, ""))[0]:
            self.away[name] = self.goes[name][1]
        self.most_bytes = most_bytes
        whole = f"{name} {len(self.taken)}".encode()
        return Seen(time.monotonic_ns(), time.time_ns(), "synced", whole, SMALL + whole)

    def keep(self, _name: str, _path: Path, _after_s: float) -> bool:
        """Have no ring."""
        return False


class Rig:
    """A school with evidence."""

    def __init__(self, root: Path, cameras: tuple[str, ...] = ("gate",), **more: Any) -> None:
        self.root = root
        self.recordings = root / "recordings"
        gateway = Gateway("gw", "实验小学", "en", root / "state", root / "run")
        gateway.runtime_dir.mkdir(exist_ok=True)
        self.desk = Desk(gateway.runtime_dir / "control.sock")
        self.eyes = Eyes()
        known = tuple(
            Camera(name, "rtsp://nowhere/s", "general", recordings=self.recordings / name, **more)
            for name in cameras
        )
        buttons = (
            Button("gate", "门卫室", 17, cameras=cameras),
            Button("bare", "教务处", 18),
        )
        self.config = Config(root / "x.toml", gateway, buttons, District(()), cameras=known)
        self.changed = asyncio.Event()
        self.evidence = self._made()
        self.shelf = Shelf(gateway.state_dir / "evidence")
        self._task: asyncio.Task[None] | None = None

    def _made(self) -> Evidence:
        return Evidence(
            self.config,
            cameras=self.eyes,
            ask=self._ask,
            clock=SystemClock("boot"),
            changed=self.changed.set,
            pace=PACE,
            window=WINDOW,
        )

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        path = self.config.gateway.runtime_dir / "control.sock"
        return await off_loop(lambda: client.ask(path, request), name="ask", timeout_s=LIMIT_S)

    def room(self, max_mb: int) -> None:
        """Set the limit."""
        self.config = replace(self.config, evidence=Room(max_mb))
        self.evidence.reload(self.config)

    async def start(self) -> None:
        """Start the evidence."""
        self.evidence = self._made()
        self._task = asyncio.create_task(self.evidence.run())

    async def stop(self) -> None:
        """End it as a kill would: nothing is brought to an end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def until(self, test: Callable[[], object]) -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not test():
                    self.changed.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.05):
                            await self.changed.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come to it: {self.shelf.read()}") from None

    def manifest(self, alarm: str) -> Manifest | None:
        """Return what a bundle says now; None where there is none."""
        try:
            return bundle.read_manifest(self.shelf.place(alarm))[0]
        except FileNotFoundError:
            return None

    async def ready(self, alarm: str) -> Manifest:
        """Wait until a bundle is ready, and the service knows that the disk has it."""

        def is_so() -> bool:
            found = self.manifest(alarm)
            kept = self.evidence._keeping._all().get(alarm)
            written = kept is not None and kept.is_ready and bool(kept.sha256)
            return found is not None and found.state == "ready" and written

        await self.until(is_so)
        found = self.manifest(alarm)
        assert found is not None
        return found

    def record(self, camera: str, from_s: float, film: Path) -> Path:
        """Have a recording of twelve seconds that began so many seconds from now."""
        start_ns = time.time_ns() + round(from_s * 1e9)
        path = self.recordings / camera / own_path(start_ns // 1_000_000)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film.read_bytes())
        ends_ns = start_ns + FILM_S * 1_000_000_000
        os.utime(path, ns=(ends_ns, ends_ns))
        return path


FILM_S: Final = 12


def make_film(path: Path) -> Path:
    """Make a recording of twelve seconds as our recorder writes it: a keyframe every second."""
    made = f"testsrc2=size=160x120:rate=25:duration={FILM_S}"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
    flags = ["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", made, *coded, *flags, str(path)]
    subprocess.run(command, check=True)
    return path


@asynccontextmanager
async def gathering(
    root: Path, cameras: tuple[str, ...] = ("gate",), **more: Any
) -> AsyncIterator[Rig]:
    """Open a school with evidence; at the end nothing runs."""
    rig = Rig(root, cameras, **more)
    await rig.desk.start()
    try:
        await rig.start()
        yield rig
    finally:
        await rig.stop()
        await rig.desk.stop()
