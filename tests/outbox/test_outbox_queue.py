"""The index of what the district lacks: nothing lost, nothing doubled, alarms first."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from gatehouse.events import ALARM_RESET, Importance
from gatehouse.outbox import queue as queue_module
from gatehouse.outbox.model import Pending
from gatehouse.outbox.queue import Queue
from outbox.entries import BUTTONS, drained, entry


def test_buttons_in_turn_oldest_first() -> None:
    """One button that chatters must not keep another's alarm from the district."""
    queue = Queue()
    for number, button in enumerate(["gate"] * 4 + ["hall", "office", "hall"]):
        queue.add(entry(number, button=button))
    assert drained(queue) == [0, 4, 5, 1, 6, 2, 3]


def test_alarms_before_everything() -> None:
    """An alarm behind a thousand camera events would come minutes late."""
    queue = Queue()
    for number in range(1000):
        queue.add(entry(number, Importance.WATCH))
    out = {found.id: found for _ in range(20) if (found := queue.next_other(())) is not None}
    queue.add(entry(1000))
    found = queue.next_alarm(out)
    assert found is not None
    assert found.unix_ns == 1000


def test_others_oldest_first_whatever_their_importance() -> None:
    """The district would see a fault end before it began."""
    queue = Queue()
    kinds = [Importance.REPORT, Importance.FAULT, Importance.WATCH, Importance.FAULT]
    for number, kind in enumerate(kinds * 5):
        queue.add(entry(number, kind))
    assert drained(queue) == list(range(20))


def test_asking_twice_gives_the_same() -> None:
    """Looking whether an alarm waits must not pass it over."""
    queue = Queue()
    queue.add(entry(1))
    queue.add(entry(2, Importance.WATCH))
    under_way = {"something else": None}
    assert queue.next_alarm(under_way) == queue.next_alarm(under_way) == entry(1)
    assert queue.next_other(under_way) == queue.next_other(under_way)


def test_a_new_connection_begins_anew_with_every_button() -> None:
    """What the last connection had under way must go again, of all buttons and of the others."""
    queue = Queue()
    for number, button in enumerate(BUTTONS * 3):
        queue.add(entry(number, button=button))
        queue.add(entry(100 + number, Importance.WATCH))
    under_way: dict[str, Pending] = {}
    while found := queue.next_alarm(under_way) or queue.next_other(under_way):
        under_way[found.id] = found
    assert len(under_way) == 18
    queue.next_alarm(())  # as the uplink does on a new connection
    queue.next_other(())
    again: dict[str, Pending] = {"a live press": entry(99)}
    while found := queue.next_alarm(again) or queue.next_other(again):
        again[found.id] = found
    assert len(again) == 19


def test_what_a_late_disk_held_goes_first() -> None:
    """The oldest alarm must not wait behind those of this start because its disk was slow."""
    queue = Queue()
    queue.add(entry(10))
    queue.add(entry(11, Importance.FAULT))
    queue.add(entry(12))
    under_way = {"id-10": None}
    assert queue.next_alarm(under_way) == entry(12)
    queue.add_before([entry(1), entry(2, Importance.WATCH), entry(3), entry(12)])
    assert (queue.pending, queue.pending_alarms, queue.others) == (6, 4, 2)
    assert queue.oldest_unix_ns == 1
    assert queue.next_alarm(under_way) == entry(1)
    queue.next_alarm(())
    assert drained(queue, window=1) == [1, 3, 10, 12, 2, 11]


def test_room_is_made_by_the_least_important_oldest_first() -> None:
    """A full outbox must lose what matters least, and never an alarm or a cut wire."""
    queue = Queue()
    kinds = [Importance.FAULT, Importance.REPORT, Importance.WATCH, Importance.REPORT]
    for number, kind in enumerate([*kinds, Importance.ALARM]):
        queue.add(entry(number, kind))
    assert queue.make_room(4, 10_000) == []
    assert [each.unix_ns for each in queue.make_room(4, 250)] == [1, 3]
    assert [each.unix_ns for each in queue.make_room(1, 10_000)] == [2]
    assert [each.unix_ns for each in queue.make_room(0, 0)] == [0]
    assert queue.make_room(0, 0) == []
    assert drained(queue) == [4]


def test_counts() -> None:
    """`gatehouse status` would show a wrong backlog; a reset is no alarm that waits."""
    queue = Queue()
    queue.add(entry(1))
    queue.add(entry(1))
    queue.add(Pending("r", ALARM_RESET, "button/gate", "2", Importance.ALARM, 30, 2))
    queue.add(entry(3, Importance.REPORT))
    assert (queue.pending, queue.bytes) == (3, 230)
    assert (queue.pending_alarms, queue.others, queue.other_bytes) == (1, 1, 100)
    assert queue.done("id-1") == entry(1)
    assert queue.done("id-1") is None
    assert "id-1" not in queue
    queue.done("r")
    queue.done("id-3")
    assert (queue.pending, queue.bytes, queue.pending_alarms) == (0, 0, 0)
    assert (queue.others, queue.other_bytes, queue.oldest_unix_ns) == (0, 0, None)


def steps(work: Callable[[], Any]) -> int:
    """Count the lines of the queue that are run."""
    count = 0
    here = queue_module.__file__

    def trace(frame: FrameType, what: str, _arg: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename != here:
            return None
        count += what == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _drain(queue: Queue) -> None:
    assert drained(queue, window=20)


def _one_at_a_time(queue: Queue) -> None:
    assert drained(queue, window=1)


def _reconnect_often(queue: Queue) -> None:
    while queue.pending:
        under_way: dict[str, Pending] = {}
        queue.next_alarm(())
        queue.next_other(())
        for _ in range(20):
            if found := queue.next_alarm(under_way) or queue.next_other(under_way):
                under_way[found.id] = found
        for event_id in list(under_way)[:10]:
            queue.done(event_id)


def _always_full(queue: Queue) -> None:
    for number in range(queue.pending):
        queue.add(entry(1_000_000 + number, Importance.REPORT))
        queue.make_room(queue.others - 1, 1 << 40)


def _look_while_offline(queue: Queue) -> None:
    for number in range(queue.pending):
        queue.add(entry(1_000_000 + number))
        assert queue.next_alarm(()) is not None


@pytest.mark.parametrize(
    "work", [_drain, _one_at_a_time, _reconnect_often, _always_full, _look_while_offline]
)
def test_steps_grow_with_the_backlog_and_not_with_its_square(work: Callable[[Queue], None]) -> None:
    """A day's backlog would hold up the loop, and with it the press that comes meanwhile."""

    def filled(count: int) -> Queue:
        queue = Queue()
        for number in range(count):
            kind = Importance(number % 4)
            queue.add(entry(number, kind, BUTTONS[number % 3]))
        return queue

    few, many = filled(1_000), filled(20_000)
    assert steps(lambda: work(many)) < 30 * steps(lambda: work(few))
