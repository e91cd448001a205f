"""A watch over cameras whose eyes, recorders and clocks do what a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from gatehouse.clock import Clock as AnyClock
from gatehouse.clock import Reading
from gatehouse.config import Camera
from gatehouse.control.reports import CAMERA, Row
from gatehouse.video.eye import Hear
from gatehouse.video.eye_messages import Failed, Key, Message, Opened
from gatehouse.video.onvif import ClockReading
from gatehouse.video.recorder import Say
from gatehouse.video.restarts import Restarts
from gatehouse.video_service.parts import Parts
from gatehouse.video_service.watch import Watch
from video.scenes import Scene, dice, key, shot, tone

LIMIT_S = 60.0
S = 1_000_000_000
FULL = Opened(1920, 1080, "h264")
SCENE = Scene(3)
VIEW = shot(SCENE.seen(), dice(1))
COVER = shot(tone(90), dice(2), noise=0.7)
MOVED = shot(SCENE.seen(right=30), dice(3))


class Clock:
    """A clock that stands still until a test moves it."""

    bootid = "boot"

    def __init__(self) -> None:
        self.now_ns = 1000 * S
        self.is_synced = True

    def reading(self) -> Reading:
        """Read it; it is five days after 1970."""
        return Reading(self.now_ns + 5 * 86_400 * S, self.now_ns, self.now_ns)

    def synced(self) -> bool:
        """Whether it was set."""
        return self.is_synced

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ns += round(seconds * S)


class Part:
    """An eye or a recorder that runs until it is ended, or told to fail."""

    def __init__(self, name: str, credential: str, ends: list[str]) -> None:
        self.name, self.credential = name, credential
        self.running = False
        self._ends = ends
        self._failure: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Run; how it ended is noted."""
        self.running = True
        self._failure = asyncio.get_running_loop().create_future()
        try:
            await self._failure
        finally:
            self.running = False
            self._ends.append(f"{type(self).__name__} {self.name}")

    def fail(self, error: Exception) -> None:
        """Fail as no part should."""
        assert self._failure is not None
        self._failure.set_exception(error)


class Eye(Part):
    """A simulated eye."""

    def __init__(self, name: str, credential: str, ends: list[str], hear: Hear) -> None:
        super().__init__(name, credential, ends)
        self.hear = hear
        self._keys = 0
        self.orders: list[dict[str, Any]] = []

    def order(self, order: dict[str, Any]) -> bool:
        """Note an order."""
        self.orders.append(order)
        return self.running

    def say(self, *messages: Message) -> None:
        """Say something."""
        for each in messages:
            self.hear(each)

    def see(self, times: int, picture: Any = VIEW) -> None:
        """See some keyframes."""
        for _ in range(times):
            self._keys += 1
            self.hear(key(self._keys, picture))

    def well(self) -> None:
        """See enough to be called well."""
        self.say(FULL)
        self.see(8)

    def lose(self, fault: str = "stalled") -> None:
        """Lose the camera."""
        self.say(Failed(fault, "gone"))


class Recorder(Part):
    """A simulated recorder."""

    def __init__(self, name: str, credential: str, ends: list[str], say: Say) -> None:
        super().__init__(name, credential, ends)
        self.say = say


class Rig:
    """A watch, and the parts that it made."""

    def __init__(
        self, cameras: Sequence[Camera], folder: Path, clock: AnyClock, **parts: Any
    ) -> None:
        self.eyes: list[Eye] = []
        self.recorders: list[Recorder] = []
        self.ends: list[str] = []
        self.changes = 0
        self.told: dict[str, ClockReading | None] = {}
        """What cameras answer when they are asked for their time, by host."""
        self._news = asyncio.Event()
        self.watch = Watch(
            cameras,
            state_dir=folder,
            clock=clock,
            random=lambda: 0.0,
            changed=self._changed,
            parts=Parts(
                **{"eye": self._eye, "recorder": self._recorder, "ask": self._ask, **parts}
            ),
        )

    def _changed(self) -> None:
        self.changes += 1
        self._news.set()

    def _eye(self, camera: Camera, credential: str, hear: Hear, _restarts: Restarts) -> Eye:
        self.eyes.append(Eye(camera.name, credential, self.ends, hear))
        asyncio.get_running_loop().call_soon(self._news.set)
        return self.eyes[-1]

    def _recorder(
        self, camera: Camera, credential: str, say: Say, _clock: AnyClock, _restarts: Restarts
    ) -> Recorder:
        self.recorders.append(Recorder(camera.name, credential, self.ends, say))
        asyncio.get_running_loop().call_soon(self._news.set)
        return self.recorders[-1]

    def _ask(self, _clock: AnyClock) -> Any:
        async def ask(host: str, _port: int | None, _credential: str | None) -> Any:
            return self.told.get(host)

        return ask

    async def until(self, test: Callable[[], object], what: str = "") -> None:
        """Wait until something is so."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not test():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come to it: {what}, {self.watch.rows()}") from None

    def _last(self, parts: Sequence[Any], name: str) -> Any:
        return next((each for each in reversed(parts) if each.name == name and each.running), None)

    async def eye(self, name: str = "gate") -> Eye:
        """Return the eye that looks through a camera, when there is one."""
        await self.until(lambda: self._last(self.eyes, name), f"an eye for {name}")
        eye: Eye = self._last(self.eyes, name)
        return eye

    async def recorder(self, name: str = "gate") -> Recorder:
        """Return the recorder of a camera, when there is one."""
        await self.until(lambda: self._last(self.recorders, name), f"a recorder for {name}")
        recorder: Recorder = self._last(self.recorders, name)
        return recorder

    def row(self, subject: str = "camera/gate") -> Row:
        """Return what is told of a subject."""
        return next(each for each in self.watch.rows() if each.subject == subject)

    def stands(self, subject: str = "camera/gate") -> list[str]:
        """Return the faults that stand."""
        return [each.fault for each in self.row(subject).stands]

    def shown(self, name: str = "gate") -> dict[str, Any]:
        """Return what is shown of a camera."""
        cameras: list[dict[str, Any]] = self.watch.document()["cameras"]
        return next(each for each in cameras if each["name"] == name)


@asynccontextmanager
async def watching(
    cameras: Sequence[Camera], folder: Path, clock: AnyClock | None = None, **parts: Any
) -> AsyncIterator[Rig]:
    """Watch cameras; at the end nothing may run."""
    rig = Rig(cameras, folder, clock or Clock(), **parts)
    task = asyncio.create_task(rig.watch.run())
    try:
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert not any(each.running for each in [*rig.eyes, *rig.recorders])


def camera(name: str = "gate", **told: Any) -> Camera:
    """Return a camera of the configuration."""
    usual = {"covers": (f"place of {name}",), "area": "critical", "source": f"rtsp://{name}.lan/s"}
    return Camera(name, **{**usual, "recordings": Path("/nowhere") / name, **told})


def unknown(*well: str) -> tuple[str, ...]:
    """Return all faults of a camera but these."""
    return tuple(sorted(set(CAMERA) - set(well)))


__all__ = ["COVER", "FULL", "MOVED", "VIEW", "Clock", "Key", "Rig", "camera", "unknown", "watching"]
