"""What was signed, revoked and promised: one SQLite file, shared by the commands and the receiver.

What must hold: a certificate is in here, on disk, before anybody gets it, so that whatever is out
there can be revoked; a code or a number is used up in the same transaction that signs by it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse_district.ca.profiles import Kind
from gatehouse_district.errors import AuthorityError

_WAIT_S: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS certificate (
  serial TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, begins INTEGER NOT NULL,
  ends INTEGER NOT NULL, signed INTEGER NOT NULL, revoked INTEGER, reason TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS certificate_name ON certificate (name);
CREATE TABLE IF NOT EXISTS code (
  gateway TEXT PRIMARY KEY, salt BLOB NOT NULL, digest BLOB NOT NULL, ends INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS nonce (nonce BLOB PRIMARY KEY, forget INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS list (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER) STRICT;
INSERT OR IGNORE INTO list VALUES (1, 0);
"""
_COLUMNS: Final = "serial, kind, name, begins, ends, signed, revoked, reason"


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate that was signed; times are seconds since 1970."""

    serial: int
    kind: Kind
    name: str
    begins_s: int
    ends_s: int
    signed_s: int
    revoked_s: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a one-time code: never the code."""

    salt: bytes
    digest: bytes
    ends_s: int


class Register:
    """One transaction at a time; each method opens the file, as commands come and go."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def change(self) -> Iterator["Change"]:
        """Open a transaction that alone may write; committed at its end. Raises AuthorityError."""
        try:
            connection = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
            try:
                connection.executescript("PRAGMA synchronous = FULL;")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Change(connection)
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite3.Error as exc:
            raise AuthorityError(f"the register {self._path} cannot be used: {exc}") from exc

    def prepare(self) -> None:
        """Make the tables of a new authority. Raises AuthorityError."""
        try:
            connection = sqlite3.connect(self._path, timeout=_WAIT_S)
            try:
                connection.executescript(_SCHEMA)
            finally:
                connection.close()
        except sqlite3.Error as exc:
            raise AuthorityError(f"the register {self._path} cannot be made: {exc}") from exc
        self._path.chmod(0o600)


class Change:
    """What one transaction may see and do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, entry: Entry) -> None:
        """Write down a certificate that is about to be signed."""
        self._connection.execute(
            f"INSERT INTO certificate ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)",  # noqa: S608  # a constant
            (
                format(entry.serial, "x"),
                entry.kind,
                entry.name,
                entry.begins_s,
                entry.ends_s,
                entry.signed_s,
            ),
        )

    def entries(self) -> list[Entry]:
        """Return everything that was ever signed, the newest last."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM certificate ORDER BY signed, rowid"  # noqa: S608  # a constant
        )
        return [_entry(row) for row in rows]

    def entry(self, serial: int) -> Entry | None:
        """Return one certificate."""
        query = f"SELECT {_COLUMNS} FROM certificate WHERE serial = ?"  # noqa: S608  # a constant
        row = self._connection.execute(query, (format(serial, "x"),)).fetchone()
        return None if row is None else _entry(row)

    def revoke(self, serial: int, at_s: int, reason: str) -> None:
        """Write down that one is not to be trusted any more."""
        self._connection.execute(
            "UPDATE certificate SET revoked = ?, reason = ? WHERE serial = ? AND revoked IS NULL",
            (at_s, reason, format(serial, "x")),
        )

    def next_list(self) -> int:
        """Return the number of the next list of revocations."""
        self._connection.execute("UPDATE list SET number = number + 1")
        (number,) = self._connection.execute("SELECT number FROM list").fetchone()
        return int(number)

    def keep_code(self, gateway: str, kept: Kept) -> None:
        """Keep what a gateway's one code is known by; an earlier one is void."""
        self._connection.execute(
            "INSERT OR REPLACE INTO code VALUES (?, ?, ?, ?)",
            (gateway, kept.salt, kept.digest, kept.ends_s),
        )

    def code(self, gateway: str) -> Kept | None:
        """Return what the code of a gateway is known by."""
        query = "SELECT salt, digest, ends FROM code WHERE gateway = ?"
        row = self._connection.execute(query, (gateway,)).fetchone()
        return None if row is None else Kept(*row)

    def forget_code(self, gateway: str) -> None:
        """Use up, or take back, the code of a gateway."""
        self._connection.execute("DELETE FROM code WHERE gateway = ?", (gateway,))

    def use_nonce(self, nonce: bytes, now_s: int, forget_s: int) -> bool:
        """Write down a number used once; False when it was used before."""
        self._connection.execute("DELETE FROM nonce WHERE forget < ?", (now_s,))
        done = self._connection.execute(
            "INSERT OR IGNORE INTO nonce VALUES (?, ?)", (nonce, forget_s)
        )
        return done.rowcount == 1


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(int(row[0], 16), Kind(row[1]), *row[2:])
