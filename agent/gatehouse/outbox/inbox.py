"""What the thread that writes has still to do, in order; both threads may call it.

Alarms, and what is noted of events that are there already, can be taken out alone, where the
others do not fit. What becomes known of an event that still waits here is noted in its own order.
An event that gave way before it was stored is taken back, so that a disk that takes nothing for
days costs no more memory than the alarms of these days.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from gatehouse.outbox.orders import Drop, Mend, Moment, Order, Put, Received, Sent, is_other

_MOST: Final = 2000
_MOST_BYTES: Final = 4 * 1024 * 1024


class Inbox:
    """Orders by their place; ``hand`` gives a batch away until ``done`` or ``give_back``."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._new = False
        self._ended = False
        self._place = 0
        self._urgent: dict[int, Order] = {}
        self._others: dict[int, Order] = {}
        self._hand: dict[int, Order] = {}
        self._puts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others) + len(self._hand)

    def add(self, order: Order) -> None:
        """Have an order carried out after all before it; never waits for the disk."""
        with self._news:
            self._add(order)
            self._new = True
            self._news.notify()

    def end(self) -> None:
        """Have the thread end once it has tried to do all of this."""
        with self._news:
            self._ended = True
            self._news.notify()

    def ended_within(self, timeout_s: float) -> bool:
        """Wait for the end alone, that long; whatever is new meanwhile."""
        with self._news:
            return self._news.wait_for(lambda: self._ended, timeout_s)

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for something new, or for that long; False at the end."""
        with self._news:
            self._news.wait_for(lambda: self._new or self._ended, timeout_s)
            self._new = False
            return not self._ended

    def hand(self, *, others: bool) -> list[Order]:
        """Take a batch, in order; without ``others`` what needs not wait for them."""
        with self._news:
            taken, size = [], 0
            for place, order in self._in_order(others=others):
                taken.append((place, order))
                size += len(order.body) if isinstance(order, Put) else 0
                if len(taken) >= _MOST or size >= _MOST_BYTES:
                    break
            for place, order in taken:
                (self._others if is_other(order) else self._urgent).pop(place)
                if isinstance(order, Put):
                    self._puts.pop(order.event.id, None)
            self._hand = dict(taken)
            return [order for _, order in taken]

    def done(self, count: int | None = None) -> None:
        """The first ``count`` of the batch are carried out; all of them without a number."""
        with self._news:
            places = list(self._hand)[:count]
            for place in places:
                del self._hand[place]

    def give_back(self) -> None:
        """The batch was not carried out: it waits again, where it was."""
        with self._news:
            waiting = sorted({**self._hand, **self._urgent, **self._others}.items())
            self._hand = {}
            self._urgent, self._others, self._puts = {}, {}, {}
            for _, order in waiting:
                if not isinstance(order, Mend):  # it was heard
                    self._add(order)

    def _in_order(self, *, others: bool) -> Iterator[tuple[int, Order]]:
        if not (others and self._others):
            return iter(self._urgent.items())
        both = [*islice(self._urgent.items(), _MOST), *islice(self._others.items(), _MOST)]
        return iter(sorted(both, key=lambda item: item[0]))

    def _add(self, order: Order) -> None:
        rest: Order | None = order
        match order:
            case Put():
                self._puts[order.event.id] = self._place
            case Sent():
                rest = None if self._note(order.id, sent=True) else order
            case Received():
                left = [i for i in order.ids if not self._note_received(i, order.at)]
                rest = Received(tuple(left), order.at) if left else None
            case Drop():
                left = [i for i in order.ids if not self._take_back(i)]
                rest = Drop(tuple(left)) if left else None
        if rest is not None:
            (self._others if is_other(rest) else self._urgent)[self._place] = rest
            self._place += 1

    def _note_received(self, event_id: str, at: Moment | None) -> bool:
        return self._note(event_id, sent=True, received=True, received_at=at)

    def _note(self, event_id: str, **known: Any) -> bool:  # noqa: ANN401  # fields of Put
        place = self._puts.get(event_id)
        if place is None:
            return False
        line = self._others if place in self._others else self._urgent
        put = line[place]
        if isinstance(put, Put):
            line[place] = replace(put, **known)
        return True

    def _take_back(self, event_id: str) -> bool:
        place = self._puts.get(event_id)
        if place is None or place not in self._others:
            return False
        del self._others[place], self._puts[event_id]
        return True


def put_ids(orders: Iterable[Order]) -> list[str]:
    """Return the ids of the events among these orders."""
    return [order.event.id for order in orders if isinstance(order, Put)]
