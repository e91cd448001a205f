"""What clean-up takes before its time, counted on the disk until the alarm service has it.

1. What is intended is written here before the first file goes, piece by piece.
2. When clean-up is done, or was killed and the index agrees with the disk again, what really went
   takes its place: nothing gone, nothing told.
3. The entry goes when the alarm service has the event.

So no deletion goes uncounted, wherever it is killed. One may be counted too much: a recording that
somebody else took after it was intended, or one of a camera that is no longer ours to look at.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gatehouse import files
from gatehouse.control.reports import DELETED, MOST_TOLD, Told
from gatehouse.video.answers import gap_document
from gatehouse.video.plan import Piece
from gatehouse.video.retention import Span

log = logging.getLogger(__name__)

_MOST: Final = 4 * MOST_TOLD
"""Entries that wait; behind them those of one camera become one."""


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One recording that is to go."""

    start_ms: int
    end_ms: int
    size: int
    name: str


class Entry(msgspec.Struct, frozen=True):
    """One camera's losses in one clean-up: intended while it has parts, and then counted."""

    number: int
    camera: str
    at_ms: int
    parts: tuple[Part, ...] = ()
    from_ms: int = 0
    to_ms: int = 0
    lost_ms: int = 0
    segments: int = 0
    bytes: int = 0

    def counted(self, gone: Sequence[Part]) -> "Entry":
        """Return it with what really went."""
        return msgspec.structs.replace(
            self,
            parts=(),
            from_ms=min(part.start_ms for part in gone),
            to_ms=max(part.end_ms for part in gone),
            lost_ms=sum(max(0, part.end_ms - part.start_ms) for part in gone),
            segments=len(gone),
            bytes=sum(part.size for part in gone),
        )

    def joined(self, other: "Entry") -> "Entry":
        """Return both as one."""
        return msgspec.structs.replace(
            self,
            from_ms=min(self.from_ms, other.from_ms),
            to_ms=max(self.to_ms, other.to_ms),
            lost_ms=self.lost_ms + other.lost_ms,
            segments=self.segments + other.segments,
            bytes=self.bytes + other.bytes,
        )

    def told(self) -> Told:
        """Return the happening."""
        data = {
            **gap_document(Span(self.from_ms, self.to_ms)),
            "seconds": round(self.lost_ms / 1000, 1),
            "segments": self.segments,
            "bytes": self.bytes,
            "reason": "under-floor",
        }
        key = f"deleted/{self.camera}/{self.from_ms}-{self.to_ms}-{self.number}"
        return Told(key, DELETED, f"camera/{self.camera}", data)


class _File(msgspec.Struct, frozen=True):
    next: int = 1
    entries: tuple[Entry, ...] = ()


class Deletions:
    """The journal. One thread at a time uses it; what is not on the disk yet is written later."""

    def __init__(self, path: Path) -> None:
        """Read it. Raises OSError; a damaged one is begun anew, and said in the log."""
        self._path = path
        self._file = _read(path)
        self._stored = self._file

    def intend(self, pieces: Mapping[str, Sequence[Piece]], at_ms: int) -> None:
        """Write down what is about to go, by cameras. Raises OSError; then it must not go."""
        made = [
            Entry(self._file.next + number, camera, at_ms, tuple(map(_part, going)))
            for number, (camera, going) in enumerate(pieces.items())
        ]
        before = self._file
        self._file = _File(before.next + len(made), (*before.entries, *made))
        try:
            self.write()
        except OSError:
            self._file = before
            raise

    def intended(self) -> set[str]:
        """Return the cameras with entries that are not counted yet."""
        return {entry.camera for entry in self._file.entries if entry.parts}

    def count(self, camera: str, gone: Callable[[Part], bool]) -> None:
        """Put what really went in the place of what was intended of a camera."""
        entries: list[Entry] = []
        for entry in self._file.entries:
            if entry.camera != camera or not entry.parts:
                entries.append(entry)
            elif found := [part for part in entry.parts if gone(part)]:
                _add(entries, entry.counted(found))
        self._file = _File(self._file.next, tuple(entries))

    def received(self, keys: Collection[str]) -> None:
        """Forget what the alarm service has."""
        kept = tuple(
            each for each in self._file.entries if each.parts or each.told().key not in keys
        )
        self._file = _File(self._file.next, kept)

    def told(self) -> list[tuple[int, Told]]:
        """Return what was counted and is not received yet, each with its time (UTC, ms)."""
        counted = [entry for entry in self._file.entries if not entry.parts]
        return [(entry.at_ms, entry.told()) for entry in counted[:MOST_TOLD]]

    def write(self) -> None:
        """Bring it to the disk, if it is not there yet. Raises OSError."""
        if self._file == self._stored:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("wb") as file:
                file.write(msgspec.json.encode(self._file))
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self._path)  # noqa: PTH105  # the call that the tests kill us at
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise
        self._stored = self._file
        files.sync(self._path.parent)


def _read(path: Path) -> _File:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return _File()
    except (msgspec.MsgspecError, ValueError) as exc:
        log.error("%s is damaged and begun anew; what it counted is lost: %s", path, exc)  # noqa: TRY400  # no traceback: it is the file's fault
        return _File()


def _part(piece: Piece) -> Part:
    return Part(piece.start_ms, piece.end_ms, piece.size, piece.key[2])


def _add(entries: list[Entry], counted: Entry) -> None:
    """Add an entry; behind many others to one of its camera that was never told so far.

    Only the first `MOST_TOLD` are told, and an entry only moves forward: so what is told once never
    changes, and a key never means two happenings.
    """
    for at in range(_MOST, len(entries)):
        if entries[at].camera == counted.camera and not entries[at].parts:
            entries[at] = entries[at].joined(counted)
            return
    entries.append(counted)
