"""Reading what is on the district's disk, in a thread and over a connection of its own."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from gatehouse_district.errors import DistrictStoreError
from gatehouse_district.model import Alarm, Entry, Gateway, Picture
from gatehouse_district.receiver import queries, schema
from gatehouse_district.receiver.judging import PICTURES

T = TypeVar("T")
_MOST: Final = 10_000
"""Rows of one answer."""
_LAST: Final = 2**62


class Reading:
    """What ``ports.Records`` asks for; also of a file that a running receiver writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._asked: queue.SimpleQueue[Callable[[sqlite3.Connection], None] | None]
        self._asked = queue.SimpleQueue()
        self._open = False

    def open(self) -> None:
        """Open the file. Raises DistrictStoreError."""
        db = schema.open_for_reading(self._path)
        self._open = True
        threading.Thread(target=self._run, args=(db,), name="district-read", daemon=True).start()

    def close(self) -> None:
        """End; who still waits is told so."""
        self._open = False
        self._asked.put(None)

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def alarms(
        self, *, open_only: bool = True, limit: int = 1000, before: str | None = None
    ) -> Sequence[Alarm]:
        """Return alarms, the newest first. Raises DistrictStoreError, as all of these do."""
        most = _within(limit)
        return await self._ask(
            lambda db: queries.alarms(db, open_only=open_only, limit=most, before=before)
        )

    async def practice(self, *, limit: int = 1000) -> Sequence[Alarm]:
        """Return drills and tests that are not reset yet, the newest first."""
        most = _within(limit)
        return await self._ask(lambda db: queries.practice(db, limit=most))

    async def alarm(self, id_: str) -> Alarm | None:
        """Return one alarm."""
        return await self._ask(lambda db: queries.alarm(db, id_))

    async def gateways(self) -> Sequence[Gateway]:
        """Return every gateway that ever spoke, by id."""
        return await self._ask(queries.gateways)

    async def gateway(self, id_: str) -> Gateway | None:
        """Return one gateway."""
        return await self._ask(lambda db: next(iter(queries.gateways(db, id_)), None))

    async def events(
        self,
        *,
        gateway: str | None = None,
        type_: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[Entry]:
        """Return events, the newest first; ``before`` is a position."""
        most = _within(limit)
        older = None if before is None else max(0, min(before, _LAST))
        return await self._ask(
            lambda db: queries.events(db, gateway=gateway, type_=type_, limit=most, before=older)
        )

    async def pictures(self, alarm: str) -> Sequence[Picture]:
        """Return what pictures of an alarm have come, by number."""
        return await self._ask(lambda db: queries.pictures(db, alarm))

    async def picture(self, alarm: str, number: int) -> bytes | None:
        """Return one JPEG."""
        if not 1 <= number <= PICTURES:
            return None
        return await self._ask(lambda db: queries.picture(db, alarm, number))

    async def refusals(self) -> dict[str, int]:
        """Return how many messages were refused, by reason."""
        return await self._ask(queries.refusals)

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: Exception | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # None only when T allows it

        def run(db: sqlite3.Connection) -> None:
            result, error = None, None
            try:
                result = work(db)
            except Exception as exc:  # noqa: BLE001  # told to who asked: this thread serves all others
                error = DistrictStoreError(f"{self._path} cannot be read: {exc}")
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result, error)

        if not self._open:
            raise DistrictStoreError(f"{self._path} is not open")
        self._asked.put(run)
        return await answer

    def _run(self, db: sqlite3.Connection) -> None:
        with contextlib.closing(db):
            while (job := self._asked.get()) is not None:
                job(db)


def _within(limit: int) -> int:
    return max(0, min(limit, _MOST))
