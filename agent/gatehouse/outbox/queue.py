"""The index of what the district lacks: alarms first, buttons in turn, oldest first. Pure.

Bodies are not kept here, so that a backlog of tens of thousands costs little memory.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from gatehouse.events import Importance
from gatehouse.outbox.model import Pending

_Places = OrderedDict[str, int]


class _Row:
    """Events by their place, oldest first: those that were passed over, then the fresh ones.

    Each step of `head` passes one over, and beginning anew takes back only what was passed over:
    whatever is picked and ended in whatever order costs a few steps an event.
    """

    def __init__(self) -> None:
        self._passed: _Places = OrderedDict()
        self._fresh: _Places = OrderedDict()

    def add(self, event_id: str, place: int) -> None:
        self._fresh[event_id] = place

    def add_before(self, older: Iterable[tuple[str, int]]) -> None:
        """Let older events wait before all others; picking begins anew."""
        self._fresh = OrderedDict(chain(older, self._passed.items(), self._fresh.items()))
        self._passed = OrderedDict()

    def remove(self, event_id: str) -> None:
        if self._fresh.pop(event_id, None) is None:
            self._passed.pop(event_id, None)

    def head(self, skip: Collection[str]) -> tuple[str, int] | None:
        """Return the oldest that is not under way, and its place."""
        while self._fresh:
            first = next(iter(self._fresh.items()))
            if first[0] not in skip:
                return first
            self._fresh.popitem(last=False)
            self._passed[first[0]] = first[1]
        return None

    def oldest(self) -> str | None:
        return next(chain(self._passed, self._fresh), None)

    def begin_anew(self) -> None:
        while self._passed:
            event_id, place = self._passed.popitem()
            self._fresh[event_id] = place
            self._fresh.move_to_end(event_id, last=False)


class Queue:
    """Knows every pending event; the uplink picks from it and receipts empty it.

    The uplink hands in what it has under way (``skip``). An entry leaves that set only when it is
    done, or when the whole set is empty because a connection ended: then picking begins anew.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Pending] = {}
        self._alarms: OrderedDict[str, _Row] = OrderedDict()  # by subject, whose turn is next first
        self._others = {kind: _Row() for kind in Importance if kind is not Importance.ALARM}
        self._first = 0
        self._next = 0
        self.bytes = 0
        self.others = 0
        self.other_bytes = 0
        self.pending_alarms = 0

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._waiting

    def __iter__(self) -> Iterator[Pending]:
        """All that waits, as it is now."""
        return iter(tuple(self._waiting.values()))

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
        self._row(entry).add(entry.id, self._next)
        self._next += 1

    def add_before(self, entries: Iterable[Pending]) -> None:
        """Let events wait that are older than all that wait: what a late disk still held."""
        older = {entry.id: entry for entry in entries if entry.id not in self._waiting}
        self._waiting = older | self._waiting
        self._first -= len(older)
        rows: dict[int, tuple[_Row, list[tuple[str, int]]]] = {}
        for place, entry in enumerate(older.values(), self._first):
            self._count(entry, 1)
            row = self._row(entry)
            rows.setdefault(id(row), (row, []))[1].append((entry.id, place))
        for row, places in rows.values():
            row.add_before(places)

    def done(self, event_id: str) -> Pending | None:
        """End an event; returns it, or None if it does not wait."""
        entry = self._waiting.pop(event_id, None)
        if entry is not None:
            self._count(entry, -1)
            self._row(entry).remove(event_id)
            if not self._waiting:
                self._alarms.clear()
        return entry

    def next_alarm(self, skip: Collection[str]) -> Pending | None:
        """Return the next of alarm class that is not in ``skip``: buttons in turn."""
        if not skip:
            for row in self._alarms.values():
                row.begin_anew()
        for subject in tuple(self._alarms):
            self._alarms.move_to_end(subject)
            if (head := self._alarms[subject].head(skip)) is not None:
                return self._waiting[head[0]]
        return None

    def next_other(self, skip: Collection[str]) -> Pending | None:
        """Return the oldest other event that is not in ``skip``."""
        heads = []
        for row in self._others.values():
            if not skip:
                row.begin_anew()
            if (head := row.head(skip)) is not None:
                heads.append(head)
        return self._waiting[min(heads, key=lambda head: head[1])[0]] if heads else None

    def make_room(self, most: int, most_bytes: int) -> list[Pending]:
        """Drop the least important, the oldest of them first, never of alarm class."""
        dropped: list[Pending] = []
        for kind in sorted(self._others, reverse=True):
            row = self._others[kind]
            while self.others > most or self.other_bytes > most_bytes:
                oldest = row.oldest()
                if oldest is None or (entry := self.done(oldest)) is None:
                    break
                dropped.append(entry)
        return dropped

    def _row(self, entry: Pending) -> _Row:
        if entry.importance is not Importance.ALARM:
            return self._others[entry.importance]
        if entry.subject not in self._alarms:
            self._alarms[entry.subject] = _Row()
        return self._alarms[entry.subject]

    def _count(self, entry: Pending, sign: int) -> None:
        self.bytes += sign * entry.size
        if entry.importance is not Importance.ALARM:
            self.others += sign
            self.other_bytes += sign * entry.size
        elif entry.raised:
            self.pending_alarms += sign
