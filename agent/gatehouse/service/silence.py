"""Noticing that somebody who should speak does not."""

from collections.abc import Callable
from typing import Final, Protocol

SILENT_S: Final = 60.0
"""After so long without a word it is silence."""
_LAST_S: Final = 5.0
"""Of these, in s, the last are counted apart: a process that was stopped itself, by a signal or a
busy machine, wakes up to timers that are due and to words that wait in a socket. It reads them
before the last timer rings."""
_LATE_S: Final = 2.0


class Timer(Protocol):
    """What a loop gives for a call that comes later."""

    def cancel(self) -> None:
        """Let it never come."""


class Loop(Protocol):
    """What is needed of an event loop; times in s."""

    def time(self) -> float:
        """Return the loop's own time."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> Timer:
        """Call back after so long."""


class Silence:
    """Calls back once when nothing was heard for a minute; after the next word, again."""

    def __init__(self, loop: Loop, silent: Callable[[], None]) -> None:
        self._loop = loop
        self._silent = silent
        self._timer: Timer | None = None
        self._due_s = 0.0
        self._again = False

    def heard(self) -> None:
        """Count anew, from now on."""
        self._again = False
        self._wind(SILENT_S - _LAST_S, self._almost)

    def stop(self) -> None:
        """Expect nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _almost(self) -> None:
        self._wind(_LAST_S, self._ring)

    def _ring(self) -> None:
        late = self._loop.time() - self._due_s > _LATE_S
        if late and not self._again:  # we were stopped; but a machine that is always late ends too
            self._again = True
            self._almost()
            return
        self._timer = None
        self._silent()

    def _wind(self, delay_s: float, callback: Callable[[], None]) -> None:
        self.stop()
        self._due_s = self._loop.time() + delay_s
        self._timer = self._loop.call_later(delay_s, callback)
