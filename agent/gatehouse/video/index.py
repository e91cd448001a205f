"""The index of recordings: with `index_reader` the only place of the video service that speaks SQL.

One thread at a time writes; others, and other processes, read beside it by a `Reader` of their own.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from gatehouse.errors import RecordingsError
from gatehouse.video.index_reader import Reader, is_damage, naming
from gatehouse.video.index_schema import SCHEMA, VERSION, Camera, Folder, Segment
from gatehouse.video.retention import DAY_MS, Span

_NEAR_MS: Final = 60_000
_UNSET_CLOCK_MS: Final = 1_704_067_200_000
"""2024, before there was a Gatehouse: a recording of an earlier year tells of an unset clock."""
_MINE: Final = "camera = ? AND start_ms = ? AND folder = ? AND name = ?"


class Index(Reader):
    """The index, to be written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with naming("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open()
            except sqlite3.DatabaseError as exc:
                if not is_damage(exc):
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
            self._db.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")

    def set_aside(self) -> None:
        """Delete the file and begin anew: the disk tells all of it again."""
        with naming("make anew", self.path):
            self._db.close()
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._open()

    @contextlib.contextmanager
    def change(self, *, durable: bool = False) -> Iterator[None]:
        """Make all changes within at once, or none; ``durable``: they outlive a power cut."""
        with naming("write to", self.path):
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
