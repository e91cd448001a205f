"""Bodies of events that are kept beside the disk. Pure.

Those that are not durable: alarms however many there are, of the others at most so many, the least
important and the oldest give way. Of those that are durable the latest, so that the uplink need not
read what is fresh.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from gatehouse.events import Importance

_RECENT: Final = 512
MOST_OTHERS: Final = 5000
"""Other events that may wait for a disk that takes nothing."""


class Memory:
    """Bodies by event id."""

    def __init__(self) -> None:
        self._undurable: OrderedDict[str, bytes] = OrderedDict()
        self._refused: set[str] = set()
        self._others: dict[Importance, OrderedDict[str, None]] = {
            kind: OrderedDict() for kind in Importance if kind is not Importance.ALARM
        }
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    def __contains__(self, event_id: str) -> bool:
        """Whether the event is not durable."""
        return event_id in self._undurable

    def __len__(self) -> int:
        return len(self._undurable) + len(self._recent)

    @property
    def others(self) -> int:
        """How many other events are not durable."""
        return sum(map(len, self._others.values()))

    @property
    def refused(self) -> bool:
        """Whether an event waits here that the disk will never have."""
        return bool(self._refused)

    def undurable(self) -> Iterator[tuple[str, bytes]]:
        """Yield what is here alone, in the order in which it happened."""
        yield from self._undurable.items()

    def put(self, event_id: str, body: bytes, kind: Importance) -> None:
        """Keep an event until it is stored."""
        self._undurable[event_id] = body
        if kind is not Importance.ALARM:
            self._others[kind][event_id] = None

    def body(self, event_id: str) -> bytes | None:
        """Return an event's body, if it is here."""
        return self._undurable.get(event_id) or self._recent.get(event_id)

    def stored(self, event_id: str, *, pending: bool) -> None:
        """The disk has it; one that the district lacks stays at hand for a while."""
        body = self._forget(event_id)
        if body is not None and pending:
            self._recent[event_id] = body
            if len(self._recent) > _RECENT:
                self._recent.popitem(last=False)

    def refuse(self, event_id: str, *, pending: bool) -> None:
        """The disk will never have it: it stays here until the district has it."""
        body = self._forget(event_id)
        if body is not None and pending:
            self._undurable[event_id] = body
            self._refused.add(event_id)

    def received(self, event_id: str) -> None:
        """The district has it: only the log may still want it."""
        self._recent.pop(event_id, None)
        if event_id in self._refused:
            self._forget(event_id)

    def gave_way(self, event_id: str) -> None:
        """It was dropped."""
        self._recent.pop(event_id, None)
        self._forget(event_id)

    def shed(self) -> list[str]:
        """Forget those of the others that are too many; returns their ids."""
        gone: list[str] = []
        for kind in sorted(self._others, reverse=True):
            line = self._others[kind]
            while line and self.others > MOST_OTHERS:
                event_id = next(iter(line))
                self._forget(event_id)
                gone.append(event_id)
        return gone

    def _forget(self, event_id: str) -> bytes | None:
        self._refused.discard(event_id)
        for line in self._others.values():
            line.pop(event_id, None)
        return self._undurable.pop(event_id, None)
