"""The only file with sqlite3: how a file is opened, its schema, its errors in our own words."""

import contextlib
import errno
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse.errors import OutboxError

VERSION: Final = 1
PAGE: Final = 4096

_MAGIC: Final = b"SQLite format 3\0"
_HEAD: Final = 100
_VERSION_AT: Final = 60
"""Where SQLite keeps ``user_version`` in the file's head (file format, section 1.3)."""

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
"""SQLITE_ERROR is a table or column that is not there: our own SQL is known to be right."""
_DISK: Final = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    store TEXT NOT NULL,
    start INTEGER NOT NULL,
    count INTEGER NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    importance INTEGER NOT NULL,
    stored_unix REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    done_unix REAL,
    dropped INTEGER NOT NULL DEFAULT 0,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL,
    received_s REAL,
    acknowledged_s REAL,
    acknowledged_by TEXT
);
CREATE INDEX waiting ON events (n) WHERE done_unix IS NULL AND dropped = 0;
CREATE TABLE alarms (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    button TEXT NOT NULL,
    mode TEXT NOT NULL,
    raised_unix REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL DEFAULT 0,
    acknowledged TEXT,
    released INTEGER NOT NULL DEFAULT 0,
    reset INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE faults (
    subject TEXT NOT NULL, fault TEXT NOT NULL, family TEXT NOT NULL,
    since TEXT, data TEXT NOT NULL, PRIMARY KEY (subject, fault)
) WITHOUT ROWID;
CREATE TABLE commands (id TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE reserve (body BLOB NOT NULL);
"""

ANSWERED: Final = {"received_s": "REAL", "acknowledged_s": "REAL", "acknowledged_by": "TEXT"}
"""Columns of ``events`` that a file of the first release lacks.

They are the last and may be null, so that a file with them and one without are read by either
release: the version stays, and going back to the older one sets nothing aside.
"""

Connection = sqlite3.Connection


class DamagedError(OutboxError):
    """The file is not a sound database."""


class FullError(OutboxError):
    """There is no room for it."""


class RefusedError(OutboxError):
    """What was asked cannot be kept, and never will be: the disk is not to blame."""


@contextlib.contextmanager
def told(doing: str, path: Path, odd: type[OutboxError] = DamagedError) -> Iterator[None]:
    """Say what was tried, on what, and why it failed, in Gatehouse's own errors.

    ``odd`` is what a value means that SQLite or Python cannot take: damage when reading.
    """
    try:
        yield
    except OutboxError:
        raise
    except (sqlite3.Error, OSError, ValueError, TypeError, ArithmeticError) as exc:
        raise _kind(exc, odd)(f"cannot {doing} {path}: {exc}") from exc


def _kind(exc: Exception, odd: type[OutboxError]) -> type[OutboxError]:
    if isinstance(exc, OSError):
        return FullError if exc.errno in _NO_ROOM else OutboxError
    if isinstance(exc, sqlite3.ProgrammingError) and odd is DamagedError:
        return OutboxError  # our own mistake, not the file's
    code = getattr(exc, "sqlite_errorcode", None)
    if code is None:
        return odd
    code &= 0xFF
    if code in _DAMAGED:
        return DamagedError
    if code == sqlite3.SQLITE_FULL:
        return FullError
    return OutboxError if code in _DISK else odd


def checked(body: object, crc: object) -> bytes:
    """Return a body that is as it was stored. SQLite sees damage to its own structure alone."""
    if not isinstance(body, bytes) or zlib.crc32(body) != crc:
        raise DamagedError("an event is not what was stored")
    return body


def version_in_head(path: Path) -> int | None:
    """Read a file's ``user_version`` without SQLite touching it; None when it is no database."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return 0
    except IsADirectoryError:
        return None
    if not head:
        return 0
    if len(head) < _HEAD or not head.startswith(_MAGIC):
        return None
    return int(struct.unpack_from(">I", head, _VERSION_AT)[0])


def connect(path: Path) -> Connection:
    """Open a file for its one writer; each statement is its own transaction unless one is begun.

    The VFS ``unix-excl`` keeps the WAL's index in this process's memory. In a file of its own
    SQLite gives its room back at each opening, so that on a full disk somebody else may have it
    and the outbox could not be opened; and a card that fails under that mapping is a SIGBUS.
    Other processes are refused the file meanwhile.
    """
    db = sqlite3.connect(_uri(path), uri=True, isolation_level=None, timeout=1.0)
    db.execute(f"PRAGMA page_size = {PAGE}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = OFF")  # Debian's default writes zeros over what is freed
    return db


def connect_reader(path: Path) -> Connection:
    """Open the file to read from it beside its writer, in the same process."""
    return sqlite3.connect(f"{_uri(path)}&mode=ro", uri=True, timeout=1.0)


def connect_wreck(path: Path) -> Connection:
    """Open a file that nobody writes to; nothing of it is changed, also when it is closed."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)


def _uri(path: Path) -> str:
    return f"{path.absolute().as_uri()}?vfs=unix-excl"


def lacking(db: Connection) -> tuple[str, ...]:
    """Return the columns of ANSWERED that this file does not have."""
    there = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('events')")}
    return tuple(name for name in ANSWERED if name not in there)


def answered_columns(db: Connection) -> str:
    """Return what to select for them, whether the file has them or not."""
    absent = lacking(db)
    return ", ".join(f"NULL AS {name}" if name in absent else name for name in ANSWERED)


def add_columns(db: Connection) -> None:
    """Add what is lacking, inside a transaction: no row is written."""
    for name in lacking(db):
        db.execute(f"ALTER TABLE events ADD COLUMN {name} {ANSWERED[name]}")


def create(db: Connection) -> None:
    """Make the tables, durably, and bring them into the file itself."""
    db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    db.execute("PRAGMA wal_checkpoint(PASSIVE)")
