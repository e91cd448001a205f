"""A school's recordings under test: cameras, their folders, a disk of any size, and a clock."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gatehouse.clock import Reading
from gatehouse.config import Camera, Retention
from gatehouse.control.reports import Row, Told
from gatehouse.video.index import Index
from gatehouse.video.layout import own_path
from gatehouse.video.retention import Disk, Span
from gatehouse.video_service.answering import Asked
from gatehouse.video_service.clearing import nothing_held
from gatehouse.video_service.recordings_passes import Passes
from gatehouse.video_service.recordings_rows import Passed
from gatehouse_sim.recordings import Tree, film, make

NOW = round(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp() * 1000)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TWO_DAYS = Retention(general_days=2, critical_days=3)
SIZE = len(film(HOUR))


class HandClock:
    """A clock that only the test moves."""

    bootid = "boot"

    def __init__(self, now_ms: int = NOW) -> None:
        self.now_ms = now_ms
        self.at_s = 1000.0

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += round(seconds * 1000)
        self.at_s += seconds

    def reading(self) -> Reading:
        """Read it."""
        at_ns = round(self.at_s * 1e9)
        return Reading(self.now_ms * 1_000_000, at_ns, at_ns)

    def synced(self) -> bool:
        """Say that it was set."""
        return True


@dataclass
class Box:
    """Cameras whose recordings lie below ``folder``, on a disk that the test fills."""

    folder: Path
    retention: Retention = TWO_DAYS
    clock: HandClock = field(default_factory=HandClock)
    total: int = 10**9
    """Bytes of the disk; used is what the recordings take, and ``others``."""
    others: int = 0
    cameras: list[Camera] = field(default_factory=list)
    held: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    passes: Passes = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self.passes = self.begin()

    def begin(self) -> Passes:
        """Begin as after a start of the service."""
        self.passes = Passes(
            self.folder / "state",
            clock=self.clock,
            zone=UTC,
            room=self.room,
            held=lambda name: self.held.get(name, nothing_held(name)),
        )
        return self.passes

    def root(self, name: str) -> Path:
        """Return a camera's folder."""
        return self.folder / "recordings" / name

    def add(self, name: str = "gate", days: float = 0.0, **more: Any) -> Camera:
        """Add a camera, with a recording an hour for so many days up to now."""
        camera = Camera(
            name,
            "rtsp://127.0.0.1/x",
            more.pop("area", "general"),
            recordings=self.root(name),
            record=more.pop("record", True),
        )
        self.cameras.append(camera)
        self.root(name).mkdir(parents=True, exist_ok=True)
        if days:
            tree = {"segment_ms": HOUR, "own_files": True, **more}
            make(self.root(name), Tree(self.clock.now_ms, days, **tree))
        return camera

    def put(self, start_ms: int, length_ms: int = HOUR, name: str = "gate") -> Path:
        """Record one segment."""
        path = self.root(name) / own_path(start_ms)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film(length_ms))
        ended = (start_ms + length_ms) * 1_000_000
        os.utime(path, ns=(ended, ended))
        return path

    def files(self, name: str = "gate") -> set[str]:
        """Return what is on the disk of a camera."""
        return {str(path.relative_to(self.root(name))) for path in self.root(name).rglob("*.mp4")}

    def room(self, _folder: Path, min_free_percent: float) -> Disk:
        """Say what room there is, as the passes are told."""
        below = (self.folder / "recordings").rglob("*.mp4")
        used = sum(os.stat(path).st_size for path in below)  # noqa: PTH116  # tests break the other
        return Disk(self.total, self.total - used - self.others, min_free_percent)

    def fill(self, segments: int) -> None:
        """Have something fill the disk, so that this many recordings of an hour should go."""
        free = self.room(self.folder, self.retention.min_free_percent)
        self.others += free.free - free.wanted + segments * SIZE - 1

    def once(self, received: Sequence[str] = (), forecasts: Sequence[str] = ()) -> Passed:
        """Make a pass."""
        asked = Asked(
            tuple(self.cameras), self.retention, frozenset(received), frozenset(forecasts)
        )
        return self.passes.once(asked)

    def index(self) -> Index:
        """Return the index of the passes, once one was made."""
        assert self.passes._index is not None
        return self.passes._index

    def indexed(self, name: str = "gate") -> set[str]:
        """Return what the index has of a camera."""
        camera = self.index().camera(name)
        assert camera is not None
        return {self.index().path_of(row) for row in list(self.index().segments(camera.id))}


def standing(rows: Sequence[Row], subject: str = "camera/gate") -> dict[str, dict[str, Any]]:
    """Return the faults of a subject that stand, each with its data."""
    return {each.fault: each.data for row in rows if row.subject == subject for each in row.stands}


def unknown(rows: Sequence[Row], subject: str = "camera/gate") -> set[str]:
    """Return the faults of a subject that cannot be told."""
    return {fault for row in rows if row.subject == subject for fault in row.unknown}


def lost(told: Sequence[Told]) -> int:
    """Return how many recordings these happenings count as deleted."""
    return sum(each.data["segments"] for each in told if each.key.startswith("deleted/"))
