"""Carrying out a plan: intent, unlink, fsync of the folder, forget, in that order.

What holds, whenever it is killed:

* no file goes whose intent is not on the disk first;
* a row is forgotten only when its file is surely gone: after the folder was synced;
* `finish`, at the next start, brings both into agreement: what is gone is forgotten, what is still
  there stays. It deletes nothing, for what was right to delete then may not be now.

Nothing outside a camera's folder is ever touched: each folder on the way is opened below the last,
never through a link, and only a regular file whose name is a recording goes.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, Literal

from gatehouse.errors import RecordingsError
from gatehouse.video import layout
from gatehouse.video.index import Index
from gatehouse.video.index_reader import Reader
from gatehouse.video.index_schema import Camera
from gatehouse.video.plan import Area, Keeping, Piece, Plan, by_camera
from gatehouse.video.retention import DAY_MS, Span
from gatehouse.video.settle import settle

BATCH: Final = 500
"""Recordings of one camera whose intents are stored at once."""

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

Key = tuple[int, int, str]
Fate = Literal["gone", "kept"]


@dataclass(slots=True)
class Done:
    """What a clean-up came to."""

    segments: int = 0
    bytes: int = 0
    kept: int = 0
    """Files that were to go and did not: no longer what the index says, or not to be deleted."""
    amiss: str | None = None


def keeping(
    reader: Reader,
    camera: Camera,
    *,
    area: Area,
    floor_ms: int,
    now_ms: int,
    held: Sequence[Span] = (),
    ours: bool = True,
) -> Keeping:
    """Return what the plan must know of a camera."""
    newest = reader.back_from(camera.id, now_ms + 1, 1)
    segments, size = reader.totals(camera.id)
    usual = camera.usual_ms or 0

    def oldest_first() -> Iterator[Piece]:
        for row in reader.segments(camera.id):
            end = row.start_ms + usual if row.end_ms is None else row.end_ms
            yield Piece(camera.name, row.start_ms, end, row.size, row.key)

    newest_ms = newest[0].start_ms if newest else 0
    return Keeping(camera.name, area, floor_ms, segments, size, newest_ms, oldest_first, held, ours)


def carry_out(index: Index, plan: Plan, *, zone: tzinfo, now_ms: int) -> Done:
    """Delete what the plan says. Raises RecordingsError when the index fails, before any harm."""
    done = Done()
    for name, pieces in by_camera(plan.deletions).items():
        camera = index.camera(name)
        if camera is None:
            continue
        try:
            with _Folders(Path(camera.root)) as folders:
                for at in range(0, len(pieces), BATCH):
                    _batch(index, camera, folders, pieces[at : at + BATCH], zone=zone, done=done)
                _tidy(index, camera, folders, {piece.key[1] for piece in pieces}, now_ms)
        except RecordingsError:
            raise
        except OSError as exc:
            done.amiss = f"cannot clean up {camera.root}: {exc.strerror or exc}"
        settle(index, name, now_ms)
    return done


def finish(index: Index, *, now_ms: int) -> None:
    """Bring disk and index into agreement after a clean-up that was killed."""
    for camera in index.cameras():
        keys = index.intents(camera.id)
        if not keys:
            continue
        try:
            with _Folders(Path(camera.root)) as folders:
                gone = [key for key in keys if _is_gone(folders, index.folder_path(key[1]), key[2])]
                folders.sync()
        except OSError:
            continue  # the disk is away: the intents wait until it is back
        with index.change(durable=True):
            _forget(index, camera, gone, [])
            index.drop_intents(camera.id, keys)
        settle(index, camera.name, now_ms)


class _Folders:
    """The folders below a camera's, each opened below the last and never through a link."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: dict[str, int] = {"": self._root}

    def __enter__(self) -> "_Folders":
        return self

    def __exit__(self, *_exc: object) -> None:
        for fd in self._open.values():
            os.close(fd)

    def fd(self, path: str) -> int:
        """Open a folder. Raises OSError."""
        if path in self._open:
            return self._open[path]
        above, _, name = path.rpartition("/")
        if name in {"", ".", ".."}:
            raise OSError(errno.ELOOP, "is no folder of recordings", path)
        fd = os.open(name, _FOLDER, dir_fd=self.fd(above))
        self._open[path] = fd
        return fd

    def sync(self) -> None:
        """Bring what was unlinked to the disk, and let go of all but the camera's own folder."""
        for path in list(self._open):
            os.fsync(self._open[path])
            if path:
                os.close(self._open.pop(path))


def _batch(
    index: Index,
    camera: Camera,
    folders: _Folders,
    pieces: Sequence[Piece],
    *,
    zone: tzinfo,
    done: Done,
) -> None:
    keys = [piece.key for piece in pieces]
    with index.change(durable=True):
        index.intend(camera.id, keys)
    gone: list[Piece] = []
    failed: OSError | None = None
    for piece in pieces:
        try:
            unlinked = _unlink(folders, index.folder_path(piece.key[1]), piece.key[2], zone)
        except OSError as exc:
            failed = exc
            break
        if unlinked == "gone":
            gone.append(piece)
        else:
            done.kept += 1
    folders.sync()
    with index.change(durable=True):
        _forget(index, camera, [piece.key for piece in gone], gone)
        index.drop_intents(camera.id, keys)
    done.segments += len(gone)
    done.bytes += sum(piece.size for piece in gone)
    if failed is not None:
        raise failed


def _unlink(folders: _Folders, folder: str, name: str, zone: tzinfo) -> Fate:
    """Delete one recording; "kept" when it is not, or is no longer, one that may go."""
    path = f"{folder}/{name}" if folder else name
    if "/" in name or layout.named(path, zone) is None:
        return "kept"
    try:
        fd = folders.fd(folder)
        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return "kept"
        os.unlink(name, dir_fd=fd)
    except OSError as exc:
        if exc.errno in {errno.ENOTDIR, errno.ELOOP}:
            return "kept"  # a link stands where a folder stood
        if exc.errno != errno.ENOENT:
            raise
    return "gone"


def _is_gone(folders: _Folders, folder: str, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folders.fd(folder), follow_symlinks=False)
    except OSError as exc:
        if exc.errno in _ABSENT:
            return True
        raise
    return False


def _forget(index: Index, camera: Camera, keys: Sequence[Key], pieces: Sequence[Piece]) -> None:
    """Forget recordings that are gone; the gap they leave is our own doing, and not to be told."""
    index.remove(camera.id, keys)
    usual = camera.usual_ms or 0
    ends = {piece.key: piece.end_ms for piece in pieces}
    for key in keys:
        index.tell(camera.id, Span(key[0], max(key[0] + 1, ends.get(key, key[0] + usual))))


def _tidy(index: Index, camera: Camera, folders: _Folders, emptied: set[int], now_ms: int) -> None:
    """Remove day folders of our own that are empty, but none that the recorder may still use."""
    lately = datetime.fromtimestamp((now_ms - 2 * DAY_MS) / 1000, UTC).strftime("%Y-%m-%d")
    for folder in sorted(emptied):
        path = index.folder_path(folder)
        if not layout.is_own_folder(path) or path >= lately or index.count_in(folder):
            continue
        with contextlib.suppress(OSError):  # not empty: something else is kept there
            os.rmdir(path, dir_fd=folders.fd(""))
            folders.sync()
            with index.change():
                index.drop_folder(camera.id, path)
