"""The thread that writes: in order, never ended by a disk, one fault however often it fails."""

import threading

import pytest

from gatehouse.errors import OutboxError
from gatehouse.outbox.orders import Mend, Order, Received
from gatehouse.outbox.retry import Retry
from gatehouse.outbox.sqlite import DamagedError, FullError
from outbox.desk import Desk, FakeStore


def test_everything_in_order() -> None:
    """The district's numbers would have holes, and the log another order than the day."""
    desk = Desk()
    ids = desk.put(*(desk.alarm() if n % 3 else desk.other() for n in range(2500)))
    desk.turn()
    assert desk.stored == ids
    assert [len(batch) for batch in desk.store.batches] == [2000, 500]


def test_an_error_is_told_once_and_ends_once() -> None:
    """A fault for every try would flood the district."""
    desk = Desk()
    desk.store.error = OutboxError("the card is gone")
    ids = desk.put(desk.alarm(), desk.other())
    for _ in range(20):
        desk.turn(16.0)
    assert desk.troubles == ["the card is gone"]
    assert desk.stored == []
    desk.store.error = None
    desk.turn(16.0)
    desk.turn()
    assert desk.stored == ids
    assert desk.troubles == ["the card is gone", None]


def test_tries_back_off() -> None:
    """A disk that fails must not be asked all the time, and not be given up."""
    desk = Desk()
    desk.store.error = OutboxError("no")
    desk.put(desk.alarm())
    for _ in range(600):
        desk.turn(0.1)
    assert 4 <= desk.store.tries <= 9
    retry = Retry()
    pauses = []
    for _ in range(6):
        retry.failed(100.0)
        pauses.append(retry.left_s(100.0))
    assert pauses == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    retry.succeeded()
    assert retry.due(100.0)


def test_alarms_go_alone_when_nothing_more_fits() -> None:
    """On a full disk the alarms of a whole day must still be durable, at once."""
    desk = Desk()
    desk.store.full = True
    held = desk.put(desk.other(), desk.other())
    for _ in range(50):
        [raised] = desk.put(desk.alarm())
        desk.inbox.add(Received((raised,)))
        desk.turn()
        assert desk.stored[-1] == raised
        desk.put(desk.other())
    assert desk.troubles == ["no room"]
    desk.store.full = False
    desk.turn(16.0)
    desk.turn()
    assert desk.stored[50:52] == held
    assert len(desk.stored) == 102
    assert desk.troubles == ["no room", None]


def test_trouble_lasts_while_the_reserve_lacks() -> None:
    """A disk that has room for one event is not well again: the fault would come and go."""
    desk = Desk()
    desk.store.full = True
    desk.put(desk.other())
    desk.turn()
    desk.store.full = False
    desk.store.room.lacking = 3
    desk.turn(16.0)
    assert desk.troubles == ["no room"]
    desk.turn()
    desk.turn()
    assert desk.troubles == ["no room", None]


def test_full_disk_that_is_found_while_idle_is_told() -> None:
    """Nobody would know that the room for alarms cannot be made until an alarm needs it."""
    desk = Desk()
    desk.store.full = True
    desk.turn(1.0)
    assert desk.troubles == ["no room"]
    for _ in range(10):
        desk.turn(60.0)
    assert desk.troubles == ["no room"]
    desk.store.full = False
    desk.turn(60.0)
    assert desk.troubles == ["no room", None]


def test_an_order_that_fails_for_its_own_reason_holds_up_nobody() -> None:
    """One poisoned event at the head would keep every later alarm from the disk, for ever."""
    desk = Desk()
    orders = [desk.other(), desk.alarm(), desk.alarm(), desk.other()]
    desk.store.refuses = {orders[1].event.id}
    desk.put(*orders)
    desk.turn()
    assert desk.refused == [orders[1].event.id]
    assert desk.stored == [o.event.id for o in orders if o is not orders[1]]
    assert len(desk.inbox) == 0
    assert desk.troubles == []


@pytest.mark.parametrize("odd", [KeyError("x"), AttributeError("x"), RecursionError("x")])
def test_an_error_that_nobody_foresaw_holds_up_nobody(odd: Exception) -> None:
    """A defect in how one type of event is stored would stop all storing, without a word."""
    desk = Desk()
    orders = [desk.alarm(), desk.alarm()]

    def stumble(batch: list[Order]) -> None:
        if orders[0] in batch:
            raise odd

    desk.store.before_write = stumble
    desk.put(*orders)
    desk.turn()
    assert desk.refused == [orders[0].event.id]
    assert desk.stored == [orders[1].event.id]


def test_damage_while_running_is_salvaged_once() -> None:
    """A page that rots in the night must cost no alarm of the day after."""
    desk = Desk()
    desk.store.error = DamagedError("malformed")
    second = FakeStore()
    desk.next_stores = [second]
    ids = desk.put(desk.other(), desk.alarm())
    first = desk.store
    desk.turn()
    assert first.abandoned
    assert desk.stored == ids
    assert second.batches
    assert desk.troubles == []


def test_damage_again_and_again_is_a_disk_that_fails() -> None:
    """A dying card must not be filled with copies of its own damage."""
    desk = Desk()
    desk.store.error = DamagedError("malformed")
    desk.next_stores = [FakeStore(error=DamagedError("again")), FakeStore()]
    ids = desk.put(desk.alarm())
    desk.turn()
    assert desk.troubles == ["again"]
    for _ in range(20):
        desk.turn(1.0)
    assert len(desk.next_stores) == 1
    for _ in range(10):
        desk.turn(15.0)
    assert desk.stored == ids
    assert desk.troubles == ["again", None]


def test_a_salvage_that_fails_is_tried_again() -> None:
    """Without a file there is nothing to write to, and the thread must not end."""
    desk = Desk()
    desk.store.error = DamagedError("malformed")
    desk.next_stores = [FullError("no room for the new file"), FakeStore()]
    ids = desk.put(desk.other(), desk.alarm())
    desk.turn()
    assert desk.troubles == ["no room for the new file"]
    desk.turn(20.0)
    desk.turn(20.0)
    assert sorted(desk.stored) == sorted(ids)
    assert desk.troubles[1:] == [None]


def test_a_reader_that_found_damage_late_replaces_nothing_again() -> None:
    """Reads that hang in the old file fail after it was replaced."""
    desk = Desk()
    desk.inbox.add(Mend("malformed"))
    desk.next_stores = [FakeStore()]
    desk.turn()
    assert desk.store.abandoned is False
    desk.inbox.add(Mend("malformed too"))
    ids = desk.put(desk.alarm())
    desk.turn()
    assert desk.stored == ids
    assert desk.troubles == []


def test_the_end_writes_what_waits_and_waits_for_nothing() -> None:
    """SIGTERM right after a press must not leave it undurable."""
    desk = Desk()
    desk.store.error = OutboxError("no")
    desk.put(desk.alarm())
    desk.turn()
    desk.store.error = None
    desk.inbox.end()
    thread = threading.Thread(target=desk.writer.run)
    thread.start()
    thread.join(60.0)
    assert not thread.is_alive()
    assert len(desk.stored) == 1
    assert desk.store.left
    assert desk.writer.done.is_set()


def test_the_end_comes_also_when_the_disk_fails() -> None:
    """A stop that waits for a dead disk would be killed with the pins still set."""
    for full, error in ((True, None), (False, OutboxError("no"))):
        desk = Desk()
        desk.store.full, desk.store.error = full, error
        desk.put(desk.other(), desk.alarm())
        desk.inbox.end()
        desk.writer.run()
        assert len(desk.stored) == int(full)
        assert desk.writer.done.is_set()


def test_since_when_the_disk_is_asked() -> None:
    """The loop could not tell a disk that hangs from one that has nothing to do."""
    desk = Desk()
    seen: list[float | None] = []
    desk.store.before_write = lambda _: seen.append(desk.writer.asked_s)
    desk.put(desk.alarm())
    assert desk.writer.asked_s is None
    desk.turn()
    assert seen[0] is not None
    assert desk.writer.asked_s is None
