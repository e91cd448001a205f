"""A writer whose turns the test takes itself, on a store that fails as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from gatehouse.outbox.inbox import Inbox
from gatehouse.outbox.orders import Mend, Order, Put
from gatehouse.outbox.sqlite import DamagedError, FullError, RefusedError
from gatehouse.outbox.store import Store
from gatehouse.outbox.upkeep import Keeping, Upkeep
from gatehouse.outbox.writer import Reports, Writer
from outbox.house import StillClock, alarm, other, put, scribe


@dataclass
class FakeRoom:
    """A reserve that is whole unless the disk is full."""

    store: "FakeStore"

    lacking: int = 0

    def restock(self) -> bool:
        """Fail as the disk does; else make one of the pieces that lack."""
        if self.store.full or self.store.error:
            raise self.store.error or FullError("no room")
        self.lacking = max(0, self.lacking - 1)
        return self.lacking > 0


@dataclass
class FakeStore:
    """Takes orders, or fails in the way it is told."""

    path: str = "outbox.db"
    error: Exception | None = None
    full: bool = False
    refuses: set[str] = field(default_factory=set)
    batches: list[list[Order]] = field(default_factory=list)
    tries: int = 0
    before_write: Callable[[list[Order]], None] | None = None
    abandoned: bool = False
    left: bool = False

    def __post_init__(self) -> None:
        self.room = FakeRoom(self)

    def write(self, orders: list[Order], _now: float) -> None:
        """Take a batch."""
        self.tries += 1
        if self.before_write is not None:
            self.before_write(orders)
        if self.error is not None:
            raise self.error
        for order in orders:
            match order:
                case Mend():
                    raise DamagedError(order.why)
                case Put() if self.full and not order.alarm:
                    raise FullError("no room")
                case Put() if order.event.id in self.refuses:
                    raise RefusedError("too odd")
        self.batches.append(list(orders))

    def meta(self, _key: str) -> str | None:
        """Know nothing."""
        return None

    def checkpoint(self) -> int:
        """Do nothing."""
        return 0

    def prune(self, *_args: object) -> int:
        """Find nothing."""
        return 0

    def abandon(self) -> None:
        """Note it."""
        self.abandoned = True

    def leave(self) -> None:
        """Note it."""
        self.left = True


class Desk:
    """A writer whose turns the test takes itself, one after the other."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.store = FakeStore()
        self.inbox = Inbox()
        self.stored: list[str] = []
        self.refused: list[str] = []
        self.troubles: list[str | None] = []
        self.next_stores: list[FakeStore | Exception] = []
        self.writer = Writer(
            cast("Store", self.store),
            self.inbox,
            Reports(
                stored=lambda ids, _at: self.stored.extend(ids),
                refused=lambda id_, _why: self.refused.append(id_),
                trouble=self.troubles.append,
            ),
            upkeep=Upkeep(Keeping(1.0, 1), self.clock),
            clock=self.clock,
            salvage=self._salvage,
        )
        self.made = scribe()

    def _salvage(self) -> Store:
        found = self.next_stores.pop(0)
        if isinstance(found, Exception):
            raise found
        self.store = found
        return cast("Store", found)

    def put(self, *orders: Put) -> list[str]:
        """Put events; returns their ids."""
        for order in orders:
            self.inbox.add(order)
        return [order.event.id for order in orders]

    def alarm(self) -> Put:
        """Return an order to keep an alarm."""
        return put(alarm(self.made))

    def other(self) -> Put:
        """Return an order to keep another event."""
        return put(other(self.made))

    def turn(self, after_s: float = 0.0) -> None:
        """Take one turn of the thread's loop."""
        self.clock.pass_s(after_s)
        self.writer._write(ending=False)
        if not len(self.inbox):
            self.writer._look_after()
