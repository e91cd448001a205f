"""The district's disk: one daemon thread that commits whatever waits, in order of arrival."""

import asyncio
import contextlib
import contextvars
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from gatehouse.errors import GatehouseError
from gatehouse_district.errors import DistrictStoreError
from gatehouse_district.receiver import schema
from gatehouse_district.receiver.heard import Item
from gatehouse_district.receiver.keeping import Keeper, Kept, unstorable
from gatehouse_district.receiver.link import Link
from gatehouse_district.receiver.pictures import TOTAL_BYTES

_log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 500
"""Things in one commit: more would keep the first of them waiting, and gain little."""
AGAIN_S: Final = 1.0
"""After the disk took nothing: what comes meanwhile waits."""
WAITING_MOST: Final = 20_000
"""Heartbeats are dropped when so much waits; what is acknowledged is held back by the broker."""

_DISK: Final = (sqlite3.OperationalError, sqlite3.DatabaseError)
_MESSAGE: Final = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A thing that came over a link, and under which number the link awaits its PUBACK (or 0)."""

    item: Item
    link: Link | None
    mid: int


class Hears(Protocol):
    """What the loop is told of the disk; all are called in the loop."""

    def stored(self, done: Sequence[tuple[Arrival, Kept]]) -> None:
        """Take what is on disk now."""

    def not_stored(self, lost: Sequence[Arrival]) -> None:
        """Take what the disk did not take: it must be sent again."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Keeper], Any]
    done: "asyncio.Future[Any]"
    context: contextvars.Context
    """Of who asks: what is said to him is said in his language."""


@dataclass(frozen=True, slots=True)
class _Did:
    job: _Job
    result: Any
    error: GatehouseError | None


class Store:
    """Keeps what came; ``hears`` is told of it after each commit."""

    def __init__(self, path: Path, hears: Hears, *, pictures_bytes: int = TOTAL_BYTES) -> None:
        self._path = path
        self._hears = hears
        self._pictures_bytes = pictures_bytes
        self._inbox: queue.SimpleQueue[Arrival | _Job | None] = queue.SimpleQueue()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._well = True
        self._closed = False

    def open(self) -> None:
        """Open the file and start writing. Raises DistrictStoreError.

        One receiver at a time: two would each believe to have counted all numbers.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(schema.locked(self._path))
            db = stack.enter_context(contextlib.closing(schema.open_for_writing(self._path)))
            try:
                keeper = Keeper(db, self._pictures_bytes)
            except sqlite3.Error as exc:
                raise DistrictStoreError(f"{self._path} is damaged: {exc}; as it was") from exc
            work = (stack.pop_all(), keeper)
        threading.Thread(target=self._run, args=work, name="district-store", daemon=True).start()

    @property
    def waiting(self) -> int:
        """How much waits to be committed, about."""
        return self._inbox.qsize()

    def put(self, arrival: Arrival) -> None:
        """Have a thing stored."""
        self._inbox.put(arrival)

    async def do(self, work: Callable[[Keeper], T]) -> T:
        """Do something in the thread that writes, and return what it returned once it is on disk.

        Raises the GatehouseError that it raised (and nothing of it is written), and
        DistrictStoreError when the disk did not take it.
        """
        if self._closed:
            raise DistrictStoreError(f"{self._path} is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._inbox.put(_Job(work, done, contextvars.copy_context()))
        return await done

    async def close(self) -> None:
        """Store what waits and end."""
        if not self._closed:
            self._closed = True
            self._inbox.put(None)
        await self._ended.wait()

    def _run(self, opened: contextlib.ExitStack, keeper: Keeper) -> None:
        with opened:
            ends = False
            while not ends:
                batch, ends = self._batch()
                if batch:
                    self._take(keeper, batch)
        self._tell(self._ended.set)

    def _batch(self) -> tuple[list[Arrival | _Job], bool]:
        """Wait for something to do; return all that waits, and whether the end came."""
        batch: list[Arrival | _Job] = []
        item = self._inbox.get()
        while item is not None:
            batch.append(item)
            if len(batch) == MOST_AT_ONCE or self._inbox.empty():
                return batch, False
            item = self._inbox.get()
        return batch, True

    def _take(self, keeper: Keeper, batch: list[Arrival | _Job]) -> None:
        """Commit a batch; when one thing in it is poison, each by itself."""
        try:
            done = self._commit(keeper, batch)
        except _MESSAGE as exc:
            self._one_by_one(keeper, batch, exc)
        except _DISK as exc:
            self._failed(batch, exc)
        except Exception as exc:  # noqa: BLE001  # of a message, or a mistake of ours: not of all others
            self._one_by_one(keeper, batch, exc)
        else:
            if not self._well:
                self._well = True
                _log.warning("%s takes events again", self._path)
            self._tell(self._settle, done)

    def _one_by_one(self, keeper: Keeper, batch: list[Arrival | _Job], exc: Exception) -> None:
        if len(batch) > 1:
            for each in batch:
                self._take(keeper, [each])
            return
        (only,) = batch
        if isinstance(only, _Job):
            self._tell(_fail, only.done, exc)
            return
        _log.error("a message of %s cannot be stored: %r", _origin(only.item), exc)
        refused = unstorable(only.item, exc)
        if refused == only.item:
            return
        self._take(keeper, [Arrival(refused, only.link, only.mid)])

    def _commit(
        self, keeper: Keeper, batch: list[Arrival | _Job]
    ) -> list[tuple[Arrival, Kept] | _Did]:
        db = keeper.db
        db.execute("BEGIN IMMEDIATE")
        try:
            done = [
                _work(keeper, each) if isinstance(each, _Job) else (each, keeper.keep(each.item))
                for each in batch
            ]
            keeper.finish()
            db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
                db.execute("ROLLBACK")
            with contextlib.suppress(sqlite3.Error):  # the same disk; what failed is being told
                keeper.undo()
            raise
        return done

    def _failed(self, batch: list[Arrival | _Job], exc: sqlite3.Error) -> None:
        if self._well:
            self._well = False
            _log.error("%s takes nothing: %s; no receipts until it does", self._path, exc)
        failure = DistrictStoreError(f"the district's database {self._path} took nothing: {exc}")
        for each in batch:
            if isinstance(each, _Job):
                self._tell(_fail, each.done, failure)
        self._tell(self._hears.not_stored, [each for each in batch if isinstance(each, Arrival)])
        time.sleep(AGAIN_S)  # in this thread of its own: the broker sends it all again at once

    def _settle(self, done: list[tuple[Arrival, Kept] | _Did]) -> None:
        self._hears.stored([each for each in done if not isinstance(each, _Did)])
        for each in done:
            if isinstance(each, _Did) and not each.job.done.done():
                if each.error is not None:
                    each.job.done.set_exception(each.error)
                else:
                    each.job.done.set_result(each.result)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(what, *args)


def _work(keeper: Keeper, job: _Job) -> _Did:
    keeper.db.execute("SAVEPOINT job")
    try:
        did = _Did(job, job.context.run(job.work, keeper), None)
    except GatehouseError as exc:
        keeper.db.execute("ROLLBACK TO job")
        did = _Did(job, None, exc)
    keeper.db.execute("RELEASE job")
    return did


def _fail(done: "asyncio.Future[Any]", exc: Exception) -> None:
    if not done.done():
        done.set_exception(exc)


def _origin(item: Item) -> str:
    return item.topic if not hasattr(item, "gateway") else item.gateway
