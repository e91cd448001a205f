"""The index of what the district lacks: alarms first, buttons in turn, oldest first. Pure.

Bodies are not kept here, so that a backlog of tens of thousands costs little memory.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from gatehouse.events import Importance
from gatehouse.outbox.model import Pending


@dataclass(slots=True)
class _Row:
    """Events in the order in which they happened; everything before the cursor was picked."""

    order: list[Pending] = field(default_factory=list)
    cursor: int = 0

    def pick(self, waiting: Collection[str], skip: Collection[str]) -> Pending | None:
        while self.cursor < len(self.order):
            candidate = self.order[self.cursor]
            if candidate.id in waiting and candidate.id not in skip:
                return candidate
            self.cursor += 1
        return None

    def rewind(self, waiting: Collection[str]) -> None:
        self.order = [entry for entry in self.order if entry.id in waiting]
        self.cursor = 0


class Queue:
    """Knows every pending event; the uplink picks from it and receipts empty it.

    The uplink hands in what it has under way (``skip``). An entry leaves that set only when it is
    done, or when the whole set is empty because a connection ended: then picking begins anew.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Pending] = {}
        self._alarms: dict[str, _Row] = {}
        self._turn: list[str] = []
        self._others = _Row()
        self.bytes = 0
        self.others = 0
        self.other_bytes = 0
        self.pending_alarms = 0

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._waiting

    @property
    def pending(self) -> int:
        """How many events the district lacks."""
        return len(self._waiting)

    @property
    def oldest_unix_ns(self) -> int | None:
        """When the oldest pending event was put here, Unix ns; None when nothing waits."""
        first = next(iter(self._waiting.values()), None)
        return None if first is None else first.unix_ns

    def add(self, entry: Pending) -> None:
        """Let an event wait; one that waits already is not added twice."""
        if entry.id in self._waiting:
            return
        self._waiting[entry.id] = entry
        self._count(entry, 1)
        if entry.importance is not Importance.ALARM:
            self._others.order.append(entry)
            return
        if entry.subject not in self._alarms:
            self._alarms[entry.subject] = _Row()
            self._turn.append(entry.subject)
        self._alarms[entry.subject].order.append(entry)

    def done(self, event_id: str) -> Pending | None:
        """End an event; returns it, or None if it does not wait."""
        entry = self._waiting.pop(event_id, None)
        if entry is not None:
            self._count(entry, -1)
            if not self._waiting:
                self._rewind()
        return entry

    def next_alarm(self, skip: Collection[str]) -> Pending | None:
        """Return the next of alarm class that is not in ``skip``: buttons in turn."""
        self._begin_anew_if(skip)
        for _ in range(len(self._turn)):
            subject = self._turn.pop(0)
            self._turn.append(subject)
            entry = self._alarms[subject].pick(self._waiting, skip)
            if entry is not None:
                return entry
        return None

    def next_other(self, skip: Collection[str]) -> Pending | None:
        """Return the oldest other event that is not in ``skip``."""
        if not skip:
            self._others.rewind(self._waiting)
        return self._others.pick(self._waiting, skip)

    def make_room(self, most: int, most_bytes: int) -> list[Pending]:
        """Drop the least important, the oldest of them first, never of alarm class."""
        dropped: list[Pending] = []
        if self.others <= most and self.other_bytes <= most_bytes:
            return dropped
        by_worth = sorted(
            (e for e in self._waiting.values() if e.importance is not Importance.ALARM),
            key=lambda entry: -entry.importance,
        )
        for entry in by_worth:  # the sort is stable: the oldest first within one importance
            if self.others <= most and self.other_bytes <= most_bytes:
                break
            self.done(entry.id)
            dropped.append(entry)
        return dropped

    def _begin_anew_if(self, skip: Collection[str]) -> None:
        if not skip:
            for row in self._alarms.values():
                row.rewind(self._waiting)

    def _rewind(self) -> None:
        """Nothing waits: forget what was kept to find it."""
        self._alarms.clear()
        self._turn.clear()
        self._others = _Row()

    def _count(self, entry: Pending, sign: int) -> None:
        self.bytes += sign * entry.size
        if entry.importance is not Importance.ALARM:
            self.others += sign
            self.other_bytes += sign * entry.size
        elif entry.raised:
            self.pending_alarms += sign
