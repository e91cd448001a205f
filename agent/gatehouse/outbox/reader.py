"""Reads the outbox's file beside the thread that writes, for as long as one question takes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gatehouse.outbox.model import LogEntry
from gatehouse.outbox.sqlite import checked, connect_reader, told


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

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
