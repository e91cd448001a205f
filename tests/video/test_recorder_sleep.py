"""A recorder that slept, and one that is told to stop: neither is a fault of the camera."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock
from gatehouse.video import recorder as module
from gatehouse.video.recorder import Recorder, Timing

LIMIT_S = 60.0


class Child:
    """An ffmpeg that says what a test lets it say."""

    returncode = 0

    def __init__(self) -> None:
        self.stdin = self
        self.stdout = asyncio.StreamReader()

    def write(self, _data: bytes) -> None:
        """Take the script."""

    def close(self) -> None:
        """Take its end."""

    async def wait(self) -> int:
        """Be reaped."""
        return 0


class Rig:
    """A recorder that follows such a child, in a loop whose time can leap."""

    def __init__(self, timing: Timing) -> None:
        self.said: list[tuple[bool, str]] = []
        self.heard = asyncio.Event()
        self.recorder = Recorder(
            "rtsp://127.0.0.1/", Path("/nowhere"), self._hear, clock=SystemClock("b"), timing=timing
        )
        self.child = Child()
        self._loop = asyncio.get_running_loop()
        self._time, self._leapt_s = self._loop.time, 0.0
        self._loop.time = self._now  # type: ignore[method-assign]  # that is what leaps
        self.recorder._wind()
        self.following = asyncio.create_task(self.recorder._progress(self.child))  # type: ignore[arg-type]  # as much of a process as is used

    def _now(self) -> float:
        return self._time() + self._leapt_s

    def _hear(self, records: bool, why: str) -> None:
        self.said.append((records, why))
        self.heard.set()

    async def oversleep(self, seconds: float) -> None:
        """Be stopped for so long, and wake: every timer that ran out meanwhile rings now."""
        self._leapt_s += seconds
        for _ in range(5):
            await asyncio.sleep(0)

    def close(self) -> None:
        """Give the loop its time back."""
        self.following.cancel()
        self.recorder._unwind()
        self._loop.time = self._time  # type: ignore[method-assign]  # as it was


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Have a recorder whose ffmpeg has said nothing yet."""
    made = Rig(Timing(progress_s=600.0, fault_s=900.0))
    await asyncio.sleep(0)
    yield made
    made.close()


async def test_its_own_sleep_is_not_ffmpegs(rig: Rig) -> None:
    """After a suspend, or SIGSTOP, every recording would else be cut and told as a fault."""
    await rig.oversleep(5000)
    assert not rig.following.done()
    assert rig.said == []
    rig.child.stdout.feed_data(b"out_time_us=7\nprogress=continue\n")
    async with asyncio.timeout(LIMIT_S):
        await rig.heard.wait()
    assert rig.said == [(True, "")]
    await rig.oversleep(5000)
    assert not rig.following.done()
    assert rig.said == [(True, "")]
    rig.child.stdout.feed_eof()
    async with asyncio.timeout(LIMIT_S):
        assert await rig.following == "the camera ended the stream"


async def test_a_sleep_is_forgiven_once(rig: Rig) -> None:
    """A machine that sleeps again and again records nothing, and that must be told."""
    await rig.oversleep(5000)
    await rig.oversleep(5000)
    assert rig.said == [(False, "nothing came from the camera yet")]


async def test_being_stopped_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stop of the service would else be told as cameras that are not recorded."""
    stubborn = "trap '' TERM; echo out_time_us=7; while :; do read -t 60 _ <> <(:); done"
    monkeypatch.setattr(module, "COMMAND", ("bash", "-c", stubborn, "ffmpeg"))
    monkeypatch.setattr(module, "_STOP_S", 0.8)
    said: list[tuple[bool, str]] = []
    tasks: list[asyncio.Task[None]] = []

    def say(records: bool, why: str) -> None:
        said.append((records, why))
        tasks[0].cancel()  # its alarm would ring while it waits for ffmpeg

    recorder = Recorder(
        "rtsp://127.0.0.1/", tmp_path, say, clock=SystemClock("b"), timing=Timing(fault_s=0.3)
    )
    tasks.append(asyncio.create_task(recorder.run()))
    with suppress(asyncio.CancelledError):
        async with asyncio.timeout(LIMIT_S):
            await tasks[0]
    assert said == [(True, "")]
    assert recorder.pid is None
