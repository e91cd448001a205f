"""A recorder at work on a simulated camera, and what it left on the disk."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import av

from gatehouse.clock import Clock as AnyClock
from gatehouse.clock import Reading, SystemClock
from gatehouse.video.recorder import Recorder, Timing
from gatehouse.video.restarts import Restarts

LIMIT_S = 60.0
QUICK = Timing(progress_s=4.0, fault_s=30.0, refused_s=0.5, segment_s=2)


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition, generously; it is looked at every few ms."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110  # a disk has no event of its own
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it did not come to it: {what}") from None


async def gone(pid: int) -> None:
    """Wait until a process, of whomever it is a child, has ended."""
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            ended = asyncio.Event()
            asyncio.get_running_loop().add_reader(handle, ended.set)
            async with asyncio.timeout(LIMIT_S):
                await ended.wait()
        finally:
            asyncio.get_running_loop().remove_reader(handle)
            os.close(handle)


class Clock:
    """A clock that can be set while it runs."""

    bootid = "boot"

    def __init__(self, at: datetime | None = None) -> None:
        self.at, self.offset_ns = at, 0

    def reading(self) -> Reading:
        """Read it."""
        now = SystemClock("boot").reading()
        if self.at is not None:
            now = replace(now, unix_ns=int(self.at.timestamp() * 1e9))
        return replace(now, unix_ns=now.unix_ns + self.offset_ns)

    def synced(self) -> bool:
        """Say that it was set."""
        return True


@dataclass(frozen=True)
class Segment:
    """One segment on the disk."""

    path: Path
    packets: tuple[float, ...]
    """When each packet is shown, in seconds from the start."""

    @property
    def start(self) -> datetime:
        """When it began, by its name."""
        return datetime.strptime(self.path.stem[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    @property
    def end(self) -> float:
        """When its last packet came, in seconds since 1970."""
        return self.start.timestamp() + self.packets[-1]


def segment(path: Path) -> Segment:
    """Read a segment, decoding every frame of it. Raises what libav raises for a damaged one."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        shown = sorted(
            float(packet.pts * stream.time_base)
            for packet in file.demux(stream)
            if packet.pts is not None and stream.time_base is not None
        )
    with av.open(str(path)) as file:
        assert sum(1 for _ in file.decode(video=0)) == len(shown)
    return Segment(path, tuple(shown))


def fragments(path: Path) -> int:
    """Count the fragments that are whole, by the boxes of the file alone."""
    data, at, whole, opened = path.read_bytes(), 0, 0, False
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + size > len(data):
            break
        whole += kind == b"mdat" and opened
        opened = kind == b"moof"
        at += size
    return whole


@dataclass
class Rig:
    """A recorder, what it said, and its folder."""

    recordings: Path
    said: list[tuple[bool, str]] = field(default_factory=list)
    recorder: Recorder | None = None

    def say(self, records: bool, why: str) -> None:
        """Hear the recorder."""
        self.said.append((records, why))

    def told(self) -> list[bool]:
        """Return whether it recorded, from the first time on: a busy machine may start slowly."""
        told = [records for records, _ in self.said]
        return told[told.index(True) :] if True in told else []

    def files(self) -> list[Path]:
        """Return the segments, in order."""
        return sorted(self.recordings.glob("*/*.mp4"), key=lambda path: path.stat().st_mtime_ns)

    def written(self) -> list[Path]:
        """Return the segments that have something to play."""
        return [path for path in self.files() if fragments(path)]

    async def records(self, files: int) -> None:
        """Wait for so many segments with something in them."""
        await until(lambda: len(self.written()) >= files, f"{files} files: {self.said}")

    @property
    def pid(self) -> int:
        """The ffmpeg that records now."""
        assert self.recorder is not None
        assert self.recorder.pid is not None
        return self.recorder.pid


@asynccontextmanager
async def recording(
    url: str, folder: Path, *, timing: Timing = QUICK, clock: AnyClock | None = None
) -> AsyncIterator[Rig]:
    """Record a camera; at the end no child may be left."""
    rig = Rig(folder)
    rig.recorder = Recorder(
        url,
        folder,
        rig.say,
        clock=clock or SystemClock(),
        timing=timing,
        restarts=Restarts(first_s=0.1, most_s=0.5),
    )
    task = asyncio.create_task(rig.recorder.run())
    try:
        yield rig
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert rig.recorder.pid is None
