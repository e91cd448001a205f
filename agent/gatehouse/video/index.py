"""The index of recordings: the only place of the video service that speaks SQL.

It holds nothing that is not on the disk, but for what was told (`told`) and when each camera's
recordings first began; without it, or damaged, it is made anew by a scan. What must hold:

* `segment` has a row for each file that a name calls a recording; ``end_ms`` is null until the file
  itself was measured, and is then taken to be the next one's beginning, where that is near;
* `run` is what merging the segments of a camera gives, and `day` what adding them up gives, except
  within the camera's ``dirty`` range, which the next settling brings in order;
* rows change together with the dirty range, in one transaction.

One thread at a time writes; others, and other processes, read beside it by a `Reader` of their own.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntFlag
from pathlib import Path
from typing import Any, Final, NamedTuple

from gatehouse.errors import RecordingsError
from gatehouse.video.retention import DAY_MS, Span

VERSION: Final = 1
_NEAR_MS: Final = 60_000
_UNSET_CLOCK_MS: Final = 1_704_067_200_000
"""2024, before there was a Gatehouse: a recording of an earlier year tells of an unset clock."""
_SCHEMA: Final = """
CREATE TABLE camera (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    root TEXT NOT NULL,
    scanned_ms INTEGER,
    first_ms INTEGER,
    usual_ms INTEGER,
    longest_ms INTEGER NOT NULL DEFAULT 0,
    dirty_from INTEGER,
    dirty_to INTEGER,
    amiss TEXT
);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    camera INTEGER NOT NULL,
    path TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL DEFAULT -1,
    unknown INTEGER NOT NULL DEFAULT 0,
    UNIQUE (camera, path)
);
CREATE INDEX folder_by_change ON folder (camera, mtime_ns);
CREATE TABLE segment (
    camera INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    folder INTEGER NOT NULL,
    name TEXT NOT NULL,
    end_ms INTEGER,
    size INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    PRIMARY KEY (camera, start_ms, folder, name)
) WITHOUT ROWID;
CREATE INDEX segment_by_name ON segment (folder, name);
CREATE INDEX segment_open ON segment (camera) WHERE flags & 16;
CREATE TABLE run (
    camera INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    PRIMARY KEY (camera, from_ms)
) WITHOUT ROWID;
CREATE TABLE day (
    camera INTEGER NOT NULL, day_ms INTEGER NOT NULL,
    segments INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (camera, day_ms)
) WITHOUT ROWID;
CREATE TABLE intent (
    camera INTEGER NOT NULL, start_ms INTEGER NOT NULL, folder INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (camera, start_ms, folder, name)
) WITHOUT ROWID;
CREATE TABLE told (
    camera INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    PRIMARY KEY (camera, from_ms, to_ms)
) WITHOUT ROWID;
"""


class Flag(IntFlag):
    """What is known of a segment besides its times."""

    EMPTY = 1
    """It has no byte."""
    DAMAGED = 2
    """No picture in it can be shown."""
    CUT = 4
    """Bytes were lost behind its last whole packet."""
    TIME = 8
    """Its name's time and the file's own do not agree: a clock stepped, or it was copied."""
    OPEN = 16
    """It was being written when it was looked at last. (The index above knows the number.)"""


class Segment(NamedTuple):
    """One recording, by its place in a camera's folder."""

    start_ms: int
    folder: int
    name: str
    end_ms: int | None
    size: int
    flags: int

    @property
    def key(self) -> tuple[int, int, str]:
        """What no other segment of the camera has."""
        return self.start_ms, self.folder, self.name


class Camera(NamedTuple):
    """One camera as the index knows it."""

    id: int
    name: str
    root: str
    scanned_ms: int | None
    """When its folder was first known wholly; None while that is not yet."""
    first_ms: int | None
    """When the first recording began that was ever seen, whether it is still there or not."""
    usual_ms: int | None
    longest_ms: int
    dirty_from: int | None
    dirty_to: int | None
    amiss: str | None
    """Why its folder cannot be read."""


class Folder(NamedTuple):
    """One folder below a camera's; ``mtime_ns`` is -1 while it may have changed unseen."""

    id: int
    path: str
    mtime_ns: int
    unknown: int


@contextlib.contextmanager
def _naming(doing: str, path: Path) -> Iterator[None]:
    """Say what was tried, on what, and why it failed, in Gatehouse's own errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        if isinstance(exc, RecordingsError):
            raise
        raise RecordingsError(f"cannot {doing} {path}: {exc}") from exc


def damaged(error: RecordingsError) -> bool:
    """Whether an error tells that the file itself is damaged: only `Index.set_aside` helps."""
    return isinstance(error.__cause__, sqlite3.DatabaseError) and _is_damage(error.__cause__)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # errors of the module itself have none
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


_SEGMENT: Final = "start_ms, folder, name, end_ms, size, flags"
_MINE: Final = "camera = ? AND start_ms = ? AND folder = ? AND name = ?"


class Reader:
    """Reads the index, beside its writer. Raises RecordingsError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _naming("read", path):
            self._db = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, timeout=5.0, isolation_level=None
            )

    def close(self) -> None:
        """Let go of the file."""
        with _naming("close", self.path):
            self._db.close()

    @contextlib.contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Let several questions see the same state, whatever is written meanwhile."""
        with _naming("read", self.path):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def _ask(self, query: str, *values: object) -> Iterator[Any]:
        with _naming("read", self.path):
            yield from self._db.execute(query, values)

    def _one(self, query: str, *values: object) -> Any:  # noqa: ANN401  # a number or None, by the query
        row = next(self._ask(query, *values), None)
        return None if row is None else row[0]

    def cameras(self) -> list[Camera]:
        """Return every camera."""
        return [Camera(*row) for row in self._ask("SELECT * FROM camera ORDER BY id")]

    def camera(self, name: str) -> Camera | None:
        """Return one camera."""
        rows = self._ask("SELECT * FROM camera WHERE name = ?", name)
        return next((Camera(*row) for row in rows), None)

    def folders(self, camera: int, after: int = 0, most: int = -1) -> list[Folder]:
        """Return folders of a camera with a higher id than ``after``."""
        query = "SELECT id, path, mtime_ns, unknown FROM folder"
        where = " WHERE camera = ? AND id > ? ORDER BY id LIMIT ?"
        return [Folder(*row) for row in self._ask(query + where, camera, after, most)]

    def recent_folders(self, camera: int, since_ns: int) -> list[Folder]:
        """Return the folders that changed since, and those that must be looked at again."""
        query = "SELECT id, path, mtime_ns, unknown FROM folder WHERE camera = ?"
        where = " AND (mtime_ns >= ? OR mtime_ns < 0)"
        return [Folder(*row) for row in self._ask(query + where, camera, since_ns)]

    def folder_path(self, folder: int) -> str:
        """Return where a folder lies below its camera's; empty for that itself."""
        return str(self._one("SELECT path FROM folder WHERE id = ?", folder) or "")

    def path_of(self, segment: Segment) -> str:
        """Return where a segment lies below its camera's folder."""
        folder = self.folder_path(segment.folder)
        return f"{folder}/{segment.name}" if folder else segment.name

    def names_in(self, folder: int, mine: Callable[[str], bool] | None = None) -> set[str]:
        """Return the names of a folder's segments, all of them or some."""
        with _naming("read", self.path):
            rows = self._db.execute("SELECT name FROM segment WHERE folder = ?", (folder,))
            return {name for (name,) in rows if mine is None or mine(name)}

    def last_name(self, folder: int) -> str:
        """Return the name of a folder that sorts last; empty when it has none."""
        return str(self._one("SELECT max(name) FROM segment WHERE folder = ?", folder) or "")

    def keys_of(self, folder: int, names: Iterable[str]) -> list[tuple[int, int, str]]:
        """Return the keys of segments by their names."""
        query = "SELECT start_ms, folder, name FROM segment WHERE folder = ? AND name = ?"
        return [row for name in names for row in self._ask(query, folder, name)]

    def count_in(self, folder: int) -> int:
        """Return how many segments a folder has."""
        return int(self._one("SELECT count(*) FROM segment WHERE folder = ?", folder))

    def segments(self, camera: int, from_ms: int = -1, to_ms: int = 1 << 60) -> Iterator[Segment]:
        """Yield the segments that begin within a time, the oldest first."""
        query = f"SELECT {_SEGMENT} FROM segment WHERE camera = ?"  # noqa: S608  # a constant
        where = " AND start_ms BETWEEN ? AND ? ORDER BY start_ms, folder, name"
        return map(Segment._make, self._ask(query + where, camera, from_ms, to_ms))

    def back_from(self, camera: int, start_ms: int, most: int) -> list[Segment]:
        """Return segments that begin before a time, the newest first."""
        query = f"SELECT {_SEGMENT} FROM segment WHERE camera = ?"  # noqa: S608  # a constant
        where = " AND start_ms < ? ORDER BY start_ms DESC, folder DESC, name DESC LIMIT ?"
        return [Segment(*row) for row in self._ask(query + where, camera, start_ms, most)]

    def start_after(self, camera: int, start_ms: int) -> int | None:
        """Return when the next segment after a time begins."""
        query = "SELECT min(start_ms) FROM segment WHERE camera = ? AND start_ms > ?"
        value = self._one(query, camera, start_ms)
        return None if value is None else int(value)

    def open_segments(self, camera: int) -> list[Segment]:
        """Return the segments that were being written when they were looked at last."""
        query = f"SELECT {_SEGMENT} FROM segment INDEXED BY segment_open"  # noqa: S608  # a constant
        rows = self._ask(query + " WHERE camera = ? AND flags & 16 ORDER BY start_ms", camera)
        return [Segment(*row) for row in rows]

    def runs(self, camera: int) -> Iterator[Span]:
        """Yield the stretches without a hole, the newest first."""
        query = "SELECT from_ms, to_ms FROM run WHERE camera = ? ORDER BY from_ms DESC"
        return map(Span._make, self._ask(query, camera))

    def run_over(self, camera: int, at_ms: int) -> Span | None:
        """Return the last stretch that begins at or before a time."""
        query = "SELECT from_ms, to_ms FROM run WHERE camera = ? AND from_ms <= ?"
        rows = self._ask(query + " ORDER BY from_ms DESC LIMIT 1", camera, at_ms)
        return next(map(Span._make, rows), None)

    def days(self, camera: int) -> list[tuple[int, int, int]]:
        """Return each day's beginning (UTC), segments and bytes, the oldest first."""
        query = "SELECT day_ms, segments, bytes FROM day WHERE camera = ? ORDER BY day_ms"
        return list(self._ask(query, camera))

    def bytes_between(self, camera: int, from_ms: int, to_ms: int) -> int:
        """Return the bytes of the segments that begin within a time."""
        query = "SELECT coalesce(sum(size), 0) FROM segment WHERE camera = ?"
        return int(self._one(query + " AND start_ms BETWEEN ? AND ?", camera, from_ms, to_ms))

    def totals(self, camera: int) -> tuple[int, int]:
        """Return how many segments and bytes a camera has."""
        query = "SELECT coalesce(sum(segments), 0), coalesce(sum(bytes), 0) FROM day"
        rows = self._ask(query + " WHERE camera = ?", camera)
        return next((int(count), int(size)) for count, size in rows)

    def unknown(self, camera: int) -> int:
        """Return how many names are no recordings."""
        query = "SELECT coalesce(sum(unknown), 0) FROM folder WHERE camera = ?"
        return int(self._one(query, camera))

    def flagged(self, camera: int, flags: Flag) -> int:
        """Return how many segments have one of these flags; reads all of them."""
        query = "SELECT count(*) FROM segment WHERE camera = ? AND flags & ?"
        return int(self._one(query, camera, int(flags)))

    def is_told(self, camera: int, gap: Span) -> bool:
        """Whether a gap, or a part of it, was told, or made by our own clean-up."""
        query = "SELECT 1 FROM told WHERE camera = ? AND from_ms < ? AND to_ms > ? LIMIT 1"
        return self._one(query, camera, gap.to_ms, gap.from_ms) is not None

    def intents(self, camera: int) -> list[tuple[int, int, str]]:
        """Return the keys of the segments whose deletion had begun."""
        query = "SELECT start_ms, folder, name FROM intent WHERE camera = ?"
        return list(self._ask(query, camera))


class Index(Reader):
    """The index, to be written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _naming("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as exc:
                if not _is_damage(exc):
                    raise
                self.set_aside()

    def _open(self) -> None:
        self._db = sqlite3.connect(
            self.path, isolation_level=None, timeout=5.0, check_same_thread=False
        )
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, VERSION}:
            self.set_aside()
            return
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -8000")
        if version == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")

    def set_aside(self) -> None:
        """Delete the file and begin anew: the disk tells all of it again."""
        with _naming("make anew", self.path):
            self._db.close()
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._open()

    @contextlib.contextmanager
    def change(self, *, durable: bool = False) -> Iterator[None]:
        """Make all changes within at once, or none; ``durable``: they outlive a power cut."""
        with _naming("write to", self.path):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # What follows is called within a change.

    def enter_camera(self, name: str, root: str) -> Camera:
        """Return a camera, made anew when it is new or its recordings lie elsewhere now."""
        camera = self.camera(name)
        if camera is not None and camera.root != root:
            self.forget_camera(camera.id)
            camera = None
        if camera is None:
            self._db.execute("INSERT INTO camera (name, root) VALUES (?, ?)", (name, root))
            camera = self.camera(name)
        if camera is None:
            raise RecordingsError(f"{self.path} does not keep what is written to it")
        return camera

    def forget_camera(self, camera: int) -> None:
        """Forget a camera and all that is known of its recordings."""
        for table in ("folder", "segment", "run", "day", "intent", "told"):
            self._db.execute(f"DELETE FROM {table} WHERE camera = ?", (camera,))  # noqa: S608  # constants
        self._db.execute("DELETE FROM camera WHERE id = ?", (camera,))

    def note(self, camera: int, **values: int | str | None) -> None:
        """Set columns of a camera."""
        for column, value in values.items():
            self._db.execute(f"UPDATE camera SET {column} = ? WHERE id = ?", (value, camera))  # noqa: S608  # our own keywords

    def touch(self, camera: int, from_ms: int, to_ms: int) -> None:
        """Widen what the next settling must bring in order."""
        self._db.execute(
            "UPDATE camera SET dirty_from = min(coalesce(dirty_from, ?1), ?1),"
            " dirty_to = max(coalesce(dirty_to, ?2), ?2) WHERE id = ?3",
            (from_ms, to_ms, camera),
        )

    def enter_folder(self, camera: int, path: str) -> Folder:
        """Return a folder, known or new."""
        self._db.execute(
            "INSERT OR IGNORE INTO folder (camera, path) VALUES (?, ?)", (camera, path)
        )
        query = "SELECT id, path, mtime_ns, unknown FROM folder WHERE camera = ? AND path = ?"
        return Folder(*next(self._ask(query, camera, path)))

    def looked(self, folder: int, mtime_ns: int, unknown: int) -> None:
        """Note how a folder was found."""
        self._db.execute(
            "UPDATE folder SET mtime_ns = ?, unknown = ? WHERE id = ?", (mtime_ns, unknown, folder)
        )

    def drop_folder(self, camera: int, path: str) -> None:
        """Forget a folder that is gone, with those below it and what was in them."""
        below = "SELECT id FROM folder WHERE camera = ? AND (path = ? OR path > ? AND path < ?)"
        end = chr(ord("/") + 1)
        span = "SELECT min(start_ms), max(coalesce(end_ms, start_ms)) FROM segment WHERE folder = ?"
        for (folder,) in list(self._ask(below, camera, path, f"{path}/", path + end)):
            first, last = next(self._ask(span, folder))
            if first is not None:
                self.touch(camera, first, last)
            self._db.execute("DELETE FROM segment WHERE folder = ?", (folder,))
            self._db.execute("DELETE FROM folder WHERE id = ?", (folder,))

    def add(self, camera: int, segments: Sequence[Segment]) -> None:
        """Enter segments; those that are there already stay as they are."""
        self._db.executemany(
            "INSERT OR IGNORE INTO segment (camera, start_ms, folder, name, end_ms, size, flags)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((camera, *segment) for segment in segments),
        )
        if segments:
            first = min(segment.start_ms for segment in segments)
            self.touch(camera, first, max(seg.end_ms or seg.start_ms for seg in segments))
            believed = [seg.start_ms for seg in segments if seg.start_ms > _UNSET_CLOCK_MS]
            self._db.execute(
                "UPDATE camera SET first_ms = min(coalesce(first_ms, ?1), ?1)"
                " WHERE id = ?2 AND ?1 IS NOT NULL",
                (min(believed, default=None), camera),
            )

    def remove(self, camera: int, keys: Iterable[tuple[int, int, str]]) -> None:
        """Forget segments that are gone."""
        for key in keys:
            end = self._one(f"SELECT end_ms FROM segment WHERE {_MINE}", camera, *key)  # noqa: S608  # a constant
            self._db.execute(f"DELETE FROM segment WHERE {_MINE}", (camera, *key))  # noqa: S608  # a constant
            self.touch(camera, key[0], max(key[0], end or 0))

    def measured(self, camera: int, segment: Segment) -> None:
        """Note what a segment's file told."""
        self._db.execute(
            f"UPDATE segment SET end_ms = ?, size = ?, flags = ? WHERE {_MINE}",  # noqa: S608  # a constant
            (segment.end_ms, segment.size, segment.flags, camera, *segment.key),
        )

    def replace_runs(self, camera: int, over: Span, runs: Iterable[Span]) -> None:
        """Put these stretches in the place of those that begin within a time."""
        self._db.execute(
            "DELETE FROM run WHERE camera = ? AND from_ms BETWEEN ? AND ?", (camera, *over)
        )
        self._db.executemany("INSERT INTO run VALUES (?, ?, ?)", ((camera, *run) for run in runs))

    def recount(self, camera: int, over: Span) -> None:
        """Add up anew the days that a time touches."""
        first, last = over.from_ms - over.from_ms % DAY_MS, over.to_ms - over.to_ms % DAY_MS
        self._db.execute(
            "DELETE FROM day WHERE camera = ? AND day_ms BETWEEN ? AND ?", (camera, first, last)
        )
        self._db.execute(
            f"INSERT INTO day SELECT camera, start_ms - start_ms % {DAY_MS}, count(*), sum(size)"  # noqa: S608  # a constant
            " FROM segment WHERE camera = ? AND start_ms BETWEEN ? AND ? GROUP BY 2",
            (camera, first, last + DAY_MS - 1),
        )

    def tell(self, camera: int, gap: Span) -> None:
        """Note that a gap was told, or that it is our own doing; neighbours become one."""
        near = (camera, gap.to_ms + _NEAR_MS, gap.from_ms - _NEAR_MS)
        mine = "FROM told WHERE camera = ? AND from_ms <= ? AND to_ms >= ?"
        for from_ms, to_ms in list(self._ask(f"SELECT from_ms, to_ms {mine}", *near)):
            gap = Span(min(gap.from_ms, from_ms), max(gap.to_ms, to_ms))
        self._db.execute(f"DELETE {mine}", near)
        self._db.execute("INSERT INTO told VALUES (?, ?, ?)", (camera, *gap))

    def intend(self, camera: int, keys: Iterable[tuple[int, int, str]]) -> None:
        """Note which segments are about to be deleted."""
        rows = ((camera, *key) for key in keys)
        self._db.executemany("INSERT OR IGNORE INTO intent VALUES (?, ?, ?, ?)", rows)

    def drop_intents(self, camera: int, keys: Iterable[tuple[int, int, str]]) -> None:
        """Forget intents that were carried out or dropped."""
        rows = [(camera, *key) for key in keys]
        self._db.executemany(f"DELETE FROM intent WHERE {_MINE}", rows)  # noqa: S608  # a constant
