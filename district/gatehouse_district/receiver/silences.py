"""Noticing gateways from which no heartbeat comes any more."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from gatehouse_district.receiver.heard import State
from gatehouse_district.receiver.presence import HEARTBEAT_S, INTERVALS


class Silences:
    """Knows until when each gateway must be heard again; nothing is said while we are deaf."""

    def __init__(self, fell_silent: Callable[[str], Awaitable[None]]) -> None:
        self._fell_silent = fell_silent
        self._loop = asyncio.get_running_loop()
        self._intervals: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._deaf = True
        self._woken = asyncio.Event()

    def expect(self, gateway: str, heartbeat_s: float) -> None:
        """Wait for heartbeats of a gateway from now on."""
        self._intervals[gateway] = heartbeat_s
        self.beat(gateway)

    def said(self, state: State) -> None:
        """Take a birth; an end may be that of an older connection, and changes nothing here."""
        if not state.online:
            return
        beat: Any = state.body.get("heartbeat_s")
        plain = isinstance(beat, int | float) and 1.0 <= beat <= 3600.0
        self.expect(state.gateway, float(beat) if plain else HEARTBEAT_S)

    def beat(self, gateway: str) -> None:
        """Take a heartbeat."""
        interval_s = self._intervals.setdefault(gateway, HEARTBEAT_S)
        was = self._due.get(gateway)
        self._due[gateway] = self._loop.time() + INTERVALS * interval_s
        if was is None or self._due[gateway] < was:
            self._woken.set()

    def hearing(self, *, now: bool) -> None:
        """Take that we hear the gateways now, or do not; then all have their time anew."""
        self._deaf = not now
        for gateway in self._due:
            self._due[gateway] = self._loop.time() + INTERVALS * self._intervals[gateway]
        self._woken.set()

    async def run(self) -> None:
        """Tell of silences, each once, until cancelled."""
        while True:
            self._woken.clear()
            now_s = self._loop.time()
            if not self._deaf:
                for gateway in [each for each, due_s in self._due.items() if due_s <= now_s]:
                    del self._due[gateway]
                    await self._fell_silent(gateway)
            due_s = None if self._deaf else min(self._due.values(), default=None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await self._woken.wait()
