"""Room in the file, so that alarms can be committed when the disk has none left.

What must hold:

* the file is physically as long as SQLite believes (``max_page_count`` keeps it to that): a
  checkpoint never needs room, so the WAL can always be used again from its head;
* ``reserve`` holds SLICES rows of SLICE bytes. Alarms, and what is noted of events that are there
  already, may turn slices into freed pages; other events never do, and while slices are missing
  they bring the pages that they need along;
* the WAL is as long as WAL_BYTES, and is brought into the file long before its end.

Who fills the disk cannot take any of it: it is part of the two files (design section 3).
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from gatehouse.outbox.sqlite import PAGE, Connection, FullError, told

SLICE: Final = 64 * (PAGE - 4)
SLICES: Final = 96
"""24 MB: 10,000 alarms of 1.6 kB, of which two fit a page, with their index entries."""
WAL_BYTES: Final = 16 * 1024 * 1024
STOCK: Final = 128
"""Freed pages that are kept ready besides, so that few commits wait for the file to grow."""
_OVERHEAD: Final = 6
"""Pages that the row of a slice may need itself: its leaf and what splits above it."""
_SLICE_PAGES: Final = SLICE // (PAGE - 4) + _OVERHEAD
_CHUNK: Final = bytes(64 * PAGE)
_CHECKPOINT_PAGES: Final = 1000


class Room:
    """Holds room in one open file and its WAL; belongs to the thread that writes."""

    def __init__(self, db: Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        # Kept open beside SQLite's own: closing it would drop SQLite's locks (POSIX).
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        with contextlib.suppress(OSError):  # what cannot be had now is asked for when it is needed
            self._lengthen(self.pages)
        db.execute(f"PRAGMA max_page_count = {self.pages}")

    def close(self) -> None:
        """Let go of the file, after SQLite has."""
        os.close(self._fd)

    @property
    def pages(self) -> int:
        """How many pages the file has."""
        return self._pragma("page_count")

    @property
    def free(self) -> int:
        """How many of them are freed."""
        return self._pragma("freelist_count")

    @property
    def slices(self) -> int:
        """How many slices of the reserve are held."""
        return int(self._db.execute("SELECT count(*) FROM reserve").fetchone()[0])

    @property
    def used_bytes(self) -> int:
        """How much of the file is neither freed nor reserve."""
        return (self.pages - self.free) * PAGE - self.slices * SLICE

    @property
    def whole(self) -> bool:
        """Whether all of the reserve is held."""
        return self.slices >= SLICES

    def to_leave(self) -> int:
        """Return how many freed pages a commit with other events has to leave; 0 when whole."""
        lacking = (SLICES - self.slices) * _SLICE_PAGES
        return max(1, min(self.free, lacking)) if lacking > 0 else 0

    def grow(self, pages: int) -> None:
        """Have so many more freed pages; raise FullError where the disk has no room for them."""
        with told("make room in", self._path):
            new = self.pages + pages
            self._lengthen(new)
            size = (self.free + pages - _OVERHEAD) * (PAGE - 4)
            self._db.execute(f"PRAGMA max_page_count = {new}")
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self._db.execute("INSERT INTO reserve VALUES (zeroblob(?))", (size,))
                    self._db.execute("DELETE FROM reserve WHERE rowid = last_insert_rowid()")
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            finally:
                self._db.execute(f"PRAGMA max_page_count = {self.pages}")

    def give(self, slices: int) -> None:
        """Turn slices into freed pages, inside the transaction that needs them."""
        self._db.execute(
            "DELETE FROM reserve WHERE rowid IN (SELECT rowid FROM reserve LIMIT ?)", (slices,)
        )

    def restock(self) -> bool:
        """Make a piece of what is missing; False when nothing is. Raises FullError."""
        if not self.whole:
            if (lacking := _SLICE_PAGES - self.free) > 0:
                self.grow(max(lacking, STOCK))
            with told("reserve room in", self._path):
                self._db.execute("INSERT INTO reserve VALUES (zeroblob(?))", (SLICE,))
            return True
        if self._lengthen_wal():
            return True
        if self.free < STOCK:
            self.grow(STOCK)
            return True
        return False

    def _lengthen(self, pages: int) -> None:
        """Write zeros behind the file's end, to the disk; on an error it is as long as before."""
        before = os.fstat(self._fd).st_size
        _fill(self._fd, before, pages * PAGE)

    def _lengthen_wal(self) -> bool:
        """Write zeros behind the WAL's end, where no frame is yet; False when it is long enough."""
        with told("lengthen", self._wal):
            fd = os.open(self._wal, os.O_RDWR | os.O_CLOEXEC)
            try:
                size = os.fstat(fd).st_size
                _fill(fd, size, min(WAL_BYTES, size + len(_CHUNK)))
            finally:
                os.close(fd)
            return size < WAL_BYTES

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])


def _fill(fd: int, begin: int, end: int) -> None:
    at = begin
    try:
        while at < end:
            written = os.pwrite(fd, _CHUNK[: end - at], at)
            if not written:
                raise FullError(f"no room for {end - at} bytes")
            at += written
        if end > begin:
            os.fsync(fd)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, begin)
        raise
