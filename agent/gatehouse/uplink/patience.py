"""How long an alarm waits for its PUBACK before another broker is tried."""

import asyncio
from collections.abc import Callable

from gatehouse.uplink.backoff import doubling
from gatehouse.uplink.timing import Timing


class Patience:
    """One timer for the alarms that wait: 5 s, doubling with each failover to 60 s.

    Every PUBACK of an alarm and every new press begins it anew.
    """

    def __init__(
        self, timing: Timing, *, waiting: Callable[[], bool], give_up: Callable[[], None]
    ) -> None:
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._waiting = waiting
        self._give_up = give_up
        self._failovers = 0
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._timer is not None

    def ensure(self) -> None:
        """Begin if it does not run: an alarm went out."""
        if self._timer is None:
            self.restart()

    def pressed(self) -> None:
        """Begin anew for a press; what waits already does not wait longer for it."""
        self._failovers = 0
        fresh = self._loop.time() + self._wait_s()
        running = self._timer is not None
        self._set(min(self._due_s, fresh) if running else fresh)

    def progress(self) -> None:
        """Begin anew: the broker took an alarm."""
        self._failovers = 0
        self._due_s = self._loop.time() + self._wait_s()

    def restart(self) -> None:
        """Give a new connection, or a new outage, its full time."""
        self._set(self._loop.time() + self._wait_s())

    def stop(self) -> None:
        """End it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait_s(self) -> float:
        return doubling(self._timing.patience_s, self._timing.patience_most_s, self._failovers)

    def _set(self, due_s: float) -> None:
        self._due_s = due_s
        self.stop()
        self._timer = self._loop.call_at(due_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if not self._waiting():
            self._failovers = 0
        elif self._loop.time() < self._due_s:
            self._set(self._due_s)
        else:
            self._failovers += 1
            self.restart()
            self._give_up()
