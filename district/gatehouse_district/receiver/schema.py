"""The district's database: what stands in it, and what must hold.

What must hold, after every commit and so after any crash:

1. A receipt was sent only for an event whose row in ``event`` is committed (``synchronous=FULL``).
2. A row of ``event`` is never changed in its ``body``, and never written over: the same id with
   another body, or another event under the same number, is counted in ``refusal`` (``conflict``).
3. Every other table that is told from events (``alarm``, ``ending``, ``button``, ``boot``,
   ``fault``, ``seen``, ``promised``, the columns of ``gateway``) is written in the transaction that
   stores the event; so none of them knows more or less than ``event``.
4. An answer of a person is in ``answer`` before its command is said, with the id it is said under.

A commit, by the one thread that writes (``store.py``): take what waits, at most 500; BEGIN
IMMEDIATE; each in order of arrival; the numbers (``numbers.py``); COMMIT (one fsync); only then
receipts, PUBACKs and news. If the disk does not take it: ROLLBACK, nothing is said, the connection
is broken off so that the broker sends all of it again. If one message cannot be stored: ROLLBACK,
and each by itself; that one is refused.

Nobody deletes from ``event``. ``refused`` keeps the last 1000, ``picture`` a number of bytes.
"""

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse import files
from gatehouse_district.errors import DistrictStoreError

VERSION: Final = 1
BUSY_S: Final = 10.0

_SCHEMA: Final = """
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    gateway TEXT NOT NULL,
    topic TEXT NOT NULL,
    type TEXT NOT NULL,
    bootid TEXT NOT NULL,
    time TEXT NOT NULL,                -- put right by clock.corrected
    clock TEXT NOT NULL,               -- synced, unsynced, corrected
    body BLOB NOT NULL,                -- as it came
    odd TEXT NOT NULL,
    arrived_ns INTEGER NOT NULL,       -- CLOCK_MONOTONIC of the first arrival
    arrived_unix_ns INTEGER NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX event_of_gateway ON event (gateway, type);
CREATE INDEX event_of_all_gateway ON event (gateway);
CREATE INDEX event_of_type ON event (type);
CREATE INDEX event_unsynced ON event (gateway, bootid) WHERE clock = 'unsynced';

CREATE TABLE alarm (
    position INTEGER PRIMARY KEY,      -- of its event
    id TEXT NOT NULL UNIQUE,
    gateway TEXT NOT NULL,
    button TEXT NOT NULL,
    store TEXT NOT NULL,
    sequence TEXT NOT NULL,
    bootid TEXT NOT NULL,
    location TEXT NOT NULL,
    mode TEXT NOT NULL,
    time TEXT NOT NULL,
    clock TEXT NOT NULL,
    arrived TEXT NOT NULL,
    presses INTEGER NOT NULL,
    held_at_start INTEGER NOT NULL,
    odd TEXT NOT NULL,
    stage INTEGER NOT NULL DEFAULT 0,  -- 0 received, 1 answering, 2 acknowledged, 3 reset
    acknowledged_by TEXT NOT NULL DEFAULT '',
    acknowledged TEXT,
    refused TEXT NOT NULL DEFAULT '',  -- why the gateway refused the newest answer
    released TEXT,
    reset_by TEXT NOT NULL DEFAULT '',
    reset_reason TEXT NOT NULL DEFAULT '',
    reset TEXT,
    evidence INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX alarm_open ON alarm (position) WHERE stage < 3 AND mode = 'real';
CREATE INDEX alarm_of_button ON alarm (gateway, button) WHERE stage < 3;
CREATE INDEX alarm_unsynced ON alarm (gateway, bootid) WHERE clock = 'unsynced';

CREATE TABLE ending (                  -- alarms that were reset before they came
    gateway TEXT NOT NULL, alarm TEXT NOT NULL,
    by TEXT NOT NULL, reason TEXT NOT NULL, time TEXT NOT NULL,
    PRIMARY KEY (gateway, alarm)
) STRICT, WITHOUT ROWID;
CREATE TABLE button (                  -- newest reset that names no alarms, and newest answer
    gateway TEXT NOT NULL, button TEXT NOT NULL, what TEXT NOT NULL,
    store TEXT NOT NULL, sequence TEXT NOT NULL, mode TEXT NOT NULL,
    by TEXT NOT NULL, reason TEXT NOT NULL, time TEXT NOT NULL,
    PRIMARY KEY (gateway, button, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE boot (                    -- when a boot's CLOCK_BOOTTIME was 0, once its clock was set
    gateway TEXT NOT NULL, bootid TEXT NOT NULL, zero_unix_ns INTEGER NOT NULL,
    PRIMARY KEY (gateway, bootid)
) STRICT, WITHOUT ROWID;

CREATE TABLE gateway (
    id TEXT PRIMARY KEY,
    school TEXT NOT NULL DEFAULT '',
    presence TEXT NOT NULL DEFAULT 'unknown',
    since TEXT,
    heard TEXT,
    store TEXT NOT NULL DEFAULT '',    -- of its newest birth, or its end
    start INTEGER NOT NULL DEFAULT -1,
    connection INTEGER NOT NULL DEFAULT -1,
    stopped TEXT NOT NULL DEFAULT '',  -- store/start of the newest gateway.stopped
    heartbeat_s REAL NOT NULL DEFAULT 20,
    version TEXT NOT NULL DEFAULT '',
    clock TEXT NOT NULL DEFAULT '',
    buttons TEXT NOT NULL DEFAULT '[]',
    cameras TEXT NOT NULL DEFAULT '[]',
    locations TEXT NOT NULL DEFAULT '{}',
    retention TEXT NOT NULL DEFAULT '[]',
    walktest TEXT,
    selftest TEXT,
    lacking INTEGER NOT NULL DEFAULT 0,
    lacks TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE TABLE fault (                   -- ended ones stay, for the number of their end
    gateway TEXT NOT NULL, subject TEXT NOT NULL, fault TEXT NOT NULL,
    stands INTEGER NOT NULL, since TEXT, data TEXT NOT NULL,
    store TEXT NOT NULL, sequence TEXT NOT NULL,
    PRIMARY KEY (gateway, subject, fault)
) STRICT, WITHOUT ROWID;
CREATE TABLE seen (                    -- stretches of numbers that came
    gateway TEXT NOT NULL, store TEXT NOT NULL, start INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (gateway, store, start, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE promised (                -- up to where a start is durable, by the one after it
    gateway TEXT NOT NULL, store TEXT NOT NULL, start INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (gateway, store, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE picture (
    age INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL, alarm TEXT NOT NULL, number INTEGER NOT NULL,
    arrived TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (alarm, number)
) STRICT;
CREATE INDEX picture_size ON picture (size);
CREATE TABLE naming (                  -- what evidence.ready says of an alarm's pictures
    gateway TEXT NOT NULL, alarm TEXT NOT NULL, number INTEGER NOT NULL,
    camera TEXT NOT NULL, taken TEXT NOT NULL,
    PRIMARY KEY (gateway, alarm, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,           -- of the command as it is said now
    gateway TEXT NOT NULL, alarm TEXT NOT NULL, command TEXT NOT NULL, by TEXT NOT NULL,
    asked TEXT NOT NULL, expires_unix_s REAL NOT NULL,
    state TEXT NOT NULL,               -- waiting, done, failed
    reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX answer_waiting ON answer (number) WHERE state = 'waiting';

CREATE TABLE refusal (reason TEXT PRIMARY KEY, count INTEGER NOT NULL, newest TEXT NOT NULL) STRICT;
CREATE TABLE refused (
    number INTEGER PRIMARY KEY,
    arrived TEXT NOT NULL, reason TEXT NOT NULL, why TEXT NOT NULL, topic TEXT NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL  -- its first 4096 bytes
) STRICT;
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the file, make it if there is none. Raises DistrictStoreError; nothing is deleted."""
    try:
        _make_folder(path.parent)
        db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # a receipt says: also after a power cut
            _make(db, path)
        except BaseException:
            db.close()
            raise
    except (sqlite3.Error, OSError) as exc:
        if isinstance(exc, DistrictStoreError):
            raise
        raise DistrictStoreError(
            f"{path} cannot be opened as the district's database: {exc}; "
            "put a copy back or move it away, nothing in it was changed"
        ) from exc
    return db


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file ``<path>.lock``, so that no other receiver writes. Raises DistrictStoreError.

    The kernel lets go of it when the process ends, however it ends.
    """
    with contextlib.ExitStack() as stack:
        try:
            _make_folder(path.parent)
            beside = path.with_name(f"{path.name}.lock")
            lock = stack.enter_context(beside.open("a", encoding="ascii"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise DistrictStoreError(
                f"another receiver writes to {path}; stop it, or give this one its own database"
            ) from exc
        except OSError as exc:
            raise DistrictStoreError(f"{path} cannot be written: {exc}") from exc
        yield


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the file to look at it only. Raises DistrictStoreError."""
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=BUSY_S,
            check_same_thread=False,
        )
        try:
            _judge_version(db, path)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as exc:
        raise DistrictStoreError(f"the district's database {path} cannot be read: {exc}") from exc
    return db


def _make_folder(folder: Path) -> None:
    """Make a folder that is there after a power cut too, with the file in it. Raises OSError."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        files.sync(folder.parent)


def _make(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables in one step, unless they are there."""
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db) == 0 and not db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        else:
            _judge_version(db, path)
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _judge_version(db: sqlite3.Connection, path: Path) -> None:
    version = _version(db)
    if version > VERSION:
        raise DistrictStoreError(
            f"{path} was written by a newer gatehouse-district (its version {version}, this one "
            f"knows {VERSION}): install that one again; nothing was changed"
        )
    if version < VERSION:
        raise DistrictStoreError(f"{path} is another program's database, not a district's")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
