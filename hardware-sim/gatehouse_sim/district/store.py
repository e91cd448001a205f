"""A district's disk: one SQLite file, one daemon thread that commits whatever waits, in order."""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse import events
from gatehouse_sim.district.link import Link

_log = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 2000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    id TEXT PRIMARY KEY,
    gateway TEXT NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL,
    arrived_ns INTEGER NOT NULL,       -- CLOCK_MONOTONIC of the first arrival
    arrived_unix_ns INTEGER NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 1
) STRICT
"""
_KEEP: Final = """
INSERT INTO event (id, gateway, topic, body, arrived_ns, arrived_unix_ns) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET deliveries = deliveries + 1
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it arrived; times in ns, CLOCK_MONOTONIC and wall clock. ``body`` is exact."""

    gateway: str
    topic: str
    event: events.Event
    body: bytes
    arrived_ns: int
    arrived_unix_ns: int

    @property
    def id(self) -> str:
        """The event's id."""
        return self.event.id

    @property
    def type(self) -> str:
        """The event's type."""
        return self.event.type


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record that came over a link, and under which number the link awaits its PUBACK (or 0)."""

    record: Record
    link: Link
    mid: int


@dataclass(frozen=True, slots=True)
class _Forget:
    ids: list[str]
    done: "asyncio.Future[None]"


class Store:
    """Keeps records; ``stored`` is called in the loop with what is now on disk."""

    def __init__(self, path: Path, stored: Callable[[list[Arrival]], None]) -> None:
        self._path = path
        self._stored = stored
        self._inbox: queue.SimpleQueue[Arrival | _Forget | None] = queue.SimpleQueue()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def open(self) -> list[tuple[Record, int]]:
        """Return what an earlier district left, with how often each came; then start writing."""
        with contextlib.closing(_connect(self._path)) as db:
            rows = db.execute(
                "SELECT gateway, topic, body, arrived_ns, arrived_unix_ns, deliveries "
                "FROM event ORDER BY rowid"
            )
            left = [
                (Record(gateway, topic, events.decode(body), body, mono, unix), times)
                for gateway, topic, body, mono, unix, times in rows
            ]
        threading.Thread(target=self._run, name="district-store", daemon=True).start()
        return left

    def put(self, arrival: Arrival) -> None:
        """Have a record stored, or counted once more if its id is known."""
        self._inbox.put(arrival)

    async def forget(self, ids: Iterable[str]) -> None:
        """Take these ids off the disk, as a restored backup would."""
        done: asyncio.Future[None] = self._loop.create_future()
        self._inbox.put(_Forget(list(ids), done))
        await done

    async def close(self) -> None:
        """Store what waits and end."""
        self._inbox.put(None)
        await self._ended.wait()

    def _run(self) -> None:
        with contextlib.closing(_connect(self._path)) as db:
            ends = False
            while not ends:
                batch, ends = self._batch()
                if batch and self._commit(db, batch):
                    self._tell(self._settle, batch)
        self._tell(self._ended.set)

    def _batch(self) -> tuple[list[Arrival | _Forget], bool]:
        """Wait for something to do; return all that waits, and whether the end came."""
        batch: list[Arrival | _Forget] = []
        item = self._inbox.get()
        while item is not None:
            batch.append(item)
            if len(batch) == _MOST_AT_ONCE or self._inbox.empty():
                return batch, False
            item = self._inbox.get()
        return batch, True

    def _commit(self, db: sqlite3.Connection, batch: list[Arrival | _Forget]) -> bool:
        """Write a batch in one transaction; False if the disk did not take it."""
        try:
            with db:
                for item in batch:
                    if isinstance(item, Arrival):
                        db.execute(_KEEP, _row(item.record))
                    else:
                        db.executemany("DELETE FROM event WHERE id = ?", [(i,) for i in item.ids])
        except sqlite3.Error:
            _log.exception("%s did not take %d entries: no receipts", self._path, len(batch))
            return False
        return True

    def _settle(self, batch: list[Arrival | _Forget]) -> None:
        for item in batch:
            if isinstance(item, _Forget) and not item.done.done():
                item.done.set_result(None)
        self._stored([item for item in batch if isinstance(item, Arrival)])

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(what, *args)


def _row(record: Record) -> tuple[str, str, str, bytes, int, int]:
    times = record.arrived_ns, record.arrived_unix_ns
    return record.id, record.gateway, record.topic, record.body, *times


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # a receipt says: on disk, also after a power cut
    db.execute(_SCHEMA)
    return db
