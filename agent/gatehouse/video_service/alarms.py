"""Hearing of alarms from the alarm service, also of those that were raised while nobody listened.

The stream ``follow`` says that something was stored; what it was is in ``history``, from where the
last look ended. Nothing is asked of the alarm service that a command would not ask.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.errors import GatehouseError, MessageError
from gatehouse.events import Event

log = logging.getLogger(__name__)

AGAIN_S: Final = 2.0
_FIRST_S: Final = 15.0

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Mark(msgspec.Struct, frozen=True):
    """Up to where the log was heard: a row of one store."""

    store: str = ""
    after: int = 0


Heard = Callable[[Sequence[Event], Mark], None]


class Alarms:
    """Hears of alarms for as long as `run` runs."""

    def __init__(
        self, socket: Path, ask: Ask, *, mark: Mark, heard: Heard, followed: Callable[[], None]
    ) -> None:
        """Prepare it.

        ``ask`` asks the alarm service once; ``heard`` is given alarms and the mark behind them;
        ``followed`` is told whenever the alarm service is found (again).
        """
        self._socket = socket
        self._ask = ask
        self._mark = mark
        self._heard = heard
        self._followed = followed
        self._stored = asyncio.Event()
        self._lost = False

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
                why = "it ended"
            except (GatehouseError, OSError, ValueError, msgspec.ValidationError) as exc:
                why = str(exc) or type(exc).__name__
            if not self._lost:
                log.warning("no alarms are heard: %s", why)
            self._lost = True
            await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        async with asyncio.timeout(_FIRST_S):
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(b'{"do":"follow"}\n')
            async with asyncio.timeout(_FIRST_S):
                first = await reader.readline()
            if not first or json.loads(first).get("following") is not True:
                raise MessageError(f"the alarm service does not let us follow: {first[:200]!r}")
            if self._lost:
                log.info("alarms are heard again")
            self._lost = False
            await self._same_store()
            self._followed()
            async with asyncio.TaskGroup() as tasks:
                look = tasks.create_task(self._looks())
                await self._lines(reader)
                look.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            writer.close()

    async def _lines(self, reader: asyncio.StreamReader) -> None:
        """Read what happens; its end is the end of the alarm service."""
        while line := await reader.readline():
            if json.loads(line).get("stage") == "stored":
                self._stored.set()

    async def _same_store(self) -> None:
        """Begin anew with another store: its rows count from 1 again."""
        answer = await self._ask({"do": "events", "limit": 1})
        for each in answer["events"]:
            store = str(each["store"])
            if store != self._mark.store:
                self._mark = Mark(store)

    async def _looks(self) -> None:
        while True:
            self._stored.clear()
            await self._look()
            await self._stored.wait()

    async def _look(self) -> None:
        """Hear all that is behind the mark."""
        while True:
            asked = {"do": "history", "types": [events.ALARM_RAISED], "after": self._mark.after}
            answer = await self._ask(asked)
            if (following := answer["next"]) is None:
                return
            found = [msgspec.convert(each, Event) for each in answer["events"]]
            self._mark = Mark(self._mark.store, int(following))
            self._heard(found, self._mark)
