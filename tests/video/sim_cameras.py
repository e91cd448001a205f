"""Simulated cameras for a test, an eye that looks through one, and what is known of its health."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from gatehouse.video.baseline import Baseline, Light
from gatehouse.video.eye import Eye, Timing, rtsp_command
from gatehouse.video.eye_messages import Key, Message
from gatehouse.video.picture import HEIGHT, WIDTH, Grey, measure
from gatehouse.video.restarts import Restarts
from gatehouse.video.verdict import Change, Health
from gatehouse_sim.cameras import Cameras, lacking
from gatehouse_sim.films import film_path, films

LIMIT_S = 60.0
QUICK = Timing(first_s=30.0, stall_s=30.0, refused_s=0.5)
STALLS = replace(QUICK, stall_s=3.0)
"""Where a camera is to stall: elsewhere a loaded machine would be told as one that does."""


@asynccontextmanager
async def simulated(cameras: Mapping[str, str]) -> AsyncIterator[Cameras]:
    """Run simulated cameras, each with its first film; skips where Debian's gi is absent."""
    if (lacks := await lacking()) is not None:
        pytest.skip(lacks)
    with tempfile.TemporaryDirectory(prefix="gh-") as folder:  # short, as a socket lies in it
        async with Cameras(Path(folder), cameras) as running:
            yield running


def pictures(path: Path) -> tuple[list[Grey], list[int]]:
    """Return the keyframes of a film, as an eye would, and the bytes between them."""
    found, p_bytes, passed = list[Grey](), list[int](), 0
    with av.open(str(path)) as film:
        for packet in film.demux(video=0):
            if packet.is_keyframe and found:
                p_bytes.append(passed)
            passed = 0 if packet.is_keyframe else passed + packet.size
            for frame in packet.decode():
                if frame.key_frame:
                    small = frame.reformat(WIDTH, HEIGHT, "yuv420p", dst_color_range="JPEG")
                    found.append(small.to_ndarray()[:HEIGHT].astype(np.uint8))
    return found, p_bytes


async def learnt(film: str = "normal") -> Baseline:
    """Return what a camera that shows this film would have taught within a minute."""
    baseline = Baseline()
    usual = baseline[Light.DAY]
    seen, p_bytes = pictures(film_path(await films(), film))
    while not baseline.learnt:
        for picture in seen:
            usual.learn(picture, measure(picture))
        for each in p_bytes:
            usual.moving(each)
    return baseline


class Looking:
    """An eye at a camera, and all that was heard and concluded."""

    def __init__(self, url: str, baseline: Baseline, credential: str, timing: Timing) -> None:
        self.health = Health(baseline, lines=1080)
        self.keys = 0
        self.heard: list[Message] = []
        self.changes: list[tuple[int, Change]] = []
        """What changed, and after how many keyframes."""
        self.eye = Eye(
            rtsp_command(url),
            self._hear,
            first_line=credential.encode() + b"\n",
            timing=timing,
            restarts=Restarts(first_s=0.2, most_s=1.0, random=lambda: 0.5),
        )
        self._news = asyncio.Event()

    def _hear(self, message: Message) -> None:
        self.heard.append(message)
        self.keys += isinstance(message, Key)
        self.changes += [(self.keys, change) for change in self.health.hear(message)]
        self._news.set()

    async def until(self, test: Callable[[], bool]) -> None:
        """Wait until what is known passes a test."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while not test():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            said = [str(each)[:120] for each in self.heard[-5:]]
            raise AssertionError(f"{self.changes}, {self.keys} keyframes, {said}") from None

    async def more(self, keys: int) -> None:
        """Wait for some more keyframes."""
        enough = self.keys + keys
        await self.until(lambda: self.keys >= enough)

    async def settled(self) -> None:
        """Wait until it sees, and begin to count: on a busy machine a first attempt may fail."""
        await self.more(2)
        await self.until(lambda: self.health.verdict == "ok")
        self.changes.clear()

    def words(self) -> list[tuple[str, bool]]:
        """Return the faults that began (True) and ended."""
        return [(change.fault, change.began) for _, change in self.changes]


@asynccontextmanager
async def looking(
    url: str, baseline: Baseline | None = None, *, credential: str = "", timing: Timing = QUICK
) -> AsyncIterator[Looking]:
    """Look at a camera; at the end no child may be left."""
    look = Looking(url, baseline or Baseline(), credential, timing)
    task = asyncio.create_task(look.eye.run())
    try:
        yield look
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert look.eye.pid is None
