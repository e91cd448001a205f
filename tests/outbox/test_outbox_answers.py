"""How long an alarm took to be received and acknowledged is known later, and never made up."""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse import events
from gatehouse.events import Happening
from gatehouse.outbox import PastEvent, salvage, sqlite
from gatehouse.outbox.answers import took_s
from gatehouse.outbox.inbox import Inbox
from gatehouse.outbox.orders import Acknowledged, Moment, Put, Received
from gatehouse.outbox.past import of_closed_file
from gatehouse.outbox.reader import Reader
from gatehouse.outbox.store import Store
from outbox.house import NOON, StillClock, alarm, opened, other, put, scribe

RAISED = [events.ALARM_RAISED]
BOOT = StillClock.bootid


def later(event: events.Event, seconds: float) -> Moment:
    """Return a moment so long after an event, in its own boot."""
    return Moment(NOON + seconds, int(event.monotonic) + int(seconds * 1e9), BOOT, synced=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a new file."""
    store = Store(tmp_path / "outbox.db")
    yield store
    store.abandon()


def history(path: Path) -> list[PastEvent]:
    """Return all alarms of a file that is open."""
    with closing(Reader(path)) as reader:
        found, after = reader.history(RAISED, 0)
        assert reader.history(RAISED, after or 0) == ([], None)
    return found


def test_the_first_receipt_and_the_first_answer_count(store: Store) -> None:
    """An inspector would be told of a later receipt, or of whoever answered another alarm."""
    made = scribe()
    first, second = alarm(made), alarm(made)
    store.write([put(first), put(second)], NOON)
    store.write([Received((first.id,), later(first, 0.25))], NOON)
    store.write([Acknowledged((first.id,), "李", later(first, 30.0))], NOON)
    store.write([Received((first.id,), later(first, 9.0))], NOON)
    store.write([Acknowledged((first.id, second.id), "王", later(second, 60.0))], NOON)
    one, two = history(store.path)
    assert (one.pending, one.acknowledged_by) == (False, "李")
    assert one.received_s == pytest.approx(0.25)
    assert one.acknowledged_s == pytest.approx(30.0)
    assert (two.pending, two.received_s, two.acknowledged_by) == (True, None, "王")


def test_answers_outlive_the_reset(store: Store) -> None:
    """The alarm's own row goes with its reset; a report of last month would have no times."""
    made = scribe()
    first, second = alarm(made), alarm(made)
    store.write([put(first), put(second), Received((first.id,), later(first, 1.0))], NOON)
    store.write([Acknowledged((first.id,), "李", later(first, 2.0))], NOON)
    ended = Happening(events.ALARM_RESET, "button/gate", {"alarms": [first.id, second.id]})
    store.write([put(made.write(ended))], NOON)
    assert [each.acknowledged_by for each in history(store.path)] == ["李", None]


def test_a_receipt_before_the_commit_keeps_its_own_time() -> None:
    """On a slow card the time to the disk would be told as the time to the district."""
    raised = put(alarm(scribe()))
    inbox = Inbox()
    inbox.add(raised)
    at = later(raised.event, 0.01)
    inbox.add(Received((raised.event.id,), at))
    [order] = inbox.hand(others=True)
    assert order == replace(raised, sent=True, received=True, received_at=at)


def test_no_clock_no_time() -> None:
    """A clock that was set between a press and its receipt would make hours of a second."""
    event = alarm(scribe())
    body, same = events.encode(event), later(event, 2.0)
    assert took_s(body, replace(same, unix=NOON - 1e6)) == pytest.approx(2.0)
    elsewhere = replace(same, bootid="another", boottime_ns=5)
    assert took_s(body, elsewhere) == pytest.approx(2.0, abs=0.01)
    assert took_s(body, replace(elsewhere, synced=False)) is None
    unset = body.replace(b'"synced"', b'"unsynced"')
    assert took_s(unset, elsewhere) is None
    assert took_s(unset, same) == pytest.approx(2.0)
    assert took_s(body, replace(same, boottime_ns=0)) == 0.0


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"time": 1}', b"[" * 5000])
def test_a_receipt_is_kept_whatever_the_alarm_is_like(store: Store, body: bytes) -> None:
    """The receipt would be refused for ever, and the alarm be sent again after each start."""
    event = alarm(scribe())
    store.write([Put(event, body, alarm=True)], NOON)
    store.write([Received((event.id,), later(event, 1.0))], NOON)
    assert list(store.waiting()) == []
    [row] = history(store.path)
    assert row.received_s is None


def test_a_row_of_the_log_is_one_json_object(store: Store) -> None:
    """The report could not be read."""
    event = alarm(scribe())
    store.write([put(event), Received((event.id,), later(event, 0.5))], NOON)
    store.write([Acknowledged((event.id,), '"李"', later(event, 1.5))], NOON)
    [row] = history(store.path)
    read = json.loads(row.json())
    assert (read["id"], read["pending"], read["received_s"]) == (event.id, False, 0.5)
    assert (read["acknowledged_s"], read["acknowledged_by"]) == (1.5, '"李"')


# Files of the first release.


def first_release(path: Path) -> list[events.Event]:
    """Leave a file as the first release made it: an alarm that stands, and one that waits."""
    schema = sqlite._SCHEMA
    for name, kind in sqlite.ANSWERED.items():
        schema = schema.replace(f",\n    {name} {kind}", "")
    assert "received_s" not in schema
    db = sqlite.connect(path)
    db.executescript(f"BEGIN;{schema}PRAGMA user_version = {sqlite.VERSION};COMMIT;")
    db.execute("INSERT INTO meta VALUES ('store', 'store'), ('start', '1')")
    made = scribe()
    told = [alarm(made), other(made, text="y" * 9000), alarm(made)]
    for event in told:
        body = events.encode(event)
        db.execute(
            "INSERT INTO events (id, store, start, count, type, subject, importance, stored_unix,"
            " crc, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event.id, "store", 1, event.count, event.type, event.subject,
             int(events.importance(event.type, event.data)), NOON, zlib.crc32(body), body),
        )  # fmt: skip
    db.execute("UPDATE events SET done_unix = ? WHERE id = ?", (NOON, told[0].id))
    db.close()
    return told


def test_a_file_of_the_first_release_is_taken_over(tmp_path: Path) -> None:
    """An upgrade would lose the outbox, or the gateway be without one."""
    path = tmp_path / "outbox.db"
    told = first_release(path)
    for start in (2, 3):
        store = salvage.open_store(path, NOON, os.urandom)
        opening = salvage.opening(store, NOON, lambda _: None)
        assert (opening.start, opening.trouble) == (start, ())
        assert [each.id for each in opening.pending] == [told[1].id, told[2].id]
        store.abandon()
    store = Store(path)
    store.write([Received((told[2].id,), later(told[2], 3.0))], NOON)
    assert [each.received_s for each in history(path)] == [None, pytest.approx(3.0)]
    store.abandon()


def test_a_file_of_the_first_release_can_be_read_as_it_is(tmp_path: Path) -> None:
    """A report before the first start of the new release would fail."""
    path = tmp_path / "outbox.db"
    told = first_release(path)
    found = list(of_closed_file(path, RAISED))
    assert [each.body for each in found] == [events.encode(told[0]), events.encode(told[2])]
    assert [each.pending for each in found] == [False, True]


def test_the_release_before_reads_a_file_of_this_one(tmp_path: Path) -> None:
    """Whoever goes back after an upgrade would find the outbox set aside."""
    path = tmp_path / "outbox.db"
    first_release(path)
    Store(path).abandon()
    assert sqlite.version_in_head(path) == 1
    fresh = tmp_path / "fresh.db"
    Store(fresh).abandon()
    assert sqlite.version_in_head(fresh) == 1


@pytest.mark.parametrize("old", [True, False])
def test_salvage_keeps_what_is_known(tmp_path: Path, old: bool) -> None:
    """Times would be lost with the page beside them; an old file could not be salvaged at all."""
    path = tmp_path / "outbox.db"
    told = first_release(path)
    if not old:
        store = Store(path)
        store.write([Received((told[2].id,), later(told[2], 3.0))], NOON)
        store.write([Acknowledged((told[2].id,), "李", later(told[2], 5.0))], NOON)
        store.finish()
    store = salvage.salvage(path, NOON, os.urandom)
    rows = history(path)
    store.abandon()
    assert [each.body for each in rows] == [events.encode(told[0]), events.encode(told[2])]
    known = (rows[1].received_s, rows[1].acknowledged_s, rows[1].acknowledged_by)
    assert known == ((None, None, None) if old else (pytest.approx(3.0), pytest.approx(5.0), "李"))


# Read while no service runs, or one starts.


def test_reading_a_closed_file_leaves_nothing_and_locks_nothing(tmp_path: Path) -> None:
    """A service that starts while somebody prints a report would be without its outbox."""
    path = tmp_path / "outbox.db"
    store = Store(path)
    made = scribe()
    store.write([put(alarm(made)) for _ in range(1500)], NOON)
    store.abandon()
    reading = of_closed_file(path, RAISED)
    next(reading)
    again = Store(path)
    again.begin_start()
    again.abandon()
    assert 1 + sum(1 for _ in reading) == 1500
    assert not path.with_name("outbox.db-shm").exists()


async def test_the_running_outbox_notes_times(tmp_path: Path) -> None:
    """Nothing of this would be in the log of a real gateway."""
    async with opened(tmp_path / "outbox.db") as house:
        event = house.alarm()
        await house.settled()
        house.clock.pass_s(2.0)
        house.outbox.received([event.id])
        house.clock.pass_s(60.0)
        house.outbox.acknowledged([event.id], "李")
        last = house.alarm()
        await house.settled()
        rows, after = await house.outbox.history(RAISED, 0)
        assert (await house.outbox.history(RAISED, after or 0)) == ([], None)
    one, two = (json.loads(row) for row in rows)
    assert (one["id"], two["id"]) == (event.id, last.id)
    assert one["received_s"] == pytest.approx(2.0, abs=1.0)
    assert one["acknowledged_s"] == pytest.approx(62.0, abs=2.0)
    assert (one["acknowledged_by"], two["pending"]) == ("李", True)
