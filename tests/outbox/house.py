"""Events to store, an outbox that notes what it reports, and a disk that obeys the test."""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gatehouse import events
from gatehouse.clock import Reading
from gatehouse.events import Event, Happening, Mode, Scribe
from gatehouse.outbox import Limits, Opening, Outbox, Timing
from gatehouse.outbox.orders import Put
from gatehouse.outbox.store import Store

LIMIT_S = 60.0
QUICK = Timing(open_s=60.0, hang_s=60.0, again_s=0.05, read_s=60.0)
HANGS = replace(QUICK, hang_s=1.0)
"""Where a disk is to hang: elsewhere a loaded one would be told as one that does."""
NOON = 1_790_000_000.0
"""A Unix time in 2026."""


async def until(seen: Callable[[], object]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(LIMIT_S):
        while not seen():  # noqa: ASYNC110  # the condition is another thread's
            await asyncio.sleep(0.005)  # between two looks at the condition


class StillClock:
    """A clock that only the test moves; monotonic goes on by a µs with each reading."""

    bootid = "11111111-2222-4333-8444-555555555555"

    def __init__(self, unix: float = NOON) -> None:
        self.unix = unix
        self.is_synced = True
        self._ns = 1_000_000_000

    def reading(self) -> Reading:
        """Read all clocks."""
        self._ns += 1000
        return Reading(int(self.unix * 1e9), self._ns, self._ns)

    def pass_s(self, seconds: float) -> None:
        """Let time pass, on all clocks."""
        self.unix += seconds
        self._ns += int(seconds * 1e9)

    def synced(self) -> bool:
        """Say what the test says."""
        return self.is_synced


def scribe(store: str = "store", start: int = 1, seed: int = 1) -> Scribe:
    """Return a scribe whose ids come from a seed."""
    return Scribe(
        gateway="gw-1",
        store=store,
        start=start,
        clock=StillClock(),
        random=random.Random(seed).randbytes,  # noqa: S311  # ids that a test can repeat
    )


def alarm(made: Scribe, button: str = "gate", mode: Mode = Mode.REAL, **data: Any) -> Event:
    """Make an alarm."""
    told = {"location": "南门门卫室", "held_at_start": False, **data}
    return made.write(Happening(events.ALARM_RAISED, f"button/{button}", told, mode))


def other(made: Scribe, type_: str = "gatehouse.recording.gap", **data: Any) -> Event:
    """Make an event that is no alarm."""
    return made.write(Happening(type_, "camera/gate", {"seconds": 300, **data}))


def put(event: Event) -> Put:
    """Return the order to keep an event."""
    return Put(event, events.encode(event), events.is_alarm_class(event.type, event.data))


def rows(store: Store, query: str, *values: Any) -> list[Any]:
    """Ask the store's own connection."""
    return store._db.execute(query, values).fetchall()


@dataclass
class Heard:
    """What an outbox reports."""

    stored: list[str] = field(default_factory=list)
    troubles: list[tuple[str, bool, dict[str, Any]]] = field(default_factory=list)

    def on_stored(self, event_id: str, _at_ns: int) -> None:
        """Note that an event is durable."""
        self.stored.append(event_id)

    def on_trouble(self, fault: str, begins: bool, data: Mapping[str, Any]) -> None:
        """Note a trouble."""
        self.troubles.append((fault, begins, dict(data)))

    def of(self, fault: str) -> list[bool]:
        """Return how often and in which order a fault began (True) and ended (False)."""
        return [begins for name, begins, _ in self.troubles if name == fault]


@dataclass
class Open:
    """An open outbox, what it found, and what it reports."""

    outbox: Outbox
    opening: Opening
    heard: Heard
    clock: StillClock
    scribe: Scribe

    def put(self, event: Event) -> Event:
        """Put an event."""
        self.outbox.put(event, events.encode(event))
        return event

    def alarm(self, button: str = "gate", **data: Any) -> Event:
        """Put an alarm."""
        return self.put(alarm(self.scribe, button, **data))

    def other(self, type_: str = "gatehouse.recording.gap", **data: Any) -> Event:
        """Put another event."""
        return self.put(other(self.scribe, type_, **data))

    async def settled(self) -> None:
        """Wait until everything that was put is durable."""
        await until(lambda: not list(self.outbox._memory.undurable()))

    async def idle(self) -> None:
        """Wait until the thread has nothing left to do: the room for alarms is made."""
        await until(lambda: self._left_s() > 60.0)

    def _left_s(self) -> float:
        writer = self.outbox._writer
        if writer is None or len(self.outbox._inbox):
            return 0.0
        return writer._upkeep.left_s(self.clock.reading().monotonic_ns / 1e9)


@asynccontextmanager
async def opened(
    path: Path,
    *,
    limits: Limits = Limits(),  # noqa: B008  # frozen
    timing: Timing = QUICK,
    clock: StillClock | None = None,
    close: bool = True,
) -> AsyncIterator[Open]:
    """Open an outbox; close it at the end."""
    heard = Heard()
    clock = clock or RunningClock()
    outbox, opening = await Outbox.open(
        path,
        clock=clock,
        random=os.urandom,
        on_stored=heard.on_stored,
        on_trouble=heard.on_trouble,
        limits=limits,
        timing=timing,
    )
    made = Scribe(
        gateway="gw-1",
        store=opening.store,
        start=opening.start,
        clock=clock,
        random=os.urandom,
    )
    yield Open(outbox, opening, heard, clock, made)
    if close:
        await outbox.close(LIMIT_S)


class RunningClock(StillClock):
    """A clock whose monotonic time runs; the wall clock is the test's."""

    def reading(self) -> Reading:
        """Read all clocks."""
        now = time.monotonic_ns() + self._ns
        return Reading(int(self.unix * 1e9), now, now)


class Gate:
    """Makes a method of a class block, or fail, until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self._open = threading.Event()
        self._open.set()
        self.waiting = threading.Event()
        self.error: Exception | None = None
        self.calls: list[tuple[Any, ...]] = []
        real = getattr(owner, name)

        def gated(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(args[1:])
            if not self._open.is_set():
                self.waiting.set()
                assert self._open.wait(LIMIT_S)
            if self.error is not None:
                raise self.error
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, gated)

    def shut(self) -> None:
        """Let every call hang from now on."""
        self.waiting.clear()
        self._open.clear()

    def open(self) -> None:
        """Let what hangs go on."""
        self._open.set()
