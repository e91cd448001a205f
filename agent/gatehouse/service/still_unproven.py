"""What setup could not prove and the service has not seen since: shown by the status, struck out.

A press ends its button's, a reset by key that of the key, a connection that of its broker. Lamps
and a relay stay until somebody has looked, which setup asks.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from gatehouse import events, unproven
from gatehouse.config import Config
from gatehouse.errors import MessageError
from gatehouse.events import Event
from gatehouse.threads import off_loop
from gatehouse.unproven import Unproven

_DISK_S: Final = 30.0
_AGAIN_S: Final = 60.0

log = logging.getLogger(__name__)


class StillUnproven:
    """Reads the file once, beside the loop; writes it again for each thing that was proven."""

    def __init__(self, conf: Config, changed: Callable[[], None]) -> None:
        self._state_dir = conf.gateway.state_dir
        self._known = {f"button/{button.name}" for button in conf.buttons}
        self._known |= {f"broker/{broker.url}" for broker in conf.district.brokers}
        self._changed = changed
        self._items: tuple[Unproven, ...] = ()
        self._proven: set[tuple[str, str]] = set()
        self._news = asyncio.Event()

    def rows(self) -> list[dict[str, Any]]:
        """Return ``unproven`` of the status."""
        return [{"subject": i.subject, "what": i.what, "why": i.why} for i in self._left()]

    def seen(self, event: Event) -> None:
        """An event was told; a press is told before its disk and district are waited for."""
        if event.type == events.ALARM_RAISED and not event.data.get("held_at_start"):
            self._note(event.subject, unproven.PRESS)
        elif event.type == events.ALARM_RESET and event.data.get("by") == "key":
            self._note(event.subject, unproven.RESET)

    def connected(self, broker: str) -> None:
        """A broker let us in."""
        self._note(f"broker/{broker}", unproven.CONNECTION)

    async def keep(self) -> None:
        """Read, and write what is left, until cancelled; a disk that fails costs nothing else."""
        try:
            work = off_loop(
                lambda: unproven.read(self._state_dir), name="unproven", timeout_s=_DISK_S
            )
            self._items = await work
        except (OSError, MessageError) as exc:
            log.warning("what setup could not prove cannot be read: %s", exc)
            return
        self._changed()
        while self._items:
            left = self._left()
            if left != self._items and await self._write(left):
                self._items = left
                continue
            self._news.clear()
            await self._pause(retry=left != self._items)

    async def _write(self, left: tuple[Unproven, ...]) -> bool:
        try:
            await off_loop(
                lambda: unproven.write(self._state_dir, left), name="unproven", timeout_s=_DISK_S
            )
        except OSError as exc:
            log.warning("what was proven since setup cannot be noted: %s", exc)
            return False
        return True

    async def _pause(self, *, retry: bool) -> None:
        """Wait for news; after a failure no longer than a minute."""
        try:
            async with asyncio.timeout(_AGAIN_S if retry else None):
                await self._news.wait()
        except TimeoutError:
            pass

    def _left(self) -> tuple[Unproven, ...]:
        """Leave out what was proven, and what was taken out of the configuration since."""
        proven, known = self._proven, self._known
        return tuple(
            i for i in self._items if i.subject in known and (i.subject, i.what) not in proven
        )

    def _note(self, subject: str, what: str) -> None:
        """Remember it, also before the file was read; presses repeat, and are nothing new then."""
        if (subject, what) not in self._proven:
            self._proven.add((subject, what))
            self._news.set()
            self._changed()
