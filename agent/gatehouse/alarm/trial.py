"""Trying the outputs on demand: lamps blink for a moment, buzzers where wanted, relays never."""

import asyncio
from collections.abc import Callable
from typing import Final

from gatehouse.alarm.lamps import Trial
from gatehouse.errors import ControlError

LONGEST_S: Final = 3.0


class Trials:
    """The one trial that goes on, if there is one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self.now: Trial | None = None

    def begin(self, seconds: float, *, sound: bool) -> None:
        """Begin one, in place of what goes on. Raises ControlError when that is too long."""
        if not 0 < seconds <= LONGEST_S:
            raise ControlError(f"seconds must be more than 0 and at most {LONGEST_S:g}")
        self.end()
        self.now = Trial(sound)
        self._timer = self._loop.call_later(seconds, self._over)
        self._changed()

    def end(self) -> None:
        """Show the lamps as things stand, from the next look on."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.now = None

    def _over(self) -> None:
        self.end()
        self._changed()
