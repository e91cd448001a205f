"""Trees of recordings of any age and size, with holes and damage, made in seconds from a seed.

The segments are real fragmented MP4 files of under a kilobyte: every length is made once, and all
other files are further names of it (ext4 allows 65,000), so that two million of them need little
more than their folders. Where files' own times matter, ``own_files`` makes each a file.
"""

import os
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
_NAMES_OF_A_FILE: Final = 60_000
_SCALE: Final = 1000


def _own(start: datetime, _end: datetime) -> str:
    return f"{start:%Y-%m-%d}/{start:%Y%m%dT%H%M%SZ}.mp4"


def _flat(start: datetime, _end: datetime) -> str:
    return f"{start:%Y%m%dT%H%M%SZ}.mp4"


def _frigate(start: datetime, _end: datetime) -> str:
    return f"{start:%Y-%m-%d/%H}/gate/{start:%M.%S}.mp4"


def _dahua(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d}/001/dav/{start:%H/%H.%M.%S}-{end:%H.%M.%S}[R].dav"


def _hikvision(start: datetime, end: datetime) -> str:
    return f"ch01_{start:%Y%m%d%H%M%S}_{end:%Y%m%d%H%M%S}.mp4"


LAYOUTS: Final[dict[str, Callable[[datetime, datetime], str]]] = {
    "own": _own,
    "flat": _flat,
    "frigate": _frigate,
    "dahua": _dahua,
    "hikvision": _hikvision,
}
"""How each kind of recorder names the segment from ``start`` to ``end``; local times in UTC."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Nothing is recorded from so many ms before the tree's end, for so long."""

    before_ms: int
    for_ms: int


@dataclass(frozen=True, slots=True)
class Tree:
    """What one camera's folder shall hold, up to ``until_ms``."""

    until_ms: int
    days: float
    segment_ms: int = MINUTE_MS
    layout: str = "own"
    holes: tuple[Hole, ...] = ()
    random_holes: int = 0
    """Besides, so many holes of 1 s to 20 min, by the seed."""
    overlap_ms: int = 0
    """Each segment runs on into the next one for so long."""
    own_files: bool = False
    seed: int = 0

    def cut_out(self) -> list[tuple[int, int]]:
        """Return when nothing is recorded: beginning and end of each hole, joined, in order."""
        chance = random.Random(self.seed)  # noqa: S311  # a simulation
        holes = list(self.holes)
        for _ in range(self.random_holes):
            length = chance.choice((1, 30, 120, 290, 310, 1200)) * 1000
            holes.append(Hole(chance.randrange(round(self.days * DAY_MS)), length))
        joined: list[tuple[int, int]] = []
        for begin, end in sorted(
            (self.until_ms - hole.before_ms, self.until_ms - hole.before_ms + hole.for_ms)
            for hole in holes
        ):
            if joined and begin <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            else:
                joined.append((begin, end))
        return joined

    def segments(self) -> Iterator[tuple[int, int]]:
        """Yield beginning and length of each segment: a recorder that starts again after a hole."""
        at = self.until_ms - round(self.days * DAY_MS)
        holes = self.cut_out()
        while at < self.until_ms:
            while holes and holes[0][1] <= at:
                holes.pop(0)
            if holes and holes[0][0] <= at:
                at = holes.pop(0)[1]
                continue
            stop = min(at + self.segment_ms, self.until_ms, holes[0][0] if holes else at + DAY_MS)
            whole = stop == at + self.segment_ms
            yield at, stop - at + (self.overlap_ms if whole else 0)
            at = stop


@dataclass(slots=True)
class Builder:
    """Makes files below a folder, by new names of a few."""

    root: Path
    own_files: bool = False
    made: int = 0
    _folders: dict[str, int] = field(default_factory=dict)
    _files: dict[int, tuple[str, int]] = field(default_factory=dict)

    def put(self, path: str, start_ms: int, length_ms: int) -> None:
        """Make one segment."""
        where = os.path.join(self.root, path)  # noqa: PTH118  # two million times
        folder = os.path.dirname(where)  # noqa: PTH120
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
        self._folders[folder] = start_ms
        self.made += 1
        first, names = self._files.get(length_ms, ("", _NAMES_OF_A_FILE))
        if self.own_files or names >= _NAMES_OF_A_FILE:
            with open(where, "wb") as file:  # noqa: PTH123
                file.write(film(length_ms))
            written = (start_ms + length_ms) * 1_000_000
            os.utime(where, ns=(written, written))
            self._files[length_ms] = (where, 1)
        else:
            os.link(first, where)
            self._files[length_ms] = (first, names + 1)

    def age(self, until_ms: int) -> None:
        """Give each folder the time at which its last segment would have come into it."""
        for folder, start_ms in [*self._folders.items(), (str(self.root), until_ms)]:
            changed = min(start_ms, until_ms) * 1_000_000
            os.utime(folder, ns=(changed, changed))


def make(root: Path, tree: Tree) -> int:
    """Make a tree; returns how many segments it has."""
    name = LAYOUTS[tree.layout]
    builder = Builder(root, tree.own_files)
    root.mkdir(parents=True, exist_ok=True)
    for start_ms, length_ms in tree.segments():
        start = datetime.fromtimestamp(start_ms / 1000, UTC)
        end = datetime.fromtimestamp((start_ms + length_ms) / 1000, UTC)
        builder.put(name(start, end), start_ms, length_ms)
    builder.age(tree.until_ms)
    return builder.made


def _box(kind: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def film(length_ms: int, packets: int = 2) -> bytes:
    """Return a fragmented MP4 of this length: the boxes are real, the pictures are not."""
    tkhd = _box(b"tkhd", struct.pack(">IIII", 7, 0, 0, 1), bytes(68))
    mdhd = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, _SCALE, 0, 0x55C4, 0))
    hdlr = _box(b"hdlr", bytes(8), b"vide", bytes(13))
    trex = _box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 0, 0, 0))
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, _SCALE, 0), bytes(80))
    trak = _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr))
    head = _box(b"ftyp", b"iso5", bytes(4), b"iso5") + _box(
        b"moov", mvhd, trak, _box(b"mvex", trex)
    )
    times = [length_ms * number // packets for number in range(packets + 1)]
    return head + b"".join(
        _fragment(number + 1, times[number], times[number + 1] - times[number])
        for number in range(packets)
    )


def _fragment(number: int, at: int, length: int) -> bytes:
    picture = struct.pack(">I", 4) + b"\x65\x00\x00\x01"

    def moof(offset: int) -> bytes:
        tfhd = _box(b"tfhd", struct.pack(">II", 0x20000, 1))
        tfdt = _box(b"tfdt", struct.pack(">IQ", 0x01000000, at))
        trun = _box(b"trun", struct.pack(">IIiII", 0x301, 1, offset, length, len(picture)))
        mfhd = _box(b"mfhd", struct.pack(">II", 0, number))
        return _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun))

    return moof(len(moof(0)) + 8) + _box(b"mdat", picture)
