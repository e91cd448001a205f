"""Reading the index of recordings, beside whoever writes it."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import RecordingsError
from gatehouse.video.index_schema import Camera, Flag, Folder, Segment
from gatehouse.video.retention import Span


@contextlib.contextmanager
def naming(doing: str, path: Path) -> Iterator[None]:
    """Say what was tried, on what, and why it failed, in Gatehouse's own errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        if isinstance(exc, RecordingsError):
            raise
        raise RecordingsError(f"cannot {doing} {path}: {exc}") from exc


def damaged(error: RecordingsError) -> bool:
    """Whether an error tells that the file itself is damaged: only `Index.set_aside` helps."""
    return isinstance(error.__cause__, sqlite3.DatabaseError) and is_damage(error.__cause__)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether SQLite says that the file is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # errors of the module itself have none
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


_SEGMENT: Final = "start_ms, folder, name, end_ms, size, flags"


class Reader:
    """Reads the index, beside its writer. Raises RecordingsError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with naming("read", path):
            self._db = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, timeout=5.0, isolation_level=None
            )

    def close(self) -> None:
        """Let go of the file."""
        with naming("close", self.path):
            self._db.close()

    @contextlib.contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Let several questions see the same state, whatever is written meanwhile."""
        with naming("read", self.path):
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def _ask(self, query: str, *values: object) -> Iterator[Any]:
        with naming("read", self.path):
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
        with naming("read", self.path):
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
