"""The desk's one file: accounts, sessions and who did what. The only file here with sqlite3.

What must hold: a change of an account and its line in the journal are one transaction; a session
never outlives its account. The command line works on the same file while the desk runs, hence
nothing is kept in memory of what it says.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from gatehouse.threads import off_loop
from gatehouse_district.errors import DistrictStoreError

T = TypeVar("T")
Connection = sqlite3.Connection

NAME: Final = "desk.db"
_VERSION: Final = 1
_BUSY_S: Final = 5.0
"""How long one process waits for another's transaction, in s."""
_TIMEOUT_S: Final = 15.0
"""A disk that takes longer is dead, in s."""
_AT_ONCE: Final = 2
"""Threads that wait for the file: a hundred browsers at a slow disk must not take the threads that
the receiver needs. One works; the next one is ready."""
_SCHEMA: Final = """
CREATE TABLE account (
  name TEXT PRIMARY KEY, display TEXT NOT NULL, role TEXT NOT NULL, password TEXT NOT NULL,
  created_s INTEGER NOT NULL
) STRICT;
CREATE TABLE session (
  token BLOB PRIMARY KEY,
  account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
  csrf TEXT NOT NULL, address TEXT NOT NULL, created_s INTEGER NOT NULL, used_s INTEGER NOT NULL
) STRICT;
CREATE TABLE journal (
  position INTEGER PRIMARY KEY AUTOINCREMENT, at_s INTEGER NOT NULL, who TEXT NOT NULL,
  address TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX journal_signed_in ON journal (action, who, address);
"""


class Storage:
    """One connection, one transaction at a time, never in the event loop's own thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, readable by its owner alone. Raises DistrictStoreError."""
        self._path = path
        self._lock = threading.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        try:
            _make(path)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (sqlite3.Error, OSError) as exc:
            raise DistrictStoreError(f"cannot open {path}: {exc}") from exc

    def _prepare(self) -> None:
        db = self._connection
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > _VERSION:
            raise DistrictStoreError(f"{self._path} is of a newer version of Gatehouse ({version})")
        if version == 0:
            # executescript commits by itself: two that make the file at once must not both win
            statements = "".join((_SCHEMA, f"PRAGMA user_version = {_VERSION};"))
            db.executescript(f"BEGIN IMMEDIATE; {statements} COMMIT;")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in one transaction: all of it is on disk when this returns, or none.

        Raises what it raises, and DistrictStoreError when the disk or the file fails.
        """
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._places.acquire()
            try:
                return await off_loop(lambda: self._do(work), name="desk-db", timeout_s=_TIMEOUT_S)
            finally:
                self._places.release()
        except (sqlite3.Error, OSError) as exc:  # TimeoutError is an OSError
            raise DistrictStoreError(f"cannot use {self._path}: {str(exc) or 'it hangs'}") from exc

    def _do(self, work: Callable[[Connection], T]) -> T:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._connection)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            return result

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _make(path: Path) -> None:
    """Make the file for its owner alone; made by root, it belongs to whom its folder belongs.

    SQLite itself gives the files beside it to the same owner.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW  # root follows no link that another has laid
    try:
        handle = os.open(path, flags, 0o600)
    except FileExistsError:
        if path.exists():
            return
        raise  # a link to nothing
    try:
        if os.geteuid() == 0:
            folder = path.parent.stat()
            os.fchown(handle, folder.st_uid, folder.st_gid)
    finally:
        os.close(handle)
