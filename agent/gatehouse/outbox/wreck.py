"""Reads what can still be read of a damaged file; changes nothing of it."""

import contextlib
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse.errors import OutboxError
from gatehouse.outbox import sqlite
from gatehouse.outbox.orders import Answered
from gatehouse.outbox.sqlite import PAGE, Connection, DamagedError, checked, told

_MOST_ROWS_A_PAGE: Final = 64
_ROW: Final = (
    "SELECT n, body, crc, sent, done_unix IS NULL AND dropped = 0, stored_unix, {answered}"
    " FROM events "
)
_SIZE: Final = struct.Struct(">I")
_CHANGES_AT, _PAGES_AT, _FREE_AT, _VALID_AT = 24, 28, 32, 92
"""Where a file's head counts changes and pages, has its freed pages, and says for which count of
changes that number of pages is valid (file format, section 1.3)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event that could be read."""

    n: int
    body: bytes
    sent: bool
    pending: bool
    stored_unix: float
    answered: Answered


class Wreck:
    """A damaged file, open to read. Raises OutboxError when nothing can be read."""

    def __init__(self, path: Path, spare: Path) -> None:
        self._spare = spare
        self._pages = path.stat().st_size // PAGE if path.is_file() else 0
        self._db = _readable(path)
        self._answered: str | None = None
        if not self._known() and self._pages > 1:
            self._db.close()
            _graft(path, spare)
            self._db = _readable(spare)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        remove(self._spare)

    def rows(self) -> Iterator[Row]:
        """Yield every event that can be read, in order.

        A damaged page ends a query. Behind it each row is asked for alone until one answers.
        """
        after, last = 0, self._newest()
        while after < last:
            try:
                for row in self._ask("NOT INDEXED WHERE n > ? ORDER BY n", after):
                    after = row.n
                    yield row
            except OutboxError:
                found = self._next_readable(after, last)
                if found is None:
                    return
                after = found.n
                yield found
            else:
                return

    def acknowledged(self) -> dict[str, str]:
        """Return who answered which alarm, as far as it can be read."""
        found: dict[str, str] = {}
        query = "SELECT id, acknowledged FROM alarms WHERE acknowledged IS NOT NULL"
        with contextlib.suppress(OutboxError), told("read", self._spare):
            for id_, by in self._db.execute(query):
                found[str(id_)] = str(by)
        return found

    def commands(self) -> dict[str, float]:
        """Return the commands that were seen, as far as they can be read."""
        found: dict[str, float] = {}
        with contextlib.suppress(OutboxError), told("read", self._spare):
            for id_, expires in self._db.execute("SELECT id, expires FROM commands"):
                found[str(id_)] = float(expires)
        return found

    def events(self) -> int | None:
        """Return how many events the file held; None if even that is lost."""
        return self._first_answer(
            "SELECT count(*) FROM events NOT INDEXED",
            "SELECT count(*) FROM events INDEXED BY sqlite_autoindex_events_1 WHERE id >= ''",
        )

    def _newest(self) -> int:
        newest = self._first_answer(
            "SELECT max(n) FROM events NOT INDEXED",
            "SELECT max(n) FROM events INDEXED BY sqlite_autoindex_events_1 WHERE id >= ''",
        )
        return self._pages * _MOST_ROWS_A_PAGE if newest is None else newest

    def _known(self) -> bool:
        return self._first_answer("SELECT count(*) FROM sqlite_master WHERE name = 'events'") == 1

    def _first_answer(self, *queries: str) -> int | None:
        for query in queries:
            with contextlib.suppress(OutboxError), told("read", self._spare):
                return int(self._db.execute(query).fetchone()[0] or 0)
        return None

    def _next_readable(self, after: int, last: int) -> Row | None:
        for n in range(after + 1, last + 1):
            with contextlib.suppress(OutboxError):
                for row in self._ask("WHERE n = ?", n):
                    return row
        return None

    def _ask(self, which: str, value: int) -> Iterator[Row]:
        with told("read", self._spare):
            if self._answered is None:
                self._answered = sqlite.answered_columns(self._db)
            query = _ROW.format(answered=self._answered) + which
            for n, body, crc, sent, waits, unix, *answered in self._db.execute(query, (value,)):
                checked(body, crc)
                yield Row(int(n), body, bool(sent), bool(waits), float(unix), Answered(*answered))


def _readable(path: Path) -> Connection:
    if not path.is_file():
        raise DamagedError(f"{path} is no file")
    with told("read", path):
        return sqlite.connect_wreck(path)


def _graft(path: Path, spare: Path) -> None:
    """Copy the file and give the copy a sound first page: it is the same in every outbox.

    It holds the schema, and tells where each table begins; only the number of pages is its own.
    """
    with told("read", path):
        remove(spare)
        db = sqlite.connect(spare)
        sqlite.create(db)
        db.close()
        with spare.open("rb") as file:
            page = bytearray(file.read(PAGE))
        shutil.copyfile(path, spare)
        _SIZE.pack_into(page, _PAGES_AT, path.stat().st_size // PAGE)
        page[_FREE_AT : _FREE_AT + 8] = bytes(8)
        page[_VALID_AT : _VALID_AT + 4] = page[_CHANGES_AT : _CHANGES_AT + 4]
        with spare.open("r+b") as file:
            file.write(page)


def remove(path: Path) -> None:
    """Remove a file of SQLite's with all that belongs to it. Raises OSError."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
