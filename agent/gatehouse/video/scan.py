"""The disk into the index: everything once, and then what is new.

A folder whose own time stands as it was has no name more or less, and is not read again. Those that
changed lately are looked at in every pass, the others in turn, some in each; so a pass costs what
is new and a fixed amount. A folder that holds very many names is read again only when that takes
less than a hundredth of the time since the last; meanwhile a glance finds those that sort behind
all others (decision 0007-recordings-index).

Links are never followed, neither to files nor to folders.
"""

import os
import stat
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from gatehouse.errors import RecordingsError
from gatehouse.video import layout
from gatehouse.video.index import Index
from gatehouse.video.index_schema import Camera, Flag, Folder, Segment
from gatehouse.video.looking import end_by_time, is_there
from gatehouse.video.settle import check, settle

BATCH: Final = 5000
"""Segments of one transaction; between two the scan can be stopped."""
HELD_NAMES: Final = 200_000
"""Names of a folder that are held in memory at once, to find which are new; about 20 MB."""

_IN_TURN: Final = 200
_RECENT_NS: Final = 2 * 86_400 * 1_000_000_000
_SETTLED_NS: Final = 3 * 1_000_000_000
"""A folder may change twice within one tick of its file system's clock (FAT's is 2 s)."""
_DEEPEST: Final = 12
_NOT_OURS: Final = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
_COST: Final = 100
_CHEAP_S: Final = 0.02


class Progress(NamedTuple):
    """How far a pass has come."""

    camera: str
    folders: int
    """Folders read in this pass."""
    segments: int
    """Segments that were new."""


@dataclass(slots=True)
class Scanner:
    """Follows one camera's folder. One thread uses it; all times are handed in."""

    index: Index
    camera: str
    root: Path
    zone: tzinfo
    unix_ns: Callable[[], int]
    monotonic: Callable[[], float]
    _turn: int = 0
    _checked_ms: int | None = None
    _not_before: dict[tuple[int, str], float] = field(default_factory=dict)

    def look(self, *, whole: bool = False) -> Generator[Progress, None, None]:
        """Bring the index up to the disk; ``whole`` looks at every folder's time.

        A folder that cannot be read is noted (`Camera.amiss`), and what is known of it stays.
        Raises RecordingsError when the index fails.
        """
        with self.index.change():
            camera = self.index.enter_camera(self.camera, str(self.root))
            top = self.index.enter_folder(camera.id, "")
        first = camera.scanned_ms is None
        due = self._due(camera, top, whole=whole or first)
        pass_ = _Pass(self, camera, resting=not whole)
        yield from pass_.run(due)
        settle(self.index, self.camera, self._now_ms())
        with self.index.change():
            self.index.note(camera.id, amiss=pass_.amiss)
            if first and pass_.top_read:
                self.index.note(camera.id, scanned_ms=self._now_ms())

    def check_some(self, most: int) -> bool:
        """Measure some segments whose end is only taken for granted; False when all were seen."""
        before = self._now_ms() + 1 if self._checked_ms is None else self._checked_ms
        left = check(self.index, self.camera, before, most)
        self._checked_ms = left
        settle(self.index, self.camera, self._now_ms())
        return left is not None

    def _now_ms(self) -> int:
        return self.unix_ns() // 1_000_000

    def _due(self, camera: Camera, top: Folder, *, whole: bool) -> list[Folder]:
        """Return the folders whose time is looked at in this pass."""
        if whole:
            return self.index.folders(camera.id)
        recent = self.index.recent_folders(camera.id, self.unix_ns() - _RECENT_NS)
        in_turn = self.index.folders(camera.id, self._turn, _IN_TURN)
        self._turn = in_turn[-1].id if len(in_turn) == _IN_TURN else 0
        return list({folder.id: folder for folder in [top, *recent, *in_turn]}.values())

    def may_read(self, folder: Folder, how: str) -> bool:
        """Whether a folder that is dear to read has rested long enough."""
        return self.monotonic() >= self._not_before.get((folder.id, how), 0.0)

    def was_read(self, folder: Folder, how: str, began: float) -> None:
        """Let a folder rest that was dear to read."""
        now = self.monotonic()
        self._not_before.pop((folder.id, how), None)
        if now - began > _CHEAP_S:
            self._not_before[folder.id, how] = now + (now - began) * _COST


class _Pass:
    """One pass over one camera's folder."""

    def __init__(self, scanner: Scanner, camera: Camera, *, resting: bool) -> None:
        self._scanner = scanner
        self._index = scanner.index
        self._camera = camera
        self._folders = 0
        self._segments = 0
        self._resting = resting
        self.amiss: str | None = None
        """What could not be read."""
        self.top_read = False

    def run(self, due: list[Folder]) -> Generator[Progress, None, None]:
        """Look at these folders and at new ones below them."""
        waiting = sorted(due, key=lambda folder: folder.path, reverse=True)
        while waiting:
            folder = waiting.pop()
            try:
                found = yield from self._folder(folder)
            except RecordingsError:
                raise
            except (FileNotFoundError, NotADirectoryError) as exc:
                self._vanished(folder, exc)
            except OSError as exc:
                self.amiss = f"cannot read {folder.path or self._scanner.root}: {exc.strerror}"
            else:
                self.top_read = self.top_read or not folder.path
                waiting += sorted(found, key=lambda each: each.path, reverse=True)

    def _vanished(self, folder: Folder, exc: OSError) -> None:
        """Forget a folder that is gone; without the camera's own none is, that is a fault."""
        if not folder.path:
            self.amiss = f"cannot read {self._scanner.root}: {exc.strerror}"
        elif is_there(self._scanner.root):
            with self._index.change():
                self._index.drop_folder(self._camera.id, folder.path)

    def _folder(self, folder: Folder) -> Generator[Progress, None, list[Folder]]:
        """Read one folder if it changed; returns folders below it that are new."""
        path = self._scanner.root / folder.path
        status = path.stat() if not folder.path else path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise FileNotFoundError(2, "is no folder any more", str(path))
        if status.st_mtime_ns == folder.mtime_ns:
            return []
        if path.resolve() != self._scanner.root.resolve() / folder.path:
            raise FileNotFoundError(2, "lies behind a link now", str(path))
        if self._resting and not self._scanner.may_read(folder, "whole"):
            self._glance(folder, path)
            return []
        now_ns = self._scanner.unix_ns()
        settled = now_ns - status.st_mtime_ns >= _SETTLED_NS
        began = self._scanner.monotonic()
        below: list[Folder] = []
        unknown = yield from self._names(folder, path, below)
        with self._index.change():
            self._index.looked(folder.id, status.st_mtime_ns if settled else -1, unknown)
        self._scanner.was_read(folder, "whole", began)
        self._folders += 1
        yield self._progress()
        return below

    def _glance(self, folder: Folder, path: Path) -> None:
        """Enter what sorts behind all names of a folder that rests: most sort by time."""
        if not self._scanner.may_read(folder, "glance"):
            return
        began = self._scanner.monotonic()
        newest = self._index.last_name(folder.id)
        with os.scandir(path) as entries:
            later = [self._segment(folder, entry) for entry in entries if entry.name > newest]
        self._enter([segment for segment in later if segment is not None][:BATCH])
        self._scanner.was_read(folder, "glance", began)

    def _names(
        self, folder: Folder, path: Path, below: list[Folder]
    ) -> Generator[Progress, None, int]:
        """Enter what is new in a folder and forget what is gone; returns how many are unknown.

        A folder with more names than may be held is read several times, a part of the names each.
        """
        parts = self._index.count_in(folder.id) // HELD_NAMES + 1
        unknown = 0
        for part in range(parts):
            mine = _part_of(part, parts)
            known = self._index.names_in(folder.id, mine)
            batch: list[Segment] = []
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name in known:
                        known.remove(entry.name)
                        continue
                    if mine is not None and not mine(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        unknown += self._below(folder, entry.name, below)
                        continue
                    segment = self._segment(folder, entry)
                    unknown += segment is None
                    if segment is not None:
                        batch.append(segment)
                    if len(batch) >= BATCH:
                        self._enter(batch)
                        batch = []
                        yield self._progress()
            self._enter(batch)
            with self._index.change():
                self._index.remove(self._camera.id, self._index.keys_of(folder.id, known))
        return unknown

    def _below(self, folder: Folder, name: str, below: list[Folder]) -> int:
        """Enter a folder within a folder, if it is new; returns 1 if it cannot be entered."""
        path = f"{folder.path}/{name}" if folder.path else name
        if name.startswith(".") or name in _NOT_OURS:
            return 0
        if not _writable(path) or path.count("/") >= _DEEPEST:
            return 1
        with self._index.change():
            entered = self._index.enter_folder(self._camera.id, path)
        if entered.mtime_ns < 0:
            below.append(entered)
        return 0

    def _segment(self, folder: Folder, entry: os.DirEntry[str]) -> Segment | None:
        """Return the segment a file's name tells of; None for any other thing."""
        path = f"{folder.path}/{entry.name}" if folder.path else entry.name
        if not _writable(path) or not entry.is_file(follow_symlinks=False):
            return None
        if layout.container(path) not in layout.EXTENSIONS:
            return None
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return None  # gone since it was listed: the folder's time has changed with it
        written = status.st_mtime_ns // 1_000_000
        named = layout.named(path, self._scanner.zone, written)
        if named is None or not _same_camera(named.channel, self._camera.name):
            return None
        end, flags = named.end_ms, Flag(0)
        if not status.st_size:
            end, flags = named.start_ms, Flag.EMPTY
        elif end is None and layout.container(path) not in layout.MP4 and status.st_nlink == 1:
            end = end_by_time(named.start_ms, written)
        return Segment(named.start_ms, folder.id, entry.name, end, status.st_size, int(flags))

    def _enter(self, batch: list[Segment]) -> None:
        with self._index.change():
            self._index.add(self._camera.id, batch)
        self._segments += len(batch)

    def _progress(self) -> Progress:
        return Progress(self._camera.name, self._folders, self._segments)


def _part_of(part: int, parts: int) -> Callable[[str], bool] | None:
    """Return what tells the names of one part of a folder; None when it has but one."""
    if parts == 1:
        return None
    return lambda name: zlib.crc32(name.encode(errors="surrogateescape")) % parts == part


def _writable(path: str) -> bool:
    """Whether a path can be kept as text: bytes that are no UTF-8 cannot."""
    return path.isascii() or not any("\ud800" <= char <= "\udfff" for char in path)


def _same_camera(channel: str | None, camera: str) -> bool:
    """Whether a recorder's name for a camera is ours; they like capitals and underscores."""
    return channel is None or channel.lower().replace("_", "-") == camera
