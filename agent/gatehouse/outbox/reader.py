"""Reads the outbox's file beside the thread that writes, for as long as one question takes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from gatehouse.outbox.model import LogEntry
from gatehouse.outbox.sqlite import checked, connect_reader, told

_ALL: Final = 1 << 62
"""Before this row are all rows."""
_STEP: Final = 1000
"""Rows of one step: some ms, as the file has no index by type."""


class Reader:
    """One look into the file; used by one thread. Raises OutboxError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with told("read", path):
            self._db = connect_reader(path)

    def bodies(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the exact JSON of these events, as far as they are there."""
        with told("read", self._path):
            wanted = list(ids)
            marks = ",".join("?" * len(wanted))
            query = f"SELECT id, body, crc FROM events WHERE id IN ({marks})"  # noqa: S608  # only marks
            found = self._db.execute(query, wanted)
            return {id_: checked(body, crc) for id_, body, crc in found}

    def log(self, limit: int, *, pending_only: bool) -> list[LogEntry]:
        """Return the newest events, the newest last."""
        with told("read", self._path):
            where = "WHERE done_unix IS NULL AND dropped = 0" if pending_only else ""
            rows: list[Any] = self._db.execute(
                f"SELECT body, crc, done_unix IS NULL AND dropped = 0 FROM events {where}"  # noqa: S608  # constants
                " ORDER BY n DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [
                LogEntry(checked(body, crc), bool(waits)) for body, crc, waits in reversed(rows)
            ]

    def of_types(self, types: Sequence[str], before: int | None) -> tuple[list[bytes], int | None]:
        """Return the JSON of the events of these types among so many rows, the newest first.

        Besides the row before which the next step begins; None when there are no more. The first
        step begins at the newest, ``before`` is None.
        """
        before = _ALL if before is None else before
        with told("read", self._path):
            last = self._db.execute(
                "SELECT min(n) FROM (SELECT n FROM events WHERE n < ? ORDER BY n DESC LIMIT ?)",
                (before, _STEP),
            ).fetchone()[0]
            if last is None:
                return [], None
            marks = ",".join("?" * len(types))
            query = (
                f"SELECT body, crc FROM events WHERE n >= ? AND n < ? AND type IN ({marks})"  # noqa: S608  # only marks
                " ORDER BY n DESC"
            )
            rows = self._db.execute(query, (last, before, *types))
            return [checked(body, crc) for body, crc in rows], int(last)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
