"""The daemon thread beside the loop: it opens the file, however long that takes, then writes."""

import contextlib
import logging
import threading
import uuid
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatehouse.clock import Clock
from gatehouse.errors import OutboxError
from gatehouse.outbox import salvage
from gatehouse.outbox.inbox import Inbox
from gatehouse.outbox.model import Limits, Opening, Timing, Trouble
from gatehouse.outbox.sqlite import DamagedError
from gatehouse.outbox.store import Store
from gatehouse.outbox.trouble import FAULT
from gatehouse.outbox.upkeep import Keeping, Upkeep
from gatehouse.outbox.writer import Reports, Writer

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hears:
    """What the loop is told of the disk; all are called in the loop."""

    claimed: Callable[[Opening], None]
    opened: Callable[[Opening, Writer], None]
    not_opened: Callable[[str], None]
    stored: Callable[[list[str], int], None]
    refused: Callable[[str, str], None]
    trouble: Callable[[str | None], None]
    replaced: Callable[[frozenset[str], tuple[Trouble, ...]], None]


class Opener:
    """Opens, again and again until the disk answers, and hands the file to the writer."""

    def __init__(
        self,
        path: Path,
        inbox: Inbox,
        loop: AbstractEventLoop,
        hears: Hears,
        *,
        clock: Clock,
        random: Callable[[int], bytes],
        limits: Limits,
        timing: Timing,
    ) -> None:
        self._path = path
        self._inbox = inbox
        self._loop = loop
        self._hears = hears
        self._clock = clock
        self._random = random
        self._limits = limits
        self._timing = timing

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._work, name="outbox-writer", daemon=True).start()

    def _work(self) -> None:
        found = self._open()
        if found is None:
            return
        store, opening = found
        keeping = Keeping(self._limits.log_days * 86400.0, self._limits.log_bytes)
        writer = Writer(
            store,
            self._inbox,
            Reports(
                stored=lambda ids, at_ns: self._post(self._hears.stored, ids, at_ns),
                refused=lambda id_, why: self._post(self._hears.refused, id_, why),
                trouble=lambda why: self._post(self._hears.trouble, why),
            ),
            upkeep=Upkeep(keeping, self._clock),
            clock=self._clock,
            salvage=self._salvage,
        )
        self._post(self._hears.opened, opening, writer)
        writer.run()

    def _open(self) -> tuple[Store, Opening] | None:
        """Return the open file and what was found; None when the end came first."""
        force = False
        while True:
            store: Store | None = None
            try:
                how = salvage.salvage if force else salvage.open_store
                store = how(self._path, self._unix(), self._random)
                return store, salvage.opening(store, self._unix(), self._claimed)
            except DamagedError as exc:
                force, why = store is not None, str(exc)
            except OutboxError as exc:
                why = str(exc)
            except Exception as exc:  # the thread has nobody else to tell it to
                log.exception("opening %s failed in a way that nobody foresaw", self._path)
                why = f"{self._path}: {exc!r}"
            if store is not None:
                with contextlib.suppress(Exception):  # it is let go of as it is
                    store.abandon()
            if not force:
                self._post(self._hears.not_opened, why)
                if self._inbox.ended_within(self._timing.again_s):
                    return None

    def _salvage(self) -> Store:
        store = salvage.salvage(self._path, self._unix(), self._random)
        still = frozenset(entry.id for entry in store.waiting())
        self._post(self._hears.replaced, still, tuple(store.found()))
        return store

    def _claimed(self, opening: Opening) -> None:
        self._post(self._hears.claimed, opening)

    def _post(self, call: Callable[..., None], *args: Any) -> None:  # noqa: ANN401  # any callable
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call, *args)

    def _unix(self) -> float:
        return self._clock.reading().unix_ns / 1e9


def blind(claim: Opening | None, why: str, random: Callable[[int], bytes]) -> Opening:
    """Return what a start goes on with in memory; ``claim`` is what the disk still answered."""
    said = {"text": why}
    if claim is not None:
        return replace(claim, trouble=(Trouble(FAULT, said),))
    start = 50_000_000 + int.from_bytes(random(4), "big") % 50_000_000
    store = str(uuid.UUID(bytes=random(16), version=4))
    return Opening(store, start, trouble=(Trouble("outbox-start", said), Trouble(FAULT, said)))
