"""The outbox as the service sees it: what must reach the district, kept until it has."""

import asyncio
import contextlib
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.errors import OutboxError
from gatehouse.events import Event
from gatehouse.outbox import salvage
from gatehouse.outbox.model import LogEntry, Opening, Pending, Trouble
from gatehouse.outbox.orders import Acknowledged, Drop, Order, Put, Received, Seen, Sent
from gatehouse.outbox.queue import Queue
from gatehouse.outbox.sqlite import Reader, Store
from gatehouse.outbox.writer import Keeping, Reports, Writer
from gatehouse.threads import off_loop

OnStored = Callable[[str, int], None]
OnTrouble = Callable[[str, bool, Mapping[str, Any]], None]

_OPEN_S: Final = 2.0
_HANG_S: Final = 2.0
_AGAIN_S: Final = 5.0
_READ_S: Final = 5.0
_READERS: Final = 4
_RECENT: Final = 512
_IN_MEMORY: Final = 5000
_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait (others than alarms) and how much of the log is kept; bytes and days."""

    pending: int = 50_000
    pending_bytes: int = 64 * 1024 * 1024
    log_days: int = 400
    log_bytes: int = 200 * 1024 * 1024


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
    ) -> None:
        self._path = path
        self._clock = clock
        self._random = random
        self._on_stored = on_stored
        self._on_trouble = on_trouble
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._undurable: OrderedDict[str, tuple[bytes, bool]] = OrderedDict()
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._cancelled: set[str] = set()
        self._early: list[Order] = []
        self._writer: Writer | None = None
        self._readers = asyncio.Semaphore(_READERS)
        self._hanging = False
        self._dropped = 0
        self._hang: asyncio.TimerHandle | None = None
        self.pending = Queue()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        random: Callable[[int], bytes],
        on_stored: OnStored,
        on_trouble: OnTrouble,
        limits: Limits = Limits(),
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
        )
        opened: asyncio.Future[Opening] = outbox._loop.create_future()
        thread = threading.Thread(
            target=outbox._work, args=(opened,), name="outbox-writer", daemon=True
        )
        thread.start()
        try:
            async with asyncio.timeout(_OPEN_S):
                found = await asyncio.shield(opened)
        except (OutboxError, TimeoutError) as exc:
            return outbox, outbox._blind(str(exc) or "the disk did not answer within 2 s")
        for entry in found.pending:
            outbox.pending.add(entry)
        return outbox, found

    def put(self, event: Event, body: bytes) -> None:
        """Take an event: it waits for the district from now on, and for the disk some ms."""
        alarm = events.is_alarm_class(event.type, event.data)
        self._undurable[event.id] = (body, alarm)
        self.pending.add(Pending.of(event, len(body), self._clock.reading().unix_ns))
        self._ask(Put(event, body, alarm))
        if self._hang is None and not self._hanging:
            self._hang = self._loop.call_later(_HANG_S, self._look_for_hang, event.id)
        self._make_room()

    def sent(self, id: str) -> None:  # noqa: A002  # an event's id, by its own name
        """Note that a broker has taken an event."""
        self._ask(Sent(id))

    def received(self, ids: Iterable[str]) -> list[str]:
        """End events that the district has; returns those that were waiting."""
        known = [id_ for id_ in dict.fromkeys(ids) if self.pending.done(id_) is not None]
        if known:
            self._ask(Received(tuple(known)))
            self._end_full()
        return known

    def acknowledged(self, ids: Iterable[str], by: str) -> None:
        """Note that a person has answered these alarms."""
        self._ask(Acknowledged(tuple(ids), by))

    def command_seen(self, command_id: str, expires_unix: float) -> None:
        """Remember a command over restarts."""
        self._ask(Seen(command_id, expires_unix))

    async def bodies(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the exact JSON of these events, from memory where it is there.

        Raises OutboxError or TimeoutError when the disk does not answer.
        """
        found: dict[str, bytes] = {}
        for id_ in ids:
            body = self._recent.get(id_) or self._undurable.get(id_, (None,))[0]
            if body is not None:
                found[id_] = body
        absent = [id_ for id_ in ids if id_ not in found]
        if absent:
            found |= await self._read(lambda reader: reader.bodies(absent))
        return found

    async def log(self, *, limit: int, pending_only: bool) -> list[LogEntry]:
        """Return the newest events, newest last; those that are not on disk yet among them."""
        rows: list[LogEntry] = []
        with contextlib.suppress(OutboxError, TimeoutError):  # what is in memory is still shown
            rows = await self._read(lambda reader: reader.log(limit, pending_only=pending_only))
        rows += [
            LogEntry(body, id_ in self.pending)
            for id_, (body, _) in self._undurable.items()
            if id_ in self.pending or not pending_only
        ]
        return rows[-limit:]

    def size_bytes(self) -> int:
        """Return the bytes of JSON that wait for the district."""
        return self.pending.bytes

    async def close(self, timeout_s: float) -> None:
        """Write what waits, at most that long; a thread that hangs is left behind."""
        if self._hang is not None:
            self._hang.cancel()
        if self._writer is None:
            return
        writer = self._writer
        writer.ask(None)
        with contextlib.suppress(TimeoutError):
            await off_loop(
                lambda: writer.done.wait(timeout_s), name="outbox-close", timeout_s=timeout_s
            )

    # In the writer's thread.

    def _work(self, opened: "asyncio.Future[Opening]") -> None:
        while True:
            now = self._clock.reading().unix_ns / 1e9
            try:
                found = salvage.open_store(self._path, now, self._random)
                opening = salvage.opening(found.store, now, found.trouble)
                break
            except Exception as exc:  # noqa: BLE001  # told in the loop; a thread has nobody else
                self._post(self._not_opened, opened, exc)
            time.sleep(_AGAIN_S)  # a disk that comes back wakes nobody
        writer = Writer(
            found.store,
            Reports(stored=self._report_stored, trouble=self._report_trouble),
            keeping=Keeping(self._limits.log_days * 86400.0, self._limits.log_bytes),
            unix=lambda: self._clock.reading().unix_ns / 1e9,
            cancelled=self._cancelled,
            salvage=self._salvage,
        )
        self._post(self._opened, opened, opening, writer)
        writer.run()

    def _salvage(self, damaged: Store) -> Store:
        now = self._clock.reading().unix_ns / 1e9
        found = salvage.salvage(damaged.path, now, self._random)
        for trouble in found.trouble:
            self._post(self._on_trouble, trouble.fault, True, trouble.data)
        return found.store

    def _report_stored(self, ids: list[str], at_ns: int) -> None:
        self._post(self._stored, ids, at_ns)

    def _report_trouble(self, why: str | None) -> None:
        self._post(self._trouble, why)

    def _post(self, call: Callable[..., None], *args: Any) -> None:  # noqa: ANN401  # any callable
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call, *args)

    # In the loop again.

    def _opened(self, opened: "asyncio.Future[Opening]", opening: Opening, writer: Writer) -> None:
        self._writer = writer
        for order in self._early:
            writer.ask(order)
        self._early.clear()
        if not opened.done():
            opened.set_result(opening)
            return
        for entry in opening.pending:  # the disk answered late: what waited there waits again
            self.pending.add(entry)
        self._trouble(None)

    def _not_opened(self, opened: "asyncio.Future[Opening]", exc: Exception) -> None:
        if not opened.done():
            error = exc if isinstance(exc, OutboxError) else OutboxError(f"{self._path}: {exc!r}")
            opened.set_exception(error)

    def _blind(self, why: str) -> Opening:
        start = 50_000_000 + int.from_bytes(self._random(4), "big") % 50_000_000
        store = str(uuid.UUID(bytes=self._random(16), version=4))
        said = {"text": why}
        trouble = (Trouble("outbox-start", said), Trouble("outbox-disk", said))
        return Opening(store, start, trouble=trouble)

    def _ask(self, order: Order) -> None:
        if self._writer is None:
            self._early.append(order)
        else:
            self._writer.ask(order)

    def _stored(self, ids: list[str], at_ns: int) -> None:
        for id_ in ids:
            body, _ = self._undurable.pop(id_, (b"", False))
            if body and id_ in self.pending:
                self._recent[id_] = body
            self._on_stored(id_, at_ns)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        if self._hanging:
            self._hanging = False
            self._on_trouble("outbox-disk", False, {})

    def _trouble(self, why: str | None) -> None:
        if why is None:
            self._hanging = False
        self._on_trouble("outbox-disk", why is not None, {} if why is None else {"text": why})

    def _look_for_hang(self, event_id: str) -> None:
        """A commit that takes two seconds is a disk that hangs."""
        self._hang = None
        if event_id in self._undurable and not self._hanging:
            self._hanging = True
            self._on_trouble("outbox-disk", True, {"text": "a commit takes longer than 2 s"})
        elif self._undurable and not self._hanging:
            first = next(iter(self._undurable))
            self._hang = self._loop.call_later(_HANG_S, self._look_for_hang, first)

    def _make_room(self) -> None:
        """Drop the least important where there is too much of it, and say so."""
        limits = self._limits
        dropped = self.pending.make_room(limits.pending, limits.pending_bytes)
        if len(self._undurable) > _IN_MEMORY:
            dropped += self._shed()
        if not dropped:
            return
        ids = tuple(entry.id for entry in dropped)
        self._ask(Drop(ids))
        first = self._dropped == 0
        self._dropped += len(ids)
        if first:
            named = [entry.sequence for entry in dropped[:_NAMED]]
            self._on_trouble("outbox-full", True, {"dropped": len(ids), "sequences": named})

    def _shed(self) -> list[Pending]:
        """The disk takes nothing: keep memory for alarms."""
        shed: list[Pending] = []
        others = [id_ for id_, (_, alarm) in self._undurable.items() if not alarm]
        for id_ in others[: max(0, len(others) - _IN_MEMORY)]:
            self._cancelled.add(id_)
            del self._undurable[id_]
            if (entry := self.pending.done(id_)) is not None:
                shed.append(entry)
        return shed

    def _end_full(self) -> None:
        limits = self._limits
        roomy = self.pending.others < 0.9 * limits.pending
        if self._dropped and roomy and self.pending.other_bytes < 0.9 * limits.pending_bytes:
            total, self._dropped = self._dropped, 0
            self._on_trouble("outbox-full", False, {"dropped": total})

    async def _read(self, question: Callable[[Reader], Any]) -> Any:  # noqa: ANN401  # the question's own
        if self._readers.locked():
            raise OutboxError(f"{self._path} does not answer: {_READERS} reads hang in the disk")
        async with self._readers:
            return await off_loop(
                lambda: _asked(self._path, question), name="outbox-read", timeout_s=_READ_S
            )


def _asked(path: Path, question: Callable[[Reader], Any]) -> Any:  # noqa: ANN401  # the question's own
    with contextlib.closing(Reader(path)) as reader:
        return question(reader)
