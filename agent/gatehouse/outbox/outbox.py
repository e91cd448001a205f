"""The outbox as the service sees it: what must reach the district, kept until it has."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.errors import OutboxError
from gatehouse.events import Event, Importance
from gatehouse.outbox.giving_way import GivingWay
from gatehouse.outbox.inbox import Inbox
from gatehouse.outbox.memory import Memory
from gatehouse.outbox.model import Limits, LogEntry, Opening, Pending, Timing, Trouble
from gatehouse.outbox.opener import Hears, Opener, blind
from gatehouse.outbox.orders import (
    Acknowledged,
    Drop,
    Mend,
    Moment,
    Order,
    Put,
    Received,
    Seen,
    Sent,
)
from gatehouse.outbox.queue import Queue
from gatehouse.outbox.reader import Reader, Reserve
from gatehouse.outbox.reading import Reading
from gatehouse.outbox.sqlite import DamagedError
from gatehouse.outbox.trouble import DiskTrouble
from gatehouse.outbox.writer import Writer
from gatehouse.threads import off_loop

T = TypeVar("T")
OnStored = Callable[[str, int], None]
OnTrouble = Callable[[str, bool, Mapping[str, Any]], None]

_SOON_S: Final = 0.05
_LIMITS: Final = Limits()
_TIMING: Final = Timing()


class Outbox:
    """Takes events at once, makes them durable beside the loop, and knows what waits."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        random: Callable[[int], bytes],
        on_stored: OnStored,
        on_trouble: OnTrouble,
        limits: Limits,
        timing: Timing,
    ) -> None:
        self._clock = clock
        self._random = random
        self._on_stored = on_stored
        self._on_trouble = on_trouble
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._memory = Memory()
        self._reading = Reading(path, self._loop, timing.read_s)
        self._disk = DiskTrouble(on_trouble)
        self._writer: Writer | None = None
        self._look: asyncio.TimerHandle | None = None
        self._opening: asyncio.Future[Opening] | None = self._loop.create_future()
        self._claim: Opening | None = None
        self.pending = Queue()
        self._giving_way = GivingWay(self.pending, self._memory, limits, on_trouble)
        self._opener = Opener(
            path,
            self._inbox,
            self._loop,
            self._hears(),
            clock=clock,
            random=random,
            limits=limits,
            timing=timing,
        )

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        random: Callable[[int], bytes],
        on_stored: OnStored,
        on_trouble: OnTrouble,
        limits: Limits = _LIMITS,
        timing: Timing = _TIMING,
    ) -> tuple[Self, Opening]:
        """Open the file within two seconds, or go on in memory until the disk answers.

        A start that could not be stored is a random number that no counting ever reaches.
        """
        outbox = cls(
            path,
            clock=clock,
            random=random,
            on_stored=on_stored,
            on_trouble=on_trouble,
            limits=limits,
            timing=timing,
        )
        return outbox, await outbox._open()

    def put(self, event: Event, body: bytes) -> None:
        """Take an event: it waits for the district from now on, and for the disk some ms."""
        entry = Pending.of(event, len(body), self._clock.reading().unix_ns)
        self._memory.put(event.id, body, entry.importance)
        self.pending.add(entry)
        self._ask(Put(event, body, entry.importance is Importance.ALARM))
        if dropped := self._giving_way.make_room():
            self._ask(Drop(dropped))

    def sent(self, id: str) -> None:  # noqa: A002  # an event's id, by its own name
        """Note that a broker has taken an event; what was received or dropped meanwhile is over."""
        if id in self.pending:
            self._ask(Sent(id))

    def received(self, ids: Iterable[str]) -> list[str]:
        """End events that the district has; returns those that were waiting."""
        known = [id_ for id_ in dict.fromkeys(ids) if self.pending.done(id_) is not None]
        if known:
            refused = self._memory.refused
            for id_ in known:
                self._memory.received(id_)
            self._ask(Received(tuple(known), Moment.of(self._clock)))
            self._giving_way.end()
            if refused and not self._memory.refused:
                self._on_trouble("outbox-refused", False, {})
        return known

    def acknowledged(self, ids: Iterable[str], by: str) -> None:
        """Note that a person has answered these alarms."""
        self._ask(Acknowledged(tuple(ids), by, Moment.of(self._clock)))

    def command_seen(self, command_id: str, expires_unix: float) -> None:
        """Remember a command over restarts."""
        self._ask(Seen(command_id, expires_unix))

    async def bodies(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the exact JSON of these events, from memory where it is there.

        Raises OutboxError or TimeoutError when the disk does not answer.
        """
        found = {id_: body for id_ in ids if (body := self._memory.body(id_)) is not None}
        absent = [id_ for id_ in ids if id_ not in found]
        if absent:
            found |= await self._read(lambda reader: reader.bodies(absent))
        return found

    async def log(self, *, limit: int, pending_only: bool) -> list[LogEntry]:
        """Return the newest events, newest last; those that are not on disk yet among them."""
        rows: list[LogEntry] = []
        undurable = dict(self._memory.undurable())  # also what is stored while the file is read
        with contextlib.suppress(OutboxError, TimeoutError):  # what is in memory is still shown
            rows = await self._read(lambda reader: reader.log(limit, pending_only=pending_only))
        undurable |= dict(self._memory.undurable())
        known = {row.body for row in rows}  # stored, and not told yet
        rows += [
            LogEntry(body, id_ in self.pending)
            for id_, body in undurable.items()
            if (id_ in self.pending or not pending_only) and body not in known
        ]
        return rows[-limit:]

    async def of_types(
        self, types: Sequence[str], before: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return what a step back through the log finds of these types; see `Reader.of_types`.

        Raises OutboxError or TimeoutError when the disk does not answer, or has not yet.
        """
        if self._writer is None:
            raise OutboxError("the outbox is not open yet")
        return await self._read(lambda reader: reader.of_types(types, before))

    async def examine(self) -> Reserve:
        """Look for damage, and at the room that is held for alarms.

        Damage is mended like any that is found (raises DamagedError besides). Raises OutboxError or
        TimeoutError when the disk does not answer, or has not yet.
        """
        if self._writer is None:
            raise OutboxError("the outbox is not open yet")
        return await self._read(lambda reader: reader.examine())

    async def history(self, types: Sequence[str], after: int) -> tuple[list[bytes], int | None]:
        """Return the JSON of what a step forward finds (`Reader.history`), made beside the loop.

        Raises OutboxError or TimeoutError when the disk does not answer, or has not yet.
        """
        if self._writer is None:
            raise OutboxError("the outbox is not open yet")

        def question(reader: Reader) -> tuple[list[bytes], int | None]:
            found, following = reader.history(types, after)
            return [each.json() for each in found], following

        return await self._read(question)

    def holds(self, event_id: str) -> bool:
        """Whether an event waits here, for the disk or for the district."""
        return event_id in self.pending or event_id in self._memory

    def size_bytes(self) -> int:
        """Return the bytes of JSON that wait for the district."""
        return self.pending.bytes

    async def close(self, timeout_s: float) -> None:
        """Write what waits, at most that long; a thread that hangs is left behind."""
        if self._look is not None:
            self._look.cancel()
        self._inbox.end()
        if self._writer is None:
            return
        writer = self._writer
        with contextlib.suppress(TimeoutError):
            await off_loop(
                lambda: writer.done.wait(timeout_s), name="outbox-close", timeout_s=timeout_s
            )

    async def _read(self, question: Callable[[Reader], T]) -> T:
        try:
            return await self._reading.ask(question)
        except DamagedError as exc:
            self._ask(Mend(str(exc)))
            raise

    def _ask(self, order: Order) -> None:
        self._inbox.add(order)
        if self._look is None:
            self._look = self._loop.call_later(self._timing.hang_s, self._look_for_hang)

    # Opening.

    async def _open(self) -> Opening:
        self._opener.start()
        try:
            async with asyncio.timeout(self._timing.open_s):
                opening = await self._opening_or_fail()
        except (OutboxError, TimeoutError) as exc:
            why = str(exc) or f"no answer within {self._timing.open_s:g} s"
            self._disk.known("open", why)
            return blind(self._claim, why, self._random)
        finally:
            self._opening = None
        for entry in opening.pending:
            self.pending.add(entry)
        return opening

    async def _opening_or_fail(self) -> Opening:
        if self._opening is None:
            raise OutboxError("an outbox is opened once")
        return await self._opening

    # What the thread reports, in the loop.

    def _hears(self) -> Hears:
        return Hears(
            claimed=self._claimed,
            opened=self._opened,
            not_opened=self._not_opened,
            stored=self._stored,
            refused=self._refused,
            trouble=self._trouble,
            replaced=self._replaced,
        )

    def _claimed(self, claim: Opening) -> None:
        self._claim = self._claim or claim

    def _opened(self, opening: Opening, writer: Writer) -> None:
        self._writer = writer
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(opening)
            return
        self.pending.add_before(opening.pending)  # the disk answered late
        for trouble in opening.trouble:
            self._on_trouble(trouble.fault, True, trouble.data)
        self._disk.set("open", None)

    def _not_opened(self, why: str) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(OutboxError(why))

    def _stored(self, ids: list[str], at_ns: int) -> None:
        for id_ in ids:
            self._memory.stored(id_, pending=id_ in self.pending)
            self._on_stored(id_, at_ns)
        self._disk.set("hangs", None)
        self._giving_way.end()

    def _refused(self, event_id: str, why: str) -> None:
        self._memory.refuse(event_id, pending=event_id in self.pending)
        if self._memory.refused:
            self._on_trouble("outbox-refused", True, {"event": event_id, "text": why})

    def _trouble(self, why: str | None) -> None:
        self._disk.set("refuses", why)

    def _replaced(self, still: frozenset[str], troubles: tuple[Trouble, ...]) -> None:
        """The file was damaged and replaced: what it lost is stored again, if it is known here."""
        for entry in self.pending:
            if entry.id in still or entry.id in self._memory:
                continue
            body = self._memory.body(entry.id)
            if body is None:
                self.pending.done(entry.id)
            else:
                self._memory.put(entry.id, body, entry.importance)
                alarm = entry.importance is Importance.ALARM
                self._ask(Put(events.decode(body), body, alarm))
        for trouble in troubles:
            self._on_trouble(trouble.fault, True, trouble.data)

    def _look_for_hang(self) -> None:
        """A disk that was asked two seconds ago and has not answered hangs."""
        self._look = None
        asked_s = None if self._writer is None else self._writer.asked_s
        took_s = 0.0 if asked_s is None else self._clock.reading().monotonic_ns / 1e9 - asked_s
        hangs = took_s >= self._timing.hang_s
        self._disk.set("hangs", f"no answer within {self._timing.hang_s:g} s" if hangs else None)
        if len(self._inbox):
            wait_s = max(_SOON_S, self._timing.hang_s - (0.0 if hangs else took_s))
            self._look = self._loop.call_later(wait_s, self._look_for_hang)
