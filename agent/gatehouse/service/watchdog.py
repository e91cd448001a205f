"""The watchdog's probe: from a thread, the way of an edge, to the uplink's door, and no further.

It never waits for disk or network: a hung card must not get presses in memory killed.
"""

import threading
import time
from collections.abc import Callable

from gatehouse.alarm.gpio import Edge
from gatehouse.alarm.station import PROBE_PIN


class Watchdog:
    """Sends a probe edge three times in each watchdog period."""

    def __init__(self, deliver: Callable[[Edge], None], period_s: float | None) -> None:
        """Prepare it; without a period nobody watches, and nothing is sent."""
        self._deliver = deliver
        self._pause_s = None if period_s is None else period_s / 3
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to probe."""
        if self._pause_s is not None:
            self._thread.start()

    def stop(self) -> None:
        """Send no more probes; waits for nothing."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            self._deliver(Edge(PROBE_PIN, 0, time.monotonic_ns()))
