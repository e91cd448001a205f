"""What a district lacks, told from the numbers of what it has (contract section 4). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Self

from gatehouse.events import GATEWAY_STARTED, Event

RANDOM_FROM: Final = 50_000_000
"""Starts from here on are random, because the real one could not be stored: they have no order."""

MOST: Final = 10_000
"""Numbers named at most; a ``previous`` from a broken gateway could ask for 9999999999."""


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
        said = event.data.get("previous")
        if event.type == GATEWAY_STARTED and isinstance(said, str):
            start, _, count = said.partition(".")
            if start.isdecimal() and count.isdecimal():
                previous = int(start), int(count)
        return cls(event.store, event.start, event.count, previous)


def missing(
    numbers: Iterable[Number], running: tuple[str, int] | None = None, *, most: int = MOST
) -> list[str]:
    """Return the sequences that must still come, store by store, in order.

    Of a start that another names in ``previous``: everything up to there. Of the start that runs
    (``running``: store and start of the newest birth; without it, a store's highest): every hole
    below the highest number seen. Of any other start nothing is known to be durable, and nothing is
    waited for.
    """
    stores: defaultdict[str, list[Number]] = defaultdict(list)
    for number in numbers:
        stores[number.store].append(number)
    lacking = (
        sequence
        for store, known in stores.items()
        for sequence in _of_store(
            known, running[1] if running is not None and running[0] == store else None
        )
    )
    return list(islice(lacking, most))


def _of_store(known: list[Number], running: int | None) -> Iterator[str]:
    seen: defaultdict[int, set[int]] = defaultdict(set)
    promised: dict[int, int] = {}
    for number in known:
        seen[number.start].add(number.count)
        if number.previous is not None:
            start, count = number.previous
            promised[start] = max(count, promised.get(start, 0))
    upto = {start: max(seen[start]) for start in _open_starts(set(seen), running)} | promised
    for start, last in sorted(upto.items()):
        have = seen.get(start, set())
        yield from (f"{start:08d}.{n:010d}" for n in range(1, last + 1) if n not in have)


def _open_starts(starts: set[int], running: int | None) -> set[int]:
    """Return the starts that may still be running, as far as one can tell."""
    ordered = {start for start in starts if start < RANDOM_FROM}
    newest = {max(ordered)} if ordered else set()
    if running is None:
        return newest | (starts - ordered)
    if running in starts and (running >= RANDOM_FROM or newest == {running}):
        return {running}
    return newest
