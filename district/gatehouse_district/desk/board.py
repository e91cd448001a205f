"""What every page looks at: read once for all of them, whenever there is news."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from gatehouse.errors import GatehouseError
from gatehouse_district.desk import alarm_view
from gatehouse_district.desk.alarm_view import Seen, Summary
from gatehouse_district.desk.parts import Parts
from gatehouse_district.desk.table import Table
from gatehouse_district.model import Alarm, Gateway

_log = logging.getLogger(__name__)

MOST_OPEN: Final = 2_000
MOST_PRACTICE: Final = 500
"""Drills and tests that stand; counted apart, so that they take no real alarm's place."""
_RECENT: Final = 200
"""Alarms of any kind and stage that are looked through for the day's last ones."""
_PICTURES: Final = 6
"""Beside an alarm; all of them are on its own page."""
_LEAST_S: Final = 0.05
"""Between two readings; the first after a pause is at once."""
_SHARE: Final = 4.0
"""A reading is followed by a rest of so many times its length: at most a fifth of the time."""
_GATEWAYS_S: Final = 1.0
_LONGEST_S: Final = 60.0
"""Read again after so long without any news: the day goes on."""


class Board:
    """Alarms and gateways as they are now, for all who look. `run` keeps it so."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.boot = parts.random(6).hex()
        """Versions are numbers of this start."""
        self.alarms: Table[Seen] = Table()
        self.gateways: Table[Gateway] = Table()
        self.summary = Summary()
        self.full = False
        """Whether more stand open than are shown."""
        self.revision = 0
        self.trouble = ""
        """Why nothing can be read now; empty when all is well."""
        self.stopped = False
        self._gateways_watched = 0
        self._gateways_read_s = float("-inf")
        self._gateways_revision = -1
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()

    def hears(self) -> bool:
        """Whether anything that a gateway says arrives."""
        return self._parts.hears()

    async def run(self) -> None:
        """Read whenever there is news, until cancelled."""
        while True:
            revision = self._parts.news.revision
            began_s = time.monotonic()
            await self.read()
            await asyncio.sleep(max(_LEAST_S, (time.monotonic() - began_s) * _SHARE))
            try:
                async with asyncio.timeout(_GATEWAYS_S if self._again() else _LONGEST_S):
                    await self._parts.news.newer(revision)
            except TimeoutError:
                continue

    def _again(self) -> bool:
        """Whether to read again soon, news or not."""
        late = self._gateways_watched and self._gateways_revision != self.revision
        return bool(self.trouble or late)

    async def read(self) -> None:
        """Read what alarms there are, and gateways if somebody looks at them."""
        async with self._reading:
            revision = self._parts.news.revision
            try:
                await self._read_alarms()
                due = time.monotonic() - self._gateways_read_s >= _GATEWAYS_S
                if self._gateways_watched and due:
                    await self._read_gateways()
            except (GatehouseError, OSError) as exc:
                self._begin_trouble(str(exc))
                return
            except Exception as exc:  # noqa: BLE001  # a mistake of ours: pages must say so
                if not self.trouble:
                    _log.exception("the desk has made a mistake, and reads on")
                self._begin_trouble(repr(exc))
                return
            if self.trouble:
                _log.info("the district's records can be read again")
                self.trouble = ""
            self.revision = revision
            self._wake()

    async def read_gateways(self) -> None:
        """Read what gateways there are. Raises GatehouseError."""
        async with self._reading:
            await self._read_gateways()
        self._wake()

    @asynccontextmanager
    async def watching_gateways(self) -> AsyncIterator[None]:
        """Keep gateways up to date too while the context lasts; from the start they are.

        `run` may be waiting for news, and those that came before nobody read for gateways.
        """
        self._gateways_watched += 1
        try:
            try:
                await self.read_gateways()
            except (GatehouseError, OSError) as exc:
                self._begin_trouble(str(exc))
            yield
        finally:
            self._gateways_watched -= 1

    async def changed(self) -> None:
        """Wait until anything is different."""
        await self._changed.wait()

    def stop(self) -> None:
        """End every stream: the server is about to stop."""
        self.stopped = True
        self._wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the board up to date for as long as the context lasts."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.run(), name="desk-board")
            try:
                yield
            finally:
                self.stop()
                task.cancel()

    async def _read_alarms(self) -> None:
        records = self._parts.records
        now_ms = int(self._parts.now_s() * 1000)
        recent = await records.alarms(open_only=False, limit=_RECENT)
        standing = await records.alarms(open_only=True, limit=MOST_OPEN)
        practice = await records.practice(limit=MOST_PRACTICE)
        self.full = len(standing) >= MOST_OPEN or len(practice) >= MOST_PRACTICE
        kept = {
            each.id: each
            for each in (*recent, *practice, *standing)
            if alarm_view.of_the_day(each, now_ms)
        }
        self.alarms.update({each.id: await self._seen(each) for each in kept.values()})
        self.summary = alarm_view.summary(list(kept.values()))

    async def _seen(self, alarm: Alarm) -> Seen:
        """Return an alarm with its newest pictures, read only when there are more than before."""
        row = self.alarms.get(alarm.id)
        if row is not None and row.item.alarm.pictures == alarm.pictures:
            return replace(row.item, alarm=alarm)
        if not alarm.pictures:
            return Seen(alarm)
        pictures = alarm_view.in_time(await self._parts.records.pictures(alarm.id))
        return Seen(alarm, tuple(pictures[-_PICTURES:]))

    async def _read_gateways(self) -> None:
        revision = self._parts.news.revision
        found = await self._parts.records.gateways()
        self._gateways_revision = revision
        self._gateways_read_s = time.monotonic()
        # Each heartbeat moves `heard`: no reason to draw a row anew.
        self.gateways.update({each.id: replace(each, heard=None) for each in found})

    def _begin_trouble(self, why: str) -> None:
        if not self.trouble:
            _log.error("the desk cannot read the district's records: %s", why)
        self.trouble = why or "?"
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
