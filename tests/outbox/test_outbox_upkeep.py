"""What is done while nothing waits: the room for alarms, the WAL, the age and size of the log."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.outbox import room as room_module
from gatehouse.outbox.orders import Received
from gatehouse.outbox.room import SLICE, SLICES, STOCK, WAL_BYTES
from gatehouse.outbox.sqlite import PAGE, FullError
from gatehouse.outbox.store import Store
from gatehouse.outbox.upkeep import Keeping, Upkeep, horizon
from outbox.house import NOON, StillClock, alarm, other, put, rows, scribe

DAY = 86400.0
HOUR = 3600.0
KEEPING = Keeping(400 * DAY, 200 * 1024 * 1024)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a new file."""
    store = Store(tmp_path / "outbox.db")
    yield store
    store.abandon()


def look_after(upkeep: Upkeep, store: Store, clock: StillClock, seconds: float) -> int:
    """Do whatever falls due within that time; returns how many steps it were."""
    end, steps = clock.reading().monotonic_ns / 1e9 + seconds, 0
    while (now := clock.reading().monotonic_ns / 1e9) < end:
        left = upkeep.left_s(now)
        if left:
            clock.pass_s(min(left, end - now))
            continue
        upkeep.step(store)
        steps += 1
    return steps


def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk have no room for a byte more."""

    def full(_fd: int, begin: int, end: int) -> None:
        if end > begin:
            raise FullError("no room")

    monkeypatch.setattr(room_module, "_fill", full)


def test_the_reserve_is_made_while_idle(store: Store) -> None:
    """Issue 2: room for 10,000 alarms inside the database, and a grown WAL."""
    clock = StillClock()
    steps = look_after(Upkeep(KEEPING, clock), store, clock, 60.0)
    assert steps < 400
    assert store.room.whole
    assert store.room.slices == SLICES
    assert SLICES * SLICE > 10_000 * 2000
    assert store.room._wal.stat().st_size >= WAL_BYTES
    assert store.path.stat().st_size == store.room.pages * PAGE, "really there, not only believed"
    assert look_after(Upkeep(KEEPING, clock), store, clock, 60.0) < 5, "then there is nothing to do"


def _fill_with_others(store: Store) -> None:
    made = scribe(start=2, seed=2)
    for _ in range(10_000):
        store.write([put(other(made, text="x" * 600))], NOON)


def test_others_never_use_the_reserve(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Camera events of a night would eat the room that the morning's alarm needs."""
    clock = StillClock()
    look_after(Upkeep(KEEPING, clock), store, clock, 60.0)
    no_room(monkeypatch)
    made = scribe()
    with pytest.raises(FullError):
        _fill_with_others(store)
    assert 0 < len(list(store.waiting())) < STOCK * 6
    assert store.room.slices == SLICES
    for _ in range(500):
        store.write([put(alarm(made, text="x" * 1400))], NOON)
    used = SLICES - store.room.slices
    assert 0 < used < 10
    for _ in range(3):
        with pytest.raises(FullError):
            store.write([put(other(made))], NOON)
        store.write([put(alarm(made))], NOON)
    assert SLICES - store.room.slices == used, "nor what an alarm has left of a slice"


def test_a_batch_with_others_brings_its_own_room(store: Store) -> None:
    """While the reserve is made, others must not use up what is there of it."""
    for _ in range(5):
        store.room.restock()
    made = scribe()
    before = store.room.free + store.room.slices * 64
    store.write([put(other(made, text="x" * 3000)) for _ in range(700)], NOON)
    assert store.room.free + store.room.slices * 64 >= before
    assert store.room.slices == 5


def test_what_alarms_used_is_made_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second full disk must find the room whole again."""
    clock = StillClock()
    upkeep = Upkeep(KEEPING, clock)
    look_after(upkeep, store, clock, 60.0)
    made = scribe()
    with monkeypatch.context() as full:
        no_room(full)
        for _ in range(100):
            store.write([put(alarm(made, text="x" * 1400)) for _ in range(10)], NOON)
        assert not store.room.whole
        upkeep.wrote()
        with pytest.raises(FullError):
            look_after(upkeep, store, clock, 10.0)
    look_after(upkeep, store, clock, 60.0)
    assert store.room.whole


def test_receipts_go_on_without_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk every event would be sent again after each restart."""
    clock = StillClock()
    look_after(Upkeep(KEEPING, clock), store, clock, 60.0)
    made = scribe()
    told = [other(made) for _ in range(3000)]
    store.write([put(event) for event in told], NOON)
    no_room(monkeypatch)
    for event in told:
        store.write([Received((event.id,))], NOON)
    assert list(store.waiting()) == []
    assert store.room.slices >= SLICES - 2


def test_a_growth_that_fails_leaves_the_file_as_it_was(store: Store) -> None:
    """A file longer than SQLite believes is harmless; one that is shorter is not."""
    pages = store.room.pages
    size = store.path.stat().st_size
    fd, store.room._fd = store.room._fd, os.open(store.path, os.O_RDONLY)
    with pytest.raises(OSError, match="make room"):
        store.room.grow(100)
    os.close(store.room._fd)
    store.room._fd = fd
    assert (store.room.pages, store.path.stat().st_size) == (pages, size)
    store.write([put(alarm(scribe()))], NOON)


def test_the_wal_is_used_again(store: Store) -> None:
    """A WAL that grows with every commit fills the disk, and is slow to recover."""
    clock = StillClock()
    upkeep = Upkeep(KEEPING, clock)
    made = scribe()
    for _ in range(1500):
        store.write([put(alarm(made, text="x" * 3000))], NOON)
    assert store.room._wal.stat().st_size < WAL_BYTES
    upkeep.wrote()
    look_after(upkeep, store, clock, 60.0)
    assert store._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[0] == 0


# The log.


def _day(store: Store, day: int, count: int = 10) -> None:
    made = scribe(start=day + 1, seed=day)
    told = [other(made) for _ in range(count)]
    unix = NOON + day * DAY
    store.write([put(event) for event in told], unix)
    store.write([Received(tuple(event.id for event in told))], unix)


def _count(store: Store) -> int:
    return int(rows(store, "SELECT count(*) FROM events")[0][0])


def test_the_log_is_kept_four_hundred_days(store: Store) -> None:
    """Contract: 400 days; an inspector asks for what was a year ago."""
    clock = StillClock()
    upkeep = Upkeep(KEEPING, clock)
    for day in range(405):
        _day(store, day)
        clock.unix = NOON + day * DAY
        if day > 395:
            upkeep.wrote()
            look_after(upkeep, store, clock, DAY)
    assert 400 * 10 <= _count(store) <= 402 * 10


def test_a_busy_day_is_no_reason_not_to_prune(store: Store) -> None:
    """With an event every second nothing would ever be idle for an hour, and the log grow."""
    clock = StillClock()
    upkeep = Upkeep(KEEPING, clock)
    for day in range(3):
        _day(store, day, 100)
    clock.unix = NOON + 450 * DAY
    for _ in range(2 * 3600):
        upkeep.wrote()
        look_after(upkeep, store, clock, 1.0)
    assert _count(store) == 1


@pytest.mark.parametrize(
    "ahead_days", [365, *(pytest.param(days, marks=pytest.mark.campaign) for days in (-365, 3650))]
)
def test_a_clock_that_is_wrong_for_a_day_deletes_nothing(store: Store, ahead_days: int) -> None:
    """A time server that is a year wrong must not delete the year."""
    clock = StillClock()
    upkeep = Upkeep(KEEPING, clock)
    for day in range(399):
        _day(store, day)
    clock.unix = NOON + 399 * DAY
    look_after(upkeep, store, clock, 3 * HOUR)
    clock.unix += ahead_days * DAY
    _day(store, 400 + ahead_days)
    look_after(upkeep, store, clock, DAY)
    clock.unix -= ahead_days * DAY
    look_after(upkeep, store, clock, DAY)
    assert _count(store) >= 397 * 10


def test_an_unset_clock_deletes_nothing(store: Store) -> None:
    """A gateway without a battery wakes in 1970, or a year ahead of it."""
    clock = StillClock()
    clock.is_synced = False
    for day in range(3):
        _day(store, day)
    clock.unix = NOON + 1000 * DAY
    look_after(Upkeep(KEEPING, clock), store, clock, 30 * DAY)
    assert _count(store) == 30


def test_the_log_is_kept_within_its_size(store: Store) -> None:
    """A camera that flaps must not fill the card."""
    clock = StillClock()
    upkeep = Upkeep(Keeping(400 * DAY, 2_000_000), clock)
    for day in range(40):
        _day(store, day, 100)
    look_after(upkeep, store, clock, 2 * HOUR)
    assert store.room.used_bytes <= 2_100_000
    assert 0 < _count(store) < 4000


@given(
    st.none() | st.floats(0, 1e9),
    st.floats(0, 2e9),
    st.booleans(),
)
def test_the_horizon_moves_slowly(last: float | None, before: float, synced: bool) -> None:
    """Whatever the clock says, at most two hours more of the log may go within an hour."""
    now = horizon(last, before, synced=synced)
    if not synced:
        assert now == last
    elif last is None:
        assert now == before
    else:
        assert now is not None
        assert last <= now <= last + 2 * HOUR
        assert now <= max(before, last)
