"""Small pictures on their way to the alarm service, which sends them to the district.

They may be lost: each has a deadline, and is offered again when the alarm service was started anew,
as what it had taken was in its memory.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.control import protocol
from gatehouse.errors import ControlError, GatehouseError
from gatehouse.video.eye_messages import MOST_SMALL

log = logging.getLogger(__name__)

DEADLINE_S: Final = 600.0
"""A picture that the district does not have by then shows nothing that still helps."""
AGAIN_S: Final = 2.0
_MOST: Final = 2000
_FIRST_BYTES: Final = 30_000
"""Until the alarm service says what its line bears."""

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Small:
    """One small picture on the disk."""

    alarm: str
    number: int
    path: Path
    until_ns: int
    """CLOCK_MONOTONIC."""


class PicturesOut:
    """Offers pictures until they were taken."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._waiting: dict[tuple[str, int], Small] = {}
        self._taken: dict[tuple[str, int], Small] = {}
        self._news = asyncio.Event()
        self._refused = ""
        self.most_bytes = _FIRST_BYTES
        """How large small pictures should be: what the alarm service said last of its line."""

    def offer(self, alarm: str, number: int, path: Path, age_s: float = 0.0) -> None:
        """Have a picture sent that was taken so long ago."""
        if age_s >= DEADLINE_S:
            return
        until_ns = self._clock.reading().monotonic_ns + round((DEADLINE_S - max(0.0, age_s)) * 1e9)
        if len(self._waiting) >= _MOST:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[alarm, number] = Small(alarm, number, path, until_ns)
        self._news.set()

    def offer_again(self) -> None:
        """The alarm service was started anew: what it took, it may have lost."""
        self._waiting = {**self._taken, **self._waiting}
        self._taken = {}
        self._news.set()

    async def run(self) -> None:
        """Offer until cancelled."""
        while True:
            self._news.clear()
            while self._waiting:
                if not await self._next(next(iter(self._waiting.values()))):
                    await asyncio.sleep(AGAIN_S)
            await self._news.wait()

    async def _next(self, small: Small) -> bool:
        """Offer one; False when it is to be offered again later."""
        key = (small.alarm, small.number)
        left_s = (small.until_ns - self._clock.reading().monotonic_ns) / 1e9
        if left_s <= 0:
            self._waiting.pop(key, None)
            return True
        asked = {
            "do": "picture",
            "alarm": small.alarm,
            "number": small.number,
            "path": str(small.path),
            "deadline_s": round(left_s, 1),
        }
        try:
            answer = await self._ask(asked)
        except ControlError as exc:
            if exc.code in {protocol.BUSY, protocol.TIMEOUT}:
                return False
            self._say_refused(str(exc))  # it would be refused again
        except (GatehouseError, OSError):  # it is not there now; who follows it says so
            return False
        else:
            self._refused = ""
            self._keep_taken(small)
            if isinstance(most := answer.get("most_bytes"), int):
                self.most_bytes = min(most, MOST_SMALL)
        if self._waiting.get(key) == small:
            del self._waiting[key]
        return True

    def _keep_taken(self, small: Small) -> None:
        now_ns = self._clock.reading().monotonic_ns
        self._taken[small.alarm, small.number] = small
        while self._taken and (
            len(self._taken) > _MOST or next(iter(self._taken.values())).until_ns < now_ns
        ):
            self._taken.pop(next(iter(self._taken)))

    def _say_refused(self, why: str) -> None:
        if self._refused != why:
            log.warning("the alarm service refuses pictures: %s", why)
        self._refused = why
