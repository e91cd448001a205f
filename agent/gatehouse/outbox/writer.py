"""The one thread that writes: it commits whatever waits in its inbox, in order."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gatehouse.clock import Clock
from gatehouse.errors import OutboxError
from gatehouse.outbox.inbox import Inbox, put_ids
from gatehouse.outbox.orders import Mend, Order, Put, is_other
from gatehouse.outbox.retry import Retry
from gatehouse.outbox.sqlite import DamagedError, RefusedError
from gatehouse.outbox.store import Store
from gatehouse.outbox.upkeep import Upkeep

log = logging.getLogger(__name__)

_MENDED_AGAIN_S: Final = 60.0
"""A file that is damaged again so soon is a disk that fails: it is not salvaged over and over."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom the writer tells, in its own thread; times are CLOCK_MONOTONIC in ns."""

    stored: Callable[[list[str], int], None]
    refused: Callable[[str, str], None]
    """An event that can never be stored, and why."""
    trouble: Callable[[str | None], None]
    """Why not everything can be written; None when it can again and the reserve is whole."""


class Writer:
    """Owns the store. Nothing that the disk does ends its thread."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        reports: Reports,
        *,
        upkeep: Upkeep,
        clock: Clock,
        salvage: Callable[[], Store],
    ) -> None:
        self._store: Store | None = store
        self._inbox = inbox
        self._reports = reports
        self._upkeep = upkeep
        self._clock = clock
        self._salvage = salvage
        self._others = Retry()
        self._all = Retry()
        self._trouble: str | None = None
        self._mended_s = float("-inf")
        self.asked_s: float | None = None
        """When the disk was asked for what it has not done yet; None while nothing is asked."""
        self.done = threading.Event()

    def run(self) -> None:
        """Work until told to end: the body of the thread."""
        going = True
        while going:
            going = self._inbox.wait(self._patience_s())
            self._write(ending=not going)
            if going and not len(self._inbox):
                self._look_after()
        if self._store is not None:
            with contextlib.suppress(OutboxError):  # the next opening checks the file
                self._store.leave()
        self.done.set()

    def _patience_s(self) -> float:
        now_s = self._now_s()
        if self._all.left_s(now_s):
            return self._all.left_s(now_s)
        if len(self._inbox) or self._trouble is not None:
            return self._others.left_s(now_s)
        return self._upkeep.left_s(now_s)

    def _write(self, *, ending: bool) -> None:
        """Commit what waits; where the others do not fit, alarms go on without them."""
        if not (ending or self._all.due(self._now_s())):
            return
        others = ending or self._others.due(self._now_s())
        while batch := self._inbox.hand(others=others):
            try:
                self._commit(batch)
            except DamagedError as exc:
                self._inbox.give_back()
                if not ((_of_a_reader(batch) and self._just_mended()) or self._mend(exc)):
                    return
            except OutboxError as exc:
                self._inbox.give_back()
                self._fail(str(exc))
                if not any(map(is_other, batch)):
                    self._all.failed(self._now_s())
                    return
                self._others.failed(self._now_s())
                others = False
            else:
                self._all.succeeded()
                self._upkeep.wrote()
                if any(map(is_other, batch)):
                    self._others.succeeded()

    def _commit(self, batch: list[Order]) -> None:
        with self._asking() as store:
            try:
                self._write_to(store, batch)
            except RefusedError:
                self._commit_each(store, batch)
            else:
                self._wrote(batch)

    def _commit_each(self, store: Store, batch: list[Order]) -> None:
        """One order cannot be carried out, for a reason of its own: the others must not wait."""
        for order in batch:
            try:
                self._write_to(store, [order])
            except RefusedError as exc:
                log.exception("%s is refused", type(order).__name__)
                self._inbox.done(1)
                if isinstance(order, Put):
                    self._reports.refused(order.event.id, str(exc))
            else:
                self._wrote([order])

    def _write_to(self, store: Store, orders: list[Order]) -> None:
        """Write, raising OutboxError alone: what nobody foresaw lies in the orders."""
        try:
            store.write(orders, self._unix())
        except OutboxError:
            raise
        except MemoryError as exc:
            raise OutboxError(f"no memory to write to {store.path}") from exc
        except Exception as exc:
            raise RefusedError(f"cannot write to {store.path}: {exc!r}") from exc

    def _wrote(self, batch: list[Order]) -> None:
        self._inbox.done(len(batch))
        if ids := put_ids(batch):
            self._reports.stored(ids, self._clock.reading().monotonic_ns)

    def _mend(self, exc: DamagedError) -> bool:
        """The file was damaged while we ran: replace it by what can be read of it."""
        if self._just_mended():
            self._fail(str(exc))
            self._all.failed(self._now_s())
            return False
        log.error("%s; it is set aside and salvaged", exc)
        self._mended_s = self._now_s()
        if self._store is not None:
            self._store.abandon()
            self._store = None
        return True

    def _just_mended(self) -> bool:
        return self._now_s() - self._mended_s < _MENDED_AGAIN_S

    def _fail(self, why: str) -> None:
        if self._trouble is None:
            log.error("%s", why)
            self._reports.trouble(why)
        self._trouble = why

    def _look_after(self) -> None:
        """Do a little of what can wait; trouble ends when the reserve for alarms is whole too."""
        now_s = self._now_s()
        if not (self._all.due(now_s) and self._others.due(now_s)):
            return
        try:
            with self._asking() as store:
                if self._trouble is not None:
                    self._recover(store)
                elif not self._upkeep.left_s(now_s):
                    self._upkeep.step(store)
        except DamagedError as exc:
            self._mend(exc)
        except OutboxError as exc:
            self._others.failed(self._now_s())
            self._fail(str(exc))

    def _recover(self, store: Store) -> None:
        if not store.room.restock():
            self._trouble = None
            self._others.succeeded()
            self._reports.trouble(None)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Store]:
        """Note since when the disk is asked; open the file again if it had to be let go."""
        self.asked_s = self._now_s()
        try:
            if self._store is None:
                self._store = self._salvage()
            yield self._store
        finally:
            self.asked_s = None

    def _unix(self) -> float:
        return self._clock.reading().unix_ns / 1e9

    def _now_s(self) -> float:
        return self._clock.reading().monotonic_ns / 1e9


def _of_a_reader(batch: list[Order]) -> bool:
    """Whether the damage is what a reader found, maybe in the file that was replaced meanwhile."""
    return any(isinstance(order, Mend) for order in batch)
