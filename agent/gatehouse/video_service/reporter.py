"""Telling the alarm service what stands and what happened, again and again until it has it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from gatehouse.control import reports
from gatehouse.control.reports import Report
from gatehouse.errors import GatehouseError

log = logging.getLogger(__name__)

EVERY_S: Final = 10.0
"""From one report to the next when nothing changed; the alarm service misses us after 60 s."""
SETTLE_S: Final = 0.2
"""So long what changes together is gathered into one report."""
AGAIN_S: Final = 2.0
"""After a report that was not taken: the alarm service is being started again."""

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Reporter:
    """Sends reports; what was not answered is in the next one again."""

    def __init__(
        self,
        ask: Ask,
        gather: Callable[[], Report],
        received: Callable[[Collection[str]], None],
    ) -> None:
        """Prepare it.

        ``ask`` sends a request and raises GatehouseError or OSError when it was not taken;
        ``received`` is told the keys that need not be told again.
        """
        self._ask = ask
        self._gather = gather
        self._received = received
        self._changed = asyncio.Event()
        self._heard = True

    def wake(self) -> None:
        """Something changed: report soon."""
        self._changed.set()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            self._changed.clear()
            more = await self._report()
            if not self._heard:  # whatever changes meanwhile, nobody is there to take it
                await asyncio.sleep(AGAIN_S)
                continue
            if not more:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY_S):
                        await self._changed.wait()
            await asyncio.sleep(SETTLE_S)

    async def _report(self) -> bool:
        """Send one report; True when some of it was answered, and more may wait."""
        report = self._gather()
        try:
            answer = await self._ask(reports.request(report))
        except (GatehouseError, OSError) as exc:  # TimeoutError is an OSError
            if self._heard:
                log.warning("the alarm service does not take reports: %s", exc)
            self._heard = False
            return False
        if not self._heard:
            log.info("the alarm service takes reports again")
        self._heard = True
        answered = answer.get("received")
        told = {each.key for each in report.told}
        done = told.intersection(answered if isinstance(answered, list) else ())
        if done:
            self._received(done)
        return bool(done)
