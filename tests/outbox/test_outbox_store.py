"""The file: what is written is there, exactly, and nothing that still matters is ever deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.errors import OutboxError
from gatehouse.events import Happening, Importance
from gatehouse.outbox.numbers import Numbers
from gatehouse.outbox.orders import Acknowledged, Drop, Put, Received, Seen, Sent
from gatehouse.outbox.reader import Reader
from gatehouse.outbox.sqlite import RefusedError
from gatehouse.outbox.store import Store
from outbox.house import NOON, alarm, other, put, rows, scribe

DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a new file."""
    store = Store(tmp_path / "outbox.db")
    yield store
    store.abandon()


def test_durable_by_its_settings(store: Store) -> None:
    """With anything less than WAL and FULL a power cut takes what was reported as stored."""
    assert rows(store, "PRAGMA journal_mode") == [("wal",)]
    assert rows(store, "PRAGMA synchronous") == [(2,)]


def test_no_index_lies_beside_the_file(store: Store) -> None:
    """SQLite gives its room back at each opening: on a full disk it could not be opened again."""
    store.write([put(alarm(scribe()))], NOON)
    assert not store.path.with_name("outbox.db-shm").exists()


def test_bodies_are_exact(store: Store) -> None:
    """What is sent later must be what was signed for: byte by byte, also what JSON may spell."""
    made = scribe()
    event = alarm(made, location='南门\n"门卫室"\u2028')
    odd = b' {"specversion": "1.0", "spelt": "otherwise\xe2\x80\xa8"}'
    store.write([Put(event, odd, alarm=True)], NOON)
    reader = Reader(store.path)
    assert reader.bodies([event.id, "unknown"]) == {event.id: odd}
    [row] = reader.log(10, pending_only=False)
    reader.close()
    assert (row.body, row.pending) == (odd, True)
    [waits] = store.waiting()
    assert (waits.id, waits.sequence, waits.size) == (event.id, event.sequence, len(odd))
    assert (waits.importance, waits.raised) == (Importance.ALARM, True)


def test_what_waits_is_told_in_order(store: Store) -> None:
    """After a restart the district would be told yesterday's alarms last."""
    made = scribe()
    told = [alarm(made), other(made), alarm(made, "hall"), other(made)]
    store.write([put(event) for event in told], NOON)
    store.write([Received((told[1].id,)), Drop((told[3].id,))], NOON)
    assert [each.id for each in store.waiting()] == [told[0].id, told[2].id]


def test_an_order_that_fails_undoes_all_of_its_batch(store: Store) -> None:
    """Half of a batch that is reported as not stored would be stored twice."""
    made = scribe()
    good, bad = alarm(made), alarm(made, "\ud800")
    with pytest.raises(RefusedError):
        store.write([put(good), Put(bad, b"{}", alarm=True)], NOON)
    assert list(store.waiting()) == []
    store.write([put(good)], NOON)
    assert len(list(store.waiting())) == 1


def test_doubled_put_is_harmless(store: Store) -> None:
    """A commit that was reported as failed, and was not, comes again."""
    made = scribe()
    raised, second = alarm(made), alarm(made)
    store.write([put(raised), put(second), Sent(raised.id), Received((raised.id,))], NOON)
    store.write([Acknowledged((raised.id,), "李")], NOON)
    ended = {"alarms": [raised.id, second.id]}
    reset = made.write(Happening(events.ALARM_RESET, "button/gate", ended))
    newer = alarm(made)
    store.write([put(reset), put(newer)], NOON)
    before = store.alarms()
    store.write([put(event) for event in (raised, second, reset, newer)], NOON + 9)
    assert store.alarms() == before
    assert [each.id for each in before] == [newer.id]
    assert rows(store, "SELECT count(*) FROM events") == [(4,)]
    assert [each.id for each in store.waiting()] == [second.id, reset.id, newer.id]


def test_stages_of_an_alarm(store: Store) -> None:
    """After a restart the lamp must not show less, and never more, than is proven."""
    made = scribe()
    first, second = alarm(made), alarm(made)
    store.write([put(first), put(second)], NOON)
    store.write([Sent(first.id)], NOON)
    assert [(a.sent, a.received, a.acknowledged) for a in store.alarms()] == [
        (True, False, False),
        (False, False, False),
    ]
    store.write([Received((second.id,)), Acknowledged((first.id, second.id), "王")], NOON)
    assert [(a.sent, a.received, a.acknowledged) for a in store.alarms()] == [
        (True, False, True),
        (True, True, True),
    ]


def test_commands_are_remembered_until_they_expire(store: Store) -> None:
    """A replayed command would be obeyed after a restart; unforgotten ones would fill the disk."""
    store.write([Seen("a", NOON + 60), Seen("b", NOON - 1), Seen("c", NOON - 2 * DAY)], NOON)
    assert store.commands(NOON) == [("a", NOON + 60)]
    assert rows(store, "SELECT id FROM commands ORDER BY id") == [("a",), ("b",)]
    store.write([Seen("a", NOON + 90)], NOON)
    assert store.commands(NOON) == [("a", NOON + 90)]


def test_starts_are_counted_durably(store: Store) -> None:
    """A number would mean two events if a start could be counted twice."""
    assert [store.begin_start() for _ in range(3)] == [1, 2, 3]
    again = Store(store.path)
    assert again.begin_start() == 4
    again.abandon()


def test_previous_is_the_last_of_the_start_before(store: Store) -> None:
    """The district would wait for numbers that never were, or not miss those that are lost."""
    assert store.previous("store") is None
    store.write([put(other(scribe(start=3))), put(alarm(scribe("another", 9, seed=2)))], NOON)
    assert store.previous("store") == "00000003.0000000001"
    assert store.previous("another") == "00000009.0000000001"
    assert store.previous("third") is None


def test_previous_stops_before_a_hole(store: Store) -> None:
    """Where alarms overtook others that were lost then, the district must not wait for those."""
    made = scribe(start=7)
    started, lost, raised, late = other(made), other(made), alarm(made), alarm(made)
    store.write([put(raised)], NOON)
    assert store.previous("store") == "00000007.0000000000"
    store.write([put(started), put(late)], NOON)
    assert store.previous("store") == "00000007.0000000001"
    store.write([put(lost)], NOON)
    assert store.previous("store") == "00000007.0000000004"


def test_previous_is_not_moved_by_pruning(store: Store) -> None:
    """An old alarm that stands, with nothing left around it, is no hole."""
    made = scribe(start=2)
    told = [other(made), alarm(made), other(made), other(made), other(made)]
    store.write([put(event) for event in told], NOON)
    store.write([Received(tuple(event.id for event in told))], NOON)
    assert store.prune(NOON + 1, 1 << 40, 100) == 3
    assert store.previous("store") == "00000002.0000000005"


def test_a_failed_write_leaves_no_hole_behind(store: Store) -> None:
    """Numbers that were counted as stored and were not would hide a loss."""
    made = scribe(start=2)
    first, bad, third = other(made), alarm(made, "\ud800"), alarm(made)
    store.write([put(first)], NOON)
    with pytest.raises(RefusedError):
        store.write([Put(bad, b"{}", alarm=True), put(third)], NOON)
    store.write([put(third)], NOON)
    assert store.previous("store") == "00000002.0000000001"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 30), max_size=40))
def test_numbers_are_whole_up_to_the_first_hole(counts: list[int]) -> None:
    """Whatever the order, ``whole`` is what a look at all numbers says."""
    numbers = Numbers()
    for count in counts:
        numbers.took("s", 1, count)
    whole = next(n for n in range(32) if n + 1 not in counts)
    beyond = any(count > whole for count in counts)
    assert numbers.whole == whole
    assert numbers.mark == (f"s/1/{whole}" if beyond else None)


def test_a_hole_for_ever_costs_no_memory() -> None:
    """One event that was dropped must not make a start of a year remember every number."""
    numbers = Numbers()
    numbers.took("s", 1, 1)
    for count in range(3, 30_000):
        numbers.took("s", 1, count)
    assert numbers.mark == "s/1/1"
    assert len(numbers._beyond) == 0
    numbers.took("s", 2, 1)
    assert numbers.whole == 1


def test_pruning_spares_what_matters(store: Store) -> None:
    """What the district lacks and alarms that stand are kept however old they are."""
    made = scribe()
    standing, pending, done, dropped = alarm(made), other(made), other(made), other(made)
    old = [standing, pending, done, dropped]
    store.write([put(event) for event in old], NOON - 500 * DAY)
    store.write([Received((standing.id, done.id)), Drop((dropped.id,))], NOON - 500 * DAY)
    young = other(made)
    store.write([put(young), Received((young.id,))], NOON - 399 * DAY)
    assert store.prune(NOON - 400 * DAY, 1 << 40, 100) == 2
    kept = {id_ for (id_,) in rows(store, "SELECT id FROM events")}
    assert kept == {standing.id, pending.id, young.id}


def test_pruning_goes_by_order_where_the_clock_was_wrong(store: Store) -> None:
    """A year that was stored under an unset clock looks old, and is not."""
    made = scribe()
    before, unset, after = other(made), other(made), other(made)
    for event, unix in ((before, NOON - 10 * DAY), (unset, 0.0), (after, NOON)):
        store.write([put(event), Received((event.id,))], unix)
    assert store.prune(NOON - 400 * DAY, 1 << 40, 100) == 0


def test_pruning_by_size_is_never_at_the_expense_of_what_waits(store: Store) -> None:
    """A backlog must not push the log out, nor the log what waits."""
    made = scribe()
    waiting = [other(made, text="x" * 3000) for _ in range(300)]
    store.write([put(event) for event in waiting], NOON)
    finished = [other(made, text="x" * 3000) for _ in range(100)]
    store.write([put(event) for event in finished], NOON)
    store.write([Received(tuple(event.id for event in finished))], NOON)
    assert store.prune(0.0, 1_000_000, 100) == 0, "the log alone is small enough"
    assert store.prune(0.0, 200_000, 40) == 40
    assert store.prune(0.0, 200_000, 1000) == 59, "the newest stays, for its number"
    assert len(list(store.waiting())) == 300


def test_a_second_writer_is_an_error_that_passes(store: Store) -> None:
    """Somebody with the sqlite3 command must not make an alarm undurable for ever."""
    beside = Store(store.path)
    beside._db.execute("BEGIN IMMEDIATE")
    event = put(alarm(scribe()))
    with pytest.raises(OutboxError, match="locked"):
        store.write([event], NOON)
    beside._db.execute("ROLLBACK")
    store.write([event], NOON)
    beside.abandon()
    assert len(list(store.waiting())) == 1
