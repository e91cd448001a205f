"""What a district knows, and waiting until it knows more."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Self, TypeVar

from gatehouse import events
from gatehouse_district.receiver import lacking
from gatehouse_district.receiver.heard import (
    Heartbeat,
    Photograph,
    Record,
    Refused,
    Reply,
    State,
)
from gatehouse_district.receiver.keeping import Kept

T = TypeVar("T")

LIMIT_S: Final = 60.0


class Memory:
    """Every event that is on disk, once, in the order of arrival; and what else was heard."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.replies: list[Reply] = []
        self.telemetry: list[Heartbeat] = []
        self.pictures: list[Photograph] = []
        self.malformed: list[tuple[str, bytes, str]] = []
        """Topic, payload and why, of what was no message of the contract."""
        self.conflicts: list[str] = []
        """Ids that came with two bodies, and ids whose number another event has already."""
        self._records: dict[str, Record] = {}
        self._deliveries: Counter[str] = Counter()
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    def events(self, gateway: str | None = None, type_: str | None = None) -> list[Record]:
        """Return the events of a gateway, or of all; of one type, or of all."""
        return [
            record
            for record in self._records.values()
            if gateway in {None, record.gateway} and type_ in {None, record.type}
        ]

    def alarms(self, gateway: str | None = None) -> list[Record]:
        """Return the alarms that were raised."""
        return self.events(gateway, events.ALARM_RAISED)

    def record(self, id_: str) -> Record | None:
        """Return an event by its id."""
        return self._records.get(id_)

    def deliveries(self, id_: str) -> int:
        """Return how often an event came."""
        return self._deliveries[id_]

    def missing(self, gateway: str) -> list[str]:
        """Return the numbers of a gateway that must still come (contract section 4)."""
        births = [state for state in self.states if state.gateway == gateway and state.online]
        running = births[-1].running if births else None
        known = (lacking.Number.of(record.event) for record in self.events(gateway))
        return lacking.missing(known, running)

    async def wait_for(self, test: Callable[[Self], T | None], *, timeout_s: float = LIMIT_S) -> T:
        """Wait until a test returns something true, and return it; woken by every arrival.

        Raises TimeoutError with what is there.
        """
        if found := test(self):
            return found
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = (partial(test, self), waiter)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                return await waiter
        except TimeoutError:
            raise TimeoutError(f"not there after {timeout_s:g} s: {self.summary()}") from None
        finally:
            self._waiting.remove(entry)

    def summary(self) -> str:
        """Say in a line what is there."""
        kinds = Counter(record.type for record in self._records.values())
        return (
            f"events {dict(kinds)}; states {[state.body for state in self.states]}; "
            f"replies {[reply.body for reply in self.replies]}; malformed {self.malformed}; "
            f"conflicts {self.conflicts}"
        )

    def take(self, kept: Kept) -> bool:
        """Note what came of one thing; False unless it is an event that is on disk."""
        item = kept.item
        if isinstance(item, Record):
            if kept.conflict:
                self.conflicts.append(item.id)
            if kept.receipt:
                self.add(item, kept.times)
            return kept.receipt
        if isinstance(item, State):
            self.states.append(item)
        elif isinstance(item, Heartbeat):
            self.telemetry.append(item)
        elif isinstance(item, Refused):
            self.malformed.append((item.topic, item.body, item.why))
        else:
            self.pictures.append(item)
        return False

    def add(self, record: Record, times: int) -> None:
        """Note an event that is on disk, and how often it came."""
        self._records.setdefault(record.id, record)
        self._deliveries[record.id] = times

    def drop(self, ids: Iterable[str]) -> None:
        """Forget events; unknown ids change nothing."""
        for id_ in ids:
            self._records.pop(id_, None)
            self._deliveries.pop(id_, None)
        self.changed()

    def changed(self) -> None:
        """Wake those whose test has come true."""
        for test, waiter in self._waiting:
            if waiter.done():
                continue
            try:
                found = test()
            except Exception as exc:  # noqa: BLE001  # the test's own mistake belongs to who waits
                waiter.set_exception(exc)
            else:
                if found:
                    waiter.set_result(found)
