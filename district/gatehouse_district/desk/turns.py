"""A few places for slow work, given out in turn: whoever asks most waits behind themselves."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """``places`` in all, at most ``each`` of them for one key, ``waiting_each`` more of it waiting.

    While ``each`` is less than ``places``, one key alone never keeps another one waiting.
    """

    def __init__(self, places: int, *, each: int, waiting_each: int, waiting: int) -> None:
        self._places = places
        self._each = each
        self._waiting_each = waiting_each
        self._most_waiting = waiting
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def has_room(self, key: str) -> bool:
        """Whether one more of this key may come, if only to wait."""
        if self._free(key):
            return True
        mine = len(self._waiting.get(key, ()))
        return mine < self._waiting_each and sum(map(len, self._waiting.values())) < (
            self._most_waiting
        )

    @asynccontextmanager
    async def place(self, key: str) -> AsyncIterator[None]:
        """Hold a place; waits for one, keys in turn."""
        if self._free(key):
            self._running[key] += 1
        else:
            await self._turn(key)
        try:
            yield
        finally:
            self._end(key)

    def _free(self, key: str) -> bool:
        return self._running.total() < self._places and self._running[key] < self._each

    async def _turn(self, key: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had been given just before
                self._end(key)
            raise

    def _end(self, key: str) -> None:
        self._running[key] -= 1
        self._running += Counter()  # forgets who has none
        for waits in list(self._waiting):
            while self._free(waits) and self._give(waits):
                pass

    def _give(self, key: str) -> bool:
        """Give a place to who waits longest of a key; False when nobody of it waits any more."""
        queue = self._waiting.pop(key, deque())
        while queue:
            turn = queue.popleft()
            if not turn.done():  # else whoever waited went away
                self._running[key] += 1
                turn.set_result(None)
                break
        else:
            return False
        if queue:
            self._waiting[key] = queue  # at the end: it had its turn
        return True
