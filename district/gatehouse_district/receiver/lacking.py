"""What a district lacks, told from the numbers of what it has (contract section 4). Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Self

from gatehouse.events import GATEWAY_STARTED, Event

RANDOM_FROM: Final = 50_000_000
"""Starts from here on are random, because the real one could not be stored: they have no order."""

MOST: Final = 10_000
"""Numbers named at most; a ``previous`` from a broken gateway could ask for 9999999999."""

MOST_SPANS: Final = 10_000
"""Separate stretches kept of one start; a number beyond them is stored, and still called lacking:
a gateway that sends every other number only would fill the memory."""

MOST_STARTS: Final = 10_000
"""Starts followed of one gateway, of all its stores; events of others are stored, and not counted:
one that names a new store each time would have every commit of the district reckon for seconds."""


@dataclass(frozen=True, slots=True)
class Number:
    """Store, start and count of one event; for a ``gateway.started`` also what it says of before.

    ``previous`` is (start, count) of the last durable event before, if it names one.
    """

    store: str
    start: int
    count: int
    previous: tuple[int, int] | None = None

    @classmethod
    def of(cls, event: Event) -> Self:
        """Read an event's number."""
        previous = None
        if event.type == GATEWAY_STARTED and isinstance(said := event.data.get("previous"), str):
            start, _, count = said.partition(".")
            if _is_number(start, 8) and _is_number(count, 10):
                previous = int(start), int(count)
        return cls(event.store, event.start, event.count, previous)


def _is_number(text: str, digits: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= digits


class Spans:
    """A set of counts from 1, as stretches without a hole; ``touched`` names those that changed."""

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self.last = dict(sorted(spans))
        """The last count of each stretch, by its first."""
        self.touched: set[int] = set()
        self._firsts = list(self.last)

    def add(self, count: int) -> bool:
        """Note a count; False if it is known."""
        firsts, last = self._firsts, self.last
        at = bisect_right(firsts, count) - 1
        follows = at + 1 < len(firsts) and firsts[at + 1] == count + 1
        if at >= 0 and count <= last[firsts[at]]:
            return False
        if at >= 0 and count == last[firsts[at]] + 1:
            first = firsts[at]
        elif len(firsts) < MOST_SPANS or follows:
            first = count
            firsts.insert(at + 1, first)
            at += 1
        else:
            return True
        last[first] = count
        self.touched.add(first)
        if follows:
            joined = firsts.pop(at + 1)
            last[first] = last.pop(joined)
            self.touched.add(joined)
        return True

    def highest(self) -> int:
        """Return the highest count, 0 without any."""
        return self.last[self._firsts[-1]] if self._firsts else 0

    def holes(self, upto: int) -> Iterator[tuple[int, int]]:
        """Return first and last of each stretch that is not here, from 1 to ``upto``."""
        at = 1
        for first in self._firsts:
            if first > upto:
                break
            if first > at:
                yield at, first - 1
            at = self.last[first] + 1
        if at <= upto:
            yield at, upto


@dataclass(slots=True)
class Ledger:
    """The numbers of one gateway: what came, and what it promised to have sent."""

    seen: dict[str, dict[int, Spans]] = field(default_factory=dict)
    """By store and start."""
    promised: dict[str, dict[int, int]] = field(default_factory=dict)

    def add(self, number: Number) -> bool:
        """Note a number; False if an event with it came before."""
        if not _has_room(self.seen, number.store, number.start):
            return True
        starts = self.seen.setdefault(number.store, {})
        new = starts.setdefault(number.start, Spans()).add(number.count)
        if number.previous is not None:
            start, count = number.previous
            if _has_room(self.promised, number.store, start):
                promised = self.promised.setdefault(number.store, {})
                promised[start] = max(count, promised.get(start, 0))
        return new

    def holes(self, running: tuple[str, int] | None = None) -> Iterator[tuple[int, int, int]]:
        """Return start, first and last of each stretch that must still come, store by store.

        Of a start that another names in ``previous``: everything up to there. Of the start that
        runs (``running``: store and start of the newest birth; without it, a store's highest):
        every hole below the highest number seen. Of any other start nothing is known to be durable,
        and nothing is waited for.
        """
        for store, starts in self.seen.items():
            here = running[1] if running is not None and running[0] == store else None
            upto = {start: starts[start].highest() for start in _open_starts(set(starts), here)}
            upto |= self.promised.get(store, {})
            for start, last in sorted(upto.items()):
                for hole in starts.get(start, Spans()).holes(last):
                    yield start, *hole

    def missing(
        self, running: tuple[str, int] | None = None, *, most: int = MOST
    ) -> tuple[int, list[str]]:
        """Return how many numbers must still come, and the first of them, in order."""
        holes = list(self.holes(running))
        named = (
            f"{start:08d}.{count:010d}"
            for start, first, last in holes
            for count in range(first, last + 1)
        )
        return sum(last - first + 1 for _, first, last in holes), list(islice(named, most))


def missing(
    numbers: Iterable[Number], running: tuple[str, int] | None = None, *, most: int = MOST
) -> list[str]:
    """Return the sequences that must still come, when these numbers are all that came."""
    ledger = Ledger()
    for number in numbers:
        ledger.add(number)
    return ledger.missing(running, most=most)[1]


def before(one: tuple[str, str], other: tuple[str, str]) -> bool | None:
    """Tell whether one event (store, sequence) happened before another; None: no telling.

    Numbers of two stores have no order, nor those of two starts of which one is random.
    """
    if one[0] != other[0]:
        return None
    starts = one[1][:8], other[1][:8]
    if starts[0] != starts[1] and max(map(int, starts)) >= RANDOM_FROM:
        return None
    return one[1] < other[1]


def _has_room(kept: Mapping[str, Mapping[int, object]], store: str, start: int) -> bool:
    return start in kept.get(store, ()) or sum(map(len, kept.values())) < MOST_STARTS


def _open_starts(starts: set[int], running: int | None) -> set[int]:
    """Return the starts that may still be running, as far as one can tell."""
    ordered = {start for start in starts if start < RANDOM_FROM}
    newest = {max(ordered)} if ordered else set()
    if running is None:
        return newest | (starts - ordered)
    if running in starts and (running >= RANDOM_FROM or newest == {running}):
        return {running}
    return newest
