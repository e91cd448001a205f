"""The one thread that writes: it commits whatever waits in its inbox, in order."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gatehouse.errors import OutboxError
from gatehouse.outbox.orders import Order, Put
from gatehouse.outbox.sqlite import DamagedError, Store

log = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 2000
_QUIET_S: Final = 0.25
_HOUR_S: Final = 3600.0
_RETRY_S: Final = (1.0, 15.0)
_CHECKPOINT_IDLE: Final = 200
_CHECKPOINT_BUSY: Final = 4000
_PRUNE_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much of the log is kept: seconds and bytes."""

    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom the writer tells, in its own thread."""

    stored: Callable[[list[str], int], None]
    trouble: Callable[[str | None], None]
    """Why nothing can be written; None when it can again."""


class Writer:
    """Owns the store; `ask` never blocks."""

    def __init__(
        self,
        store: Store,
        reports: Reports,
        *,
        keeping: Keeping,
        unix: Callable[[], float],
        cancelled: set[str],
        salvage: Callable[[Store], Store],
    ) -> None:
        self._store = store
        self._reports = reports
        self._keeping = keeping
        self._unix = unix
        self._cancelled = cancelled
        self._salvage = salvage
        self._inbox: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._backlog: list[Order] = []
        self._since_checkpoint = 0
        self._failed: str | None = None
        self._pause_s = _RETRY_S[0]
        self._reserved = False
        self._pruned_at = time.monotonic()
        self.done = threading.Event()

    def ask(self, order: Order | None) -> None:
        """Have an order carried out after all before it; None ends the thread."""
        self._inbox.put(order)

    def run(self) -> None:
        """Work until told to end: the body of the thread."""
        going = True
        while going:
            going = self._take()
            if self._backlog:
                self._commit()
            elif going and self._inbox.empty():
                self._tidy()
        with contextlib.suppress(OutboxError):  # the next opening checks the file
            self._store.leave()
        self.done.set()

    def _take(self) -> bool:
        """Wait for orders, or for the time of a retry or of tidying; False at the end."""
        try:
            order = self._inbox.get(timeout=self._patience())
        except queue.Empty:
            return True
        while order is not None:
            if not (isinstance(order, Put) and order.event.id in self._cancelled):
                self._backlog.append(order)
            if len(self._backlog) >= _MOST_AT_ONCE:
                return True
            try:
                order = self._inbox.get_nowait()
            except queue.Empty:
                return True
        return False

    def _patience(self) -> float | None:
        if self._failed is not None:
            return self._pause_s
        return _QUIET_S if not self._reserved or self._since_checkpoint else _HOUR_S

    def _commit(self) -> None:
        batch = self._backlog
        try:
            self._store.write(batch, self._unix())
        except DamagedError as exc:
            self._replace(exc)
        except OutboxError as exc:
            self._rescue(exc)
        else:
            self._backlog = []
            self._wrote(batch)

    def _wrote(self, batch: list[Order]) -> None:
        ids = [order.event.id for order in batch if isinstance(order, Put)]
        if ids:
            self._reports.stored(ids, time.monotonic_ns())
        self._since_checkpoint += len(batch)
        if self._failed is not None and not self._backlog:
            self._failed = None
            self._pause_s = _RETRY_S[0]
            self._reports.trouble(None)
        if self._since_checkpoint > _CHECKPOINT_BUSY:
            self._checkpoint()

    def _rescue(self, exc: OutboxError) -> None:
        """Nothing more fits: alarms alone may, in the room that is held for them."""
        if self._failed is None:
            self._failed = str(exc)
            self._reports.trouble(self._failed)
        else:
            self._pause_s = min(_RETRY_S[1], self._pause_s * 2)
        alarms: list[Order] = [o for o in self._backlog if isinstance(o, Put) and o.alarm]
        if not alarms or len(alarms) == len(self._backlog):
            return
        try:
            self._store.write(alarms, self._unix())
        except OutboxError:
            return
        self._backlog = [order for order in self._backlog if order not in alarms]
        self._wrote(alarms)

    def _replace(self, exc: DamagedError) -> None:
        """The file was damaged while we ran: set it aside, and go on with a new one."""
        log.error("%s; it is set aside and salvaged", exc)
        self._store.abandon()
        try:
            self._store = self._salvage(self._store)
        except OutboxError as worse:
            self._rescue(worse)
            return
        self._reserved = False
        self._commit()

    def _tidy(self) -> None:
        """Do a little of what can wait, while nothing else does."""
        try:
            if not self._reserved:
                self._reserved = not self._store.reserve()
            elif self._since_checkpoint:
                self._checkpoint()
            elif time.monotonic() - self._pruned_at > _HOUR_S:
                self._prune()
        except OutboxError as exc:
            log.warning("%s", exc)
            self._reserved = True  # tried again at the next start
            with contextlib.suppress(OutboxError):
                self._store.give_reserve()

    def _checkpoint(self) -> None:
        self._store.checkpoint()
        self._since_checkpoint = 0

    def _prune(self) -> None:
        before = self._unix() - self._keeping.seconds
        if self._store.prune(before, self._keeping.bytes, _PRUNE_ROWS) < _PRUNE_ROWS:
            self._pruned_at = time.monotonic()
