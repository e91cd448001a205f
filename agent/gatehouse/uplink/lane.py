"""Events of one topic on their way: read from the outbox, sent, resent until their receipt.

There are two lanes, alarms and all others, so that nothing the others meet (a refusal, a slow disk)
holds up an alarm.
"""

import asyncio
import heapq
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from gatehouse.uplink.backoff import doubling
from gatehouse.uplink.ports import Pending
from gatehouse.uplink.timing import Timing

_log = logging.getLogger(__name__)

READY_MOST: Final = 64
"""Events held with their bodies: enough to keep the window full, few enough for the memory."""

OVERHEAD: Final = 16
"""Bytes that a PUBLISH adds to topic and body, about."""


@dataclass(slots=True, eq=False)
class Flight:
    """One event on its way over one connection."""

    id: str
    alarm: bool
    sequence: str = ""
    proof: bool = False
    body: bytes = b""
    size: int = 0
    sent_s: float = 0.0
    published: int = 0
    refusals: int = 0
    over: bool = False
    told: Callable[[int], object] | None = None  # for what is no event: hears the reason code

    def load(self, body: bytes) -> None:
        """Take the body along."""
        self.body = body
        self.size = len(body) + OVERHEAD


@dataclass(slots=True)
class Lane:
    """One topic's events; ``resend_s`` is the first wait for a receipt."""

    topic: str
    head: bytes  # the topic as it goes over the wire
    alarm: bool
    resend_s: float
    timing: Timing
    loop: asyncio.AbstractEventLoop
    next_pending: Callable[[Collection[str]], Pending | None]
    waits: Callable[[str], bool]  # whether the district still lacks it
    bodies: Callable[[Sequence[str]], Awaitable[dict[str, bytes]]]
    stir: Callable[[], None]  # something is ready to be sent
    flights: dict[str, Flight] = field(default_factory=dict)
    ready: deque[Flight] = field(default_factory=deque)
    out: int = 0  # without a PUBACK
    refusals: int = 0  # in a row
    hungry: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: bool = False
    _resume_s: float = 0.0
    _due: list[tuple[float, int, Flight]] = field(default_factory=list)
    _tie: Iterator[int] = field(default_factory=itertools.count)
    _timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits here to go, nor might."""
        return not (self.ready or self._reading or self.hungry.is_set())

    def attach(self) -> None:
        """Begin on a new connection: everything without a receipt goes again.

        Alarms forget that they were refused. The others do not: mosquitto 2.0.11 ends the
        connection after a PUBACK 0x87, and trying at once again would end the next one too.
        """
        if self.alarm:
            self.refusals = 0
        self.next_pending(())  # nothing is under way: the queue begins anew
        self.hungry.set()

    def detach(self) -> None:
        """Forget what the last connection had under way."""
        self.flights.clear()
        self.ready.clear()
        self._due.clear()
        self.out = 0
        self._reading = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def first(self) -> Flight | None:
        """Return what would go next; None while there is nothing or after a refusal.

        After a refusal one event alone tries whether the broker takes them again.
        """
        if self.refusals and (self.out or self.loop.time() < self._resume_s):
            return None
        while self.ready and self.ready[0].over:
            self.ready.popleft()
            self._look_for_more()
        return self.ready[0] if self.ready else None

    def launched(self, flight: Flight) -> None:
        """Note that a flight was published; it is the first one or a live press."""
        if self.ready and self.ready[0] is flight:
            self.ready.popleft()
        self._look_for_more()
        self.flights[flight.id] = flight
        self.out += 1

    def accepted(self, flight: Flight) -> None:
        """Note a PUBACK 0x00: the receipt is awaited, and if none comes the event goes again."""
        self.out -= 1
        self.refusals = 0
        flight.refusals = 0
        flight.body = b""
        if flight.over or flight.proof:
            self.done(flight.id)
            return
        wait = doubling(self.resend_s, self.timing.resend_most_s, flight.published)
        flight.published += 1
        self.again(flight, flight.sent_s + wait)

    def refused(self, flight: Flight, *, alone: bool, first_again: bool) -> None:
        """Note a refusal: of this event ``alone``, or else of what the topic carries."""
        self.out -= 1
        timing = self.timing
        if alone:
            wait = doubling(timing.refused_s, timing.refused_most_s, flight.refusals)
            flight.refusals += 1
            self.again(flight, self.loop.time() + wait)
            return
        wait = doubling(timing.refused_s, timing.refused_most_s, self.refusals)
        self.refusals += 1
        self._resume_s = self.loop.time() + wait
        if first_again:
            self.ready.appendleft(flight)
        else:
            self.ready.append(flight)
        self.loop.call_at(self._resume_s, self.stir)

    def again(self, flight: Flight, at_s: float) -> None:
        """Have a flight published at that time of the loop."""
        if flight.over:
            return
        self.flights[flight.id] = flight
        heapq.heappush(self._due, (at_s, next(self._tie), flight))
        self._arm()

    def done(self, event_id: str) -> Flight | None:
        """Forget an event that the district has."""
        flight = self.flights.pop(event_id, None)
        if flight is not None:
            flight.over = True
        return flight

    async def fill(self) -> None:
        """Keep events ready with their bodies, as long as the connection lasts."""
        while True:
            await self.hungry.wait()
            self.hungry.clear()
            self._reading = True
            while len(self.ready) <= READY_MOST // 2 and (batch := self._pick()):
                await self._read(batch)  # many at once: each reading costs a thread
            self._reading = False
            self.stir()  # what goes behind all events may go now

    def _look_for_more(self) -> None:
        """Ask for more when half is gone: one by one, or many at once by a receipt."""
        if len(self.ready) <= READY_MOST // 2:
            self.hungry.set()

    def _arm(self) -> None:
        """Wake when the next resend is due."""
        if not self._due:
            return
        at_s = self._due[0][0]
        if self._timer is not None:
            if self._timer.when() <= at_s:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(at_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.hungry.set()

    def _pick(self) -> list[Flight]:
        """Choose what to read next: what is due again, then what was not sent yet."""
        room = READY_MOST - len(self.ready)
        picked: list[Flight] = []
        now = self.loop.time()
        while self._due and len(picked) < room and self._due[0][0] <= now:
            flight = heapq.heappop(self._due)[2]
            if not (flight.over or self._gave_way(flight)):
                picked.append(flight)
        if len(picked) < room:  # else a timer for what is overdue would ring without a pause
            self._arm()
        while len(picked) < room:
            pending = self.next_pending(self.flights)
            if pending is None:
                break
            flight = Flight(pending.id, self.alarm, pending.sequence)
            self.flights[flight.id] = flight
            picked.append(flight)
        return picked

    def _gave_way(self, flight: Flight) -> bool:
        """Whether the outbox has dropped an event since it was picked: it has no body any more."""
        if flight.proof or self.waits(flight.id):
            return False
        self.done(flight.id)
        return True

    async def _read(self, batch: list[Flight]) -> None:
        """Fetch bodies; one that hangs must not keep the others back, so then one by one.

        The newest first: it is the likeliest to be in memory still, and a live press.
        """
        timeout_s = self.timing.bodies_s
        absent = self._load(batch, await self._bodies([flight.id for flight in batch], timeout_s))
        if len(batch) > 1:
            alone = [
                self._load([flight], await self._bodies([flight.id], timeout_s / 10))
                for flight in reversed(absent)
            ]
            absent = [flight for flights in alone for flight in flights]
        for flight in absent:
            self.again(flight, self.loop.time() + timeout_s)
        if absent:
            _log.warning("%d events for %s cannot be read now", len(absent), self.topic)

    def _load(self, flights: list[Flight], found: dict[str, bytes]) -> list[Flight]:
        """Make ready those whose bodies were found; return the others."""
        absent = []
        for flight in flights:
            body = found.get(flight.id)
            if body is None:
                absent.append(flight)
            elif self.flights.get(flight.id) is flight:
                flight.load(body)
                self.ready.append(flight)
        self.stir()
        return [flight for flight in absent if not flight.over]

    async def _bodies(self, ids: Sequence[str], timeout_s: float) -> dict[str, bytes]:
        try:
            async with asyncio.timeout(timeout_s):
                return await self.bodies(ids)
        except Exception as exc:  # noqa: BLE001  # the other lane must not fall with this one
            _log.debug("reading %d events failed: %r", len(ids), exc)
            return {}
