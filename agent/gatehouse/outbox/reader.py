"""Reads the outbox's file beside the thread that writes, for as long as one question takes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import OutboxError
from gatehouse.outbox import sqlite
from gatehouse.outbox.model import LogEntry, PastEvent
from gatehouse.outbox.room import SLICES
from gatehouse.outbox.sqlite import Connection, DamagedError, checked, connect_reader, told

_ALL: Final = 1 << 62
"""Before this row are all rows."""
_STEP: Final = 1000
"""Rows of one step: some ms, as the file has no index by type."""
_SHORT_STEP: Final = 250
"""Rows of one step of which all may be wanted: a press waits for what Python does with them."""
_EXAMINE_S: Final = 1.5
"""Shorter than a question may take: what is not looked at by then is left out."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """How many slices of the room for alarms are held, of how many."""

    slices: int
    of: int


class Reader:
    """One look into the file; used by one thread. Raises OutboxError."""

    def __init__(self, path: Path, connect: Callable[[Path], Connection] = connect_reader) -> None:
        self._path = path
        with told("read", path):
            self._db = connect(path)

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

    def examine(self) -> Reserve:
        """Look through all of the file, as far as a second and a half goes. Raises DamagedError."""
        end = time.monotonic() + _EXAMINE_S
        with told("check", self._path):
            held = self._db.execute("SELECT count(*) FROM reserve").fetchone()[0]
            self._db.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            try:
                found = self._quick_check()
            finally:
                self._db.set_progress_handler(None, 0)
        if found != "ok":
            raise DamagedError(f"{self._path} is damaged: {found}")
        return Reserve(int(held), SLICES)

    def _quick_check(self) -> str:
        try:
            with told("check", self._path):
                return str(self._db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except DamagedError:
            raise
        except OutboxError:
            return "ok"  # nothing found within the time

    def history(self, types: Sequence[str], after: int) -> tuple[list[PastEvent], int | None]:
        """Return the events of these types among the next so many rows, the oldest first.

        Besides the row after which the next step begins; None when there are no more. The first
        step begins after row 0.
        """
        with told("read", self._path):
            last = self._db.execute(
                "SELECT max(n) FROM (SELECT n FROM events WHERE n > ? ORDER BY n LIMIT ?)",
                (after, _SHORT_STEP),
            ).fetchone()[0]
            if last is None:
                return [], None
            marks = ",".join("?" * len(types))
            query = (
                "SELECT body, crc, done_unix IS NULL AND dropped = 0,"  # noqa: S608  # names and marks
                f" {sqlite.answered_columns(self._db)} FROM events"
                f" WHERE n > ? AND n <= ? AND type IN ({marks}) ORDER BY n"
            )
            rows = self._db.execute(query, (after, last, *types))
            return [
                PastEvent(checked(body, crc), bool(waits), *answered)
                for body, crc, waits, *answered in rows
            ], int(last)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
