"""The queue against a plain list, for any order of what happens to it."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gatehouse.events import Importance
from gatehouse.outbox.model import Pending
from gatehouse.outbox.queue import Queue
from outbox.entries import BUTTONS, drained, entry


class Interleaved(RuleBasedStateMachine):
    """The queue against a plain list, as the uplink and the outbox use it."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.model: dict[str, Pending] = {}
        self.under_way: dict[str, Pending] = {}
        self.number = 0
        self.ended: Counter[str] = Counter()

    @rule(
        kind=st.sampled_from(Importance),
        button=st.sampled_from(BUTTONS),
        live=st.booleans(),
    )
    def add(self, kind: Importance, button: str, live: bool) -> None:
        """Let an event wait; a live press is under way before it waits."""
        self.number += 1
        new = entry(self.number, kind, button)
        if live and kind is Importance.ALARM:
            self.under_way[new.id] = new
        self.queue.add(new)
        self.model[new.id] = new

    @rule()
    def pick_alarm(self) -> None:
        """Take the next alarm: the oldest of its button that is not under way."""
        found = self.queue.next_alarm(self.under_way)
        free = [e for e in self._free() if e.importance is Importance.ALARM]
        assert (found is None) == (not free)
        if found is not None:
            assert found == next(e for e in free if e.subject == found.subject)
            self.under_way[found.id] = found

    @rule()
    def pick_other(self) -> None:
        """Take the next other: the oldest that is not under way."""
        found = self.queue.next_other(self.under_way)
        free = [e for e in self._free() if e.importance is not Importance.ALARM]
        assert found == (free[0] if free else None)
        if found is not None:
            self.under_way[found.id] = found

    @rule(data=st.data())
    def receipt(self, data: st.DataObject) -> None:
        """End an event, under way or not."""
        if not self.model:
            return
        event_id = data.draw(st.sampled_from(sorted(self.model)))
        assert self.queue.done(event_id) == self.model.pop(event_id)
        self.under_way.pop(event_id, None)
        self.ended[event_id] += 1

    @rule()
    def reconnect(self) -> None:
        """End a connection: nothing is under way, and picking begins anew."""
        self.under_way.clear()
        self.queue.next_alarm(())
        self.queue.next_other(())

    @rule(most=st.integers(0, 5))
    def make_room(self, most: int) -> None:
        """Drop what is too much."""
        others = [e for e in self.model.values() if e.importance is not Importance.ALARM]
        worth = sorted(others, key=lambda e: (-e.importance, e.unix_ns))
        dropped = self.queue.make_room(most, 1 << 40)
        assert dropped == worth[: max(0, len(others) - most)]
        for each in dropped:
            del self.model[each.id]
            self.under_way.pop(each.id, None)

    @invariant()
    def counts_are_right(self) -> None:
        """Compare all counts with the list."""
        waiting = list(self.model.values())
        others = [e for e in waiting if e.importance is not Importance.ALARM]
        assert list(self.queue) == waiting
        assert self.queue.pending == len(waiting)
        assert self.queue.bytes == 100 * len(waiting)
        assert self.queue.pending_alarms == len(waiting) - len(others)
        assert (self.queue.others, self.queue.other_bytes) == (len(others), 100 * len(others))
        assert max(self.ended.values(), default=1) == 1

    def _free(self) -> list[Pending]:
        return [e for e in self.model.values() if e.id not in self.under_way]


TestInterleaved = Interleaved.TestCase
TestInterleaved.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@given(
    st.lists(st.tuples(st.sampled_from(Importance), st.sampled_from(BUTTONS))), st.integers(1, 5)
)
def test_everything_is_sent_once(kinds: list[tuple[Importance, str]], window: int) -> None:
    """An event that is picked twice or never is a doubled or a lost alarm."""
    queue = Queue()
    for number, (kind, button) in enumerate(kinds):
        queue.add(entry(number, kind, button))
    order = drained(queue, window)
    assert sorted(order) == list(range(len(kinds)))
    assert queue.pending == 0
