"""What is under way on one connection without a PUBACK, and for how long the oldest may be."""

import asyncio
from collections.abc import Callable

from gatehouse.uplink.lane import Flight


class InFlight:
    """Publications by their packet identifier; one timer for the oldest of them.

    A frozen broker's kernel still acknowledges TCP, so only a missing PUBACK tells of it.
    """

    def __init__(self, puback_s: float, overdue: Callable[[], None]) -> None:
        self._puback_s = puback_s
        self._overdue = overdue
        self._loop = asyncio.get_running_loop()
        self._flights: dict[int, Flight] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, mid: int, flight: Flight) -> None:
        """Note that a publication went out now."""
        self._flights[mid] = flight
        flight.sent_s = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._puback_s, self._ring)

    def pop(self, mid: int) -> Flight | None:
        """Return what a PUBACK answers; None for what is not ours."""
        return self._flights.pop(mid, None)

    def clear(self) -> None:
        """Forget all: the connection is gone."""
        self._flights.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if not self._flights:
            return
        due = next(iter(self._flights.values())).sent_s + self._puback_s
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._ring)
        else:
            self._overdue()
