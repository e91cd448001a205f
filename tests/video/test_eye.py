"""The parent of a looking child: it hears it, kills it when it stalls, and never has two."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from gatehouse.video.eye import Eye, Timing, _Watch
from gatehouse.video.eye_messages import Beat, Failed, Key, Message, Opened
from gatehouse.video.restarts import Restarts

LIMIT_S = 60.0
QUICK = Restarts(first_s=0.01, most_s=0.05)
PATIENT = Timing(first_s=60.0, stall_s=60.0, key_s=60.0)
SAYS = """
import os, sys, time
from gatehouse.video.eye_messages import *
def say(*messages):
    for each in messages: os.write(1, encode(each))
def hang():
    while True: time.sleep(60)
key = Key(1, 2, 3, 4.0, 5.0, bytes(GREY_BYTES))
"""


class Ear:
    """Hears an eye."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self._news = asyncio.Event()

    def __call__(self, message: Message) -> None:
        """Hear one message."""
        self.heard.append(message)
        self._news.set()

    @property
    def failed(self) -> list[Failed]:
        """What failed so far."""
        return [each for each in self.heard if isinstance(each, Failed)]

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait until what was heard passes a test."""
        async with asyncio.timeout(LIMIT_S):
            while not test():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def looking(
    script: str, ear: Ear, timing: Timing = PATIENT, first_line: bytes = b""
) -> AsyncIterator[Eye]:
    """Have an eye whose child is this script."""
    command = (sys.executable, "-c", SAYS + script)
    eye = Eye(command, ear, first_line=first_line, timing=timing, restarts=QUICK)
    task = asyncio.create_task(eye.run())
    try:
        yield eye
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert eye.pid is None
        assert children() == []


def children() -> list[int]:
    """Return the children of this process that look."""
    return [child.pid for child in psutil.Process().children() if looks(child)]


def looks(child: psutil.Process) -> bool:
    """Whether a child looks; one that ends in this moment does not."""
    with suppress(psutil.NoSuchProcess):
        return any(SAYS in arg for arg in child.cmdline())
    return False


def shown(pid: int | None, name: str) -> bytes:
    """Return what the kernel shows of a process to other users, and to its own."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


async def test_what_a_child_says_is_heard() -> None:
    """Else nobody would know what a camera sees."""
    ear = Ear()
    async with looking("say(Opened(8, 6, 'h264'), key, Beat(1, 2))\nhang()", ear):
        await ear.until(lambda: len(ear.heard) == 3)
        assert [type(each) for each in ear.heard] == [Opened, Key, Beat]


@pytest.mark.parametrize(
    ("script", "timing", "fault"),
    [
        ("hang()", Timing(first_s=0.5), "unreachable"),
        ("say(Opened(8, 6, 'h264'))\nhang()", Timing(first_s=1.5), "stalled"),
        ("say(Opened(8, 6, 'h264'), key)\nhang()", Timing(stall_s=0.2), "stalled"),
        (
            "say(Opened(8, 6, 'h264'), key)\nwhile True: say(Beat(1, 2)); time.sleep(0.05)",
            Timing(key_s=0.5),
            "stalled",
        ),
    ],
    ids=["no answer", "no picture", "stalled", "no keyframe"],
)
async def test_a_child_that_stalls_is_killed(script: str, timing: Timing, fault: str) -> None:
    """A camera's library that hangs must cost one child, and be told."""
    ear = Ear()
    async with looking(script, ear, timing):
        await ear.until(lambda: [each.fault for each in ear.failed].count(fault) >= 2)
        # where the first picture has little time, a loaded machine may not come to speak at all
        assert {each.fault for each in ear.failed} <= {fault, "unreachable"}
        assert len(children()) <= 1


@pytest.mark.parametrize(
    "script",
    ["raise SystemExit(3)", "os.kill(os.getpid(), 9)", "os.write(1, b'nonsense\\n')\nhang()"],
    ids=["ends", "is killed", "talks nonsense"],
)
async def test_a_child_that_dies_is_started_again(script: str) -> None:
    """A crash or the kernel's hunger for memory must not leave a camera unwatched."""
    ear = Ear()
    async with looking(script, ear):
        await ear.until(lambda: len(ear.failed) == 3)
        assert {each.fault for each in ear.failed} == {"stalled"}


async def test_what_a_child_says_of_its_failure() -> None:
    """A refused password needs another remedy than a loose cable."""
    ear = Ear()
    once = Timing(refused_s=3600)
    async with looking("say(Failed('refused', '401'))", ear, once) as eye:
        await ear.until(lambda: bool(ear.failed))
        assert ear.failed == [Failed("refused", "401")]
        assert eye.pid is None


async def test_a_command_that_cannot_be_started() -> None:
    """A broken installation must be told as a fault, not end the service."""
    ear = Ear()
    eye = Eye(("/no/such/child",), ear, restarts=QUICK)
    task = asyncio.create_task(eye.run())
    await ear.until(lambda: len(ear.failed) == 2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_the_credential_is_seen_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands on a command line or in the environment any user of the machine may read."""
    monkeypatch.setenv("GATEHOUSE_SECRET", "sesame")
    ear = Ear()
    script = "say(Opened(len(sys.stdin.readline()), 6, 'h264'), key)\nhang()"
    async with looking(script, ear, first_line=b"admin:open sesame\n") as eye:
        await ear.until(lambda: len(ear.heard) == 2)
        assert ear.heard[0] == Opened(18, 6, "h264")
        for name in ("cmdline", "environ"):
            assert b"sesame" not in shown(eye.pid, name)


async def test_libcamera_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CSI camera's child would else look for its library's parts where they are not."""
    monkeypatch.setenv("LIBCAMERA_IPA_MODULE_PATH", "/there")
    ear = Ear()
    async with looking("say(Opened(8, 6, os.environ['LIBCAMERA_IPA_MODULE_PATH']))\nhang()", ear):
        await ear.until(lambda: bool(ear.heard))
        assert ear.heard == [Opened(8, 6, "/there")]


async def test_orders_reach_the_child() -> None:
    """A CSI camera's child is told what to keep through its stdin."""
    ear = Ear()
    script = "import json\nsay(Beat(1, 0), Beat(1, json.loads(sys.stdin.readline())['n']))\nhang()"
    script = f"say(Beat(0, 0))\n{script}"
    async with looking(script, ear) as eye:
        await ear.until(lambda: bool(ear.heard))
        assert eye.order({"n": 7})
        await ear.until(lambda: Beat(1, 7) in ear.heard)
    assert not eye.order({"n": 8})


def test_its_own_sleep_is_not_the_cameras() -> None:
    """After a suspend, or SIGSTOP, every camera would else be said to have stalled."""
    watch = _Watch(Timing(first_s=15, stall_s=10, key_s=45), 0.0)
    assert watch.until() == 15
    watch.take(Key(1, 2, 3, 4.0), 1.0)
    assert watch.until() == 11
    assert not watch.forgive(11.1)
    assert watch.forgive(50.0)
    assert watch.until() == 60
    for now in range(50, 100, 5):
        watch.take(Beat(1, 2), float(now))
    assert watch.until() == 50 + 45
