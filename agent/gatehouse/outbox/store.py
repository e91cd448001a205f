"""The outbox's file as the thread that writes sees it.

What must hold, at every moment and after kill -9 or a power cut:

* an event is durable once `write` has returned, with ``synchronous=FULL``;
* ``start`` is durable before the first number of that start is used;
* `alarms`, `faults` and the drill mark are what a replay of `events` would give (`derived`);
* a row that the district lacks (``done_unix`` null, ``dropped`` 0) is never deleted, nor one of an
  alarm that stands, nor the newest;
* what `room` says of the room that is held for alarms.
"""

import ctypes
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import OutboxError
from gatehouse.events import Event
from gatehouse.faults import Fault
from gatehouse.outbox import derived, pruning, remembered, sqlite, wal
from gatehouse.outbox.changes import carry_out, mark_hole
from gatehouse.outbox.model import Pending, StandingAlarm, Trouble
from gatehouse.outbox.numbers import Numbers
from gatehouse.outbox.orders import Order, Put, is_other
from gatehouse.outbox.pruning import ROW_BYTES
from gatehouse.outbox.room import STOCK, Room
from gatehouse.outbox.sqlite import PAGE, DamagedError, FullError, RefusedError, told

_CHECK_S: Final = 0.7
_TRIES: Final = 12
_FEW_PAGES: Final = 8


class Store:
    """One open file, used by one thread. Raises OutboxError; DamagedError when it is unsound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = Numbers()
        with told("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite.connect(path)
            try:
                if self._db.execute("PRAGMA user_version").fetchone()[0] == 0:
                    sqlite.create(self._db)
                self.room = Room(self._db, path)
                self.clean = self.meta("clean") == "1"
                if sqlite.lacking(self._db):  # a file of the first release
                    self._durably(lambda: sqlite.add_columns(self._db))
            except BaseException:
                self._db.close()
                raise

    def leave(self) -> None:
        """Mark the file clean, and leave it open until the process ends.

        Closing it would give up the room in the WAL, hence also no garbage collector may do so.
        """
        self.set_meta("clean", "1")
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._db))

    def finish(self) -> None:
        """Bring everything into the file itself and close it; raise OutboxError if it cannot."""
        with told("finish", self.path):
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self.abandon()
        if busy or self.path.with_name(self.path.name + "-wal").exists():
            raise OutboxError(f"cannot bring the WAL into {self.path}")

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._db.close()
        self.room.close()

    def meta(self, key: str) -> str | None:
        """Return one of the file's own facts."""
        with told("read", self.path):
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set one of the file's own facts, durably."""
        self._durably(
            lambda: self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        )

    def begin_start(self) -> int:
        """Count one more start, durably; returns its number."""
        with told("read", self.path):
            start = int(self.meta("start") or 0) + 1
        facts = [("start", str(start)), ("clean", "0")]
        self._durably(
            lambda: self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts)
        )
        return start

    def check(self) -> None:
        """Look for damage, for less than a second. Raises DamagedError."""
        with told("check", self.path):
            sound = self.checkpoint()
            if wal.broken(self.path.with_name(self.path.name + "-wal"), sound):
                raise DamagedError(f"the WAL of {self.path} is damaged")
        if not self.clean:
            self._check_pages()

    def _check_pages(self) -> None:
        end = time.monotonic() + _CHECK_S
        self._db.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            with told("check", self.path):
                found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except DamagedError:
            raise
        except OutboxError:
            return  # not found within the time: what is read later will tell
        finally:
            self._db.set_progress_handler(None, 0)
        if found != "ok":
            raise DamagedError(f"{self.path} is damaged: {found}")

    # What changes.

    def write(self, orders: Sequence[Order], now_unix: float) -> None:
        """Carry out all orders in one durable transaction, or none of them.

        Raises FullError when there is no room, RefusedError when an order cannot be carried out
        for a reason of its own.
        """
        numbers = self._numbers.copy()

        def change() -> None:
            self._numbers = numbers.copy()
            for order in orders:
                carry_out(self._db, order, now_unix, self._numbers)
            if self._numbers.mark != numbers.mark:
                mark_hole(self._db, self._numbers.mark)

        try:
            self._durably(change, others=any(map(is_other, orders)), pages=_need(orders))
        except BaseException:
            self._numbers = numbers
            raise

    def _durably(
        self, change: Callable[[], object], *, others: bool = False, pages: int = 0
    ) -> None:
        """Make a change in one transaction, and the room for it where it lacks.

        ``pages`` is how many it needs, about; what counts is what is left before the commit.
        """
        with told("write to", self.path, RefusedError):
            slices, leave = 0, self.room.to_leave() if others else 0
            if (lacking := leave + pages - self.room.free) > 0:
                try:
                    self.room.grow(max(lacking, STOCK))
                except FullError:
                    if leave:  # also the rest of a page is what an alarm has paid for
                        raise
            for turn in range(_TRIES):
                try:
                    lacking = self._transact(change, slices, leave)
                except FullError:
                    lacking = STOCK
                    if not turn:  # the WAL may be at its end
                        self.checkpoint()
                        continue
                if not lacking:
                    return
                try:
                    self.room.grow(max(lacking, STOCK))
                except FullError:
                    if others or slices > self.room.slices:
                        raise
                    slices = slices * 2 or 1
            raise FullError(f"no room for this in {self.path}")

    def _transact(self, change: Callable[[], object], slices: int, leave: int) -> int:
        """Return 0 once it is committed, or how many freed pages too few it would leave."""
        with told("write to", self.path, RefusedError):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                if slices:
                    self.room.give(slices)
                change()
                lacking = max(0, leave - self.room.free) if leave else 0
                self._db.execute("ROLLBACK" if lacking else "COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            return lacking

    # What opening reads.

    def waiting(self) -> Iterator[Pending]:
        """Yield what the district lacks, in the order in which it was stored."""
        with told("read", self.path):
            yield from remembered.waiting(self._db)

    def previous(self, store: str) -> str | None:
        """Return the number of the last start up to which nothing is missing."""
        with told("read", self.path):
            return remembered.previous(self._db, self.meta("hole"), store)

    def alarms(self) -> list[StandingAlarm]:
        """Return the alarms that stand and the newest of each button."""
        with told("read", self.path):
            return derived.alarms(self._db)

    def faults(self) -> list[Fault]:
        """Return the faults that stood."""
        with told("read", self.path):
            return derived.faults(self._db)

    def commands(self, now_unix: float) -> list[tuple[str, float]]:
        """Return the commands seen that could still be replayed."""
        with told("read", self.path):
            return remembered.commands(self._db, now_unix)

    def last_event(self) -> Event | None:
        """Return the newest event; of a start that ended in order, its `gateway.stopped`."""
        with told("read", self.path):
            return remembered.last_event(self._db)

    def found(self) -> list[Trouble]:
        """Return what an opening found amiss, until a fault that says so is stored."""
        with told("read", self.path):
            rows = self._db.execute("SELECT key, value FROM meta WHERE key LIKE 'found:%'")
            return [Trouble(key.partition(":")[2], json.loads(value)) for key, value in rows]

    def note_found(self, fault: str, data: Mapping[str, Any]) -> None:
        """Keep what was found amiss, so that a crash before the fault is stored hides nothing."""

        def change() -> None:
            value = json.dumps(dict(data), ensure_ascii=False)
            run = self._db.execute
            run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"found:{fault}", value))
            run("DELETE FROM faults WHERE fault = ?", (fault,))  # it is news, also a second time

        self._durably(change)

    # Upkeep.

    def checkpoint(self) -> int:
        """Bring the WAL into the file, so that it is used again from its head.

        Returns how many sound frames it held.
        """
        with told("checkpoint", self.path):
            _busy, frames, _ = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return max(0, int(frames))

    def prune(self, before_unix: float, most_bytes: int, rows: int) -> int:
        """Delete the oldest finished events, at most ``rows``; returns how many (`pruning`)."""
        with told("prune", self.path):
            end = pruning.end(self._db, self.room.used_bytes, before_unix, most_bytes)
        deleted = 0

        def change() -> None:
            nonlocal deleted
            deleted = pruning.delete(self._db, end, rows)

        self._durably(change)
        return deleted


def _need(orders: Sequence[Order]) -> int:
    """Return how many pages these orders need, about."""
    size = sum(len(order.body) + ROW_BYTES for order in orders if isinstance(order, Put))
    return _FEW_PAGES + size // PAGE
