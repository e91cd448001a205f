"""The file: what it refuses to be, what a message or a full disk does to it, how it is read."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from district.receiver.gateway_words import Desk, desk, event
from gatehouse import events
from gatehouse_district.errors import AnswerError, DistrictStoreError
from gatehouse_district.receiver import queries, schema
from gatehouse_district.receiver.heard import Item, Photograph, Record, Refused
from gatehouse_district.receiver.keeping import Keeper, Kept
from gatehouse_district.receiver.pictures import Pictures
from gatehouse_district.receiver.reading import Reading
from gatehouse_district.receiver.store import Arrival, Store

JPEG = b"\xff\xd8\xff" + b"x" * 997


def record(said: events.Event) -> Record:
    """Return an event as it arrives."""
    return Record("gw-1", "t", said, events.encode(said), 1, 2)


class Loop:
    """Hears of the disk."""

    def __init__(self) -> None:
        self.done: list[Kept] = []
        self.lost: list[Arrival] = []
        self._told = asyncio.Event()

    async def until(self, test: Callable[[], object]) -> None:
        """Wait until something has come about."""
        async with asyncio.timeout(60):
            while not test():
                self._told.clear()
                await self._told.wait()

    def stored(self, done: Sequence[tuple[Arrival, Kept]]) -> None:
        """Take what is on disk now."""
        self.done += [kept for _, kept in done]
        self._told.set()

    def not_stored(self, lost: Sequence[Arrival]) -> None:
        """Take what the disk did not take."""
        self.lost += lost
        self._told.set()


def test_a_newer_file_is_refused_and_left(tmp_path: Path) -> None:
    """Without it an old program would write into tables that it does not understand."""
    path = tmp_path / "district.db"
    with desk(path) as kept:
        kept.say(event())
        kept.keeper.db.execute("PRAGMA user_version = 2")
    for opened in (schema.open_for_writing, schema.open_for_reading):
        with pytest.raises(DistrictStoreError, match="newer gatehouse-district"):
            opened(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)


@pytest.mark.parametrize(
    "body", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_a_damaged_file_is_refused_and_left(tmp_path: Path, body: bytes) -> None:
    """Without it a damaged district would begin anew as if no school had ever spoken."""
    path = tmp_path / "district.db"
    path.write_bytes(body)
    with pytest.raises(DistrictStoreError, match=r"district\.db"):
        schema.open_for_writing(path)
    assert path.read_bytes() == body


def test_another_programs_file_is_refused(tmp_path: Path) -> None:
    """Without it a wrong path would put our tables among a stranger's."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(DistrictStoreError, match="another program"):
        schema.open_for_writing(path)


async def test_two_receivers_do_not_write_to_one_file(tmp_path: Path) -> None:
    """Without it each would count numbers that the other one stored as lacking."""
    first, second = (Store(tmp_path / "d.db", Loop()) for _ in range(2))
    first.open()
    with pytest.raises(DistrictStoreError, match="another receiver"):
        second.open()
    await first.close()
    second.open()
    await second.close()


async def test_what_cannot_be_stored_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it one poisonous message would keep all others from the disk, for ever."""
    whole = Keeper.keep

    def keep(self: Keeper, item: Item) -> Kept:
        if isinstance(item, Record) and item.event.subject == "poison":
            self.db.execute("INSERT INTO event (id) VALUES (?)", (2**70,))
        return whole(self, item)

    monkeypatch.setattr(Keeper, "keep", keep)
    loop = Loop()
    store = Store(tmp_path / "d.db", loop)
    for count in range(1, 8):
        subject = "poison" if count == 4 else "button/gate"
        store.put(Arrival(record(event(count=count, subject=subject)), None, 0))
    store.open()
    await store.do(lambda _: None)
    assert [type(kept.item) for kept in loop.done].count(Record) == 6
    assert [kept.receipt for kept in loop.done] == [True] * 3 + [False] + [True] * 3
    assert isinstance(loop.done[3].item, Refused)
    assert await store.do(lambda k: queries.refusals(k.db)) == {"unstorable": 1}
    await store.close()


async def test_a_full_disk_gets_no_receipt_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a receipt could be sent for what a full disk did not take."""
    monkeypatch.setattr("gatehouse_district.receiver.store.AGAIN_S", 0.0)
    loop = Loop()
    store = Store(tmp_path / "d.db", loop)
    store.open()
    await store.do(lambda keeper: keeper.db.execute("PRAGMA max_page_count = 50").fetchone())
    big = event(data={"x": "y" * 100_000})
    store.put(Arrival(record(big), None, 0))
    await loop.until(lambda: loop.lost)
    assert (loop.done, [lost.item for lost in loop.lost]) == ([], [record(big)])
    with pytest.raises(DistrictStoreError, match="took nothing"):
        await store.do(lambda keeper: _fill(keeper.db))
    small = record(event())
    store.put(Arrival(small, None, 0))
    await loop.until(lambda: loop.done)
    assert [(kept.item, kept.receipt) for kept in loop.done] == [(small, True)]
    await store.close()


def _fill(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO refused VALUES (1, '', '', '', '', 1, ?)", (b"x" * 10_000_000,))


async def test_a_refused_wish_undoes_only_itself(tmp_path: Path) -> None:
    """Without it one person's mistake would roll back what came in the same commit."""
    store = Store(tmp_path / "d.db", Loop())

    def wish(keeper: Keeper) -> None:
        keeper.db.execute("INSERT INTO gateway (id) VALUES ('half')")
        raise AnswerError("no")

    store.put(Arrival(record(event()), None, 0))
    wished = asyncio.gather(store.do(wish), return_exceptions=True)
    store.open()
    assert isinstance((await wished)[0], AnswerError)
    assert await store.do(lambda k: k.db.execute("SELECT id FROM gateway").fetchall()) == [
        ("gw-1",)
    ]
    await store.close()


def test_the_same_id_twice_and_the_same_number_twice(kept: Desk) -> None:
    """Without it an event could be written over, or an alarm lost to another one's number."""
    first, again, second = event(), event(data={"other": 1}), event(count=1)
    again = events.decode(events.encode(again).replace(again.id.encode(), first.id.encode()))
    kept.say(first, first, again, second)
    kept.say(event(gateway="gw-2", id=first.id))
    rows = kept.keeper.db.execute("SELECT id, body, deliveries FROM event").fetchall()
    assert rows == [
        (first.id, events.encode(first), 3),
        (second.id, events.encode(second), 1),
    ]
    assert kept.refusals() == {"conflict": 3}
    assert set(kept.open()) == {first.id, second.id}


def test_of_the_refused_the_last_thousand_are_kept(kept: Desk) -> None:
    """Without it a flood of nonsense would fill the district's disk."""
    for number in range(1050):
        kept.hear("up/alarm", b"%04d" % number * 2000)
    rows = kept.keeper.db.execute("SELECT size, length(body) FROM refused").fetchall()
    assert len(rows) == 1000
    assert rows[-1] == (8000, 4096)
    assert kept.refusals() == {"envelope": 1050}


def test_pictures_have_room_and_the_oldest_go(kept: Desk) -> None:
    """Without it pictures would fill the disk that alarms need."""
    pictures = Pictures(kept.keeper.db, 5000)
    for number in range(1, 9):
        pictures.keep(Photograph("gw-1", "a", number, JPEG, 1))
    assert [each.number for each in queries.pictures(kept.keeper.db, "a")] == [4, 5, 6, 7, 8]


def test_a_picture_is_its_own_gateways_and_is_not_written_over(kept: Desk) -> None:
    """Without it a gateway could put a picture to another school's alarm."""
    raised = event()
    leaf = f"up/picture/{raised.id}/1"
    kept.hear(leaf, JPEG, "gw-2")
    kept.say(raised)
    assert queries.pictures(kept.keeper.db, raised.id) == []
    kept.hear(f"up/picture/{raised.id}/2", JPEG)
    kept.hear(f"up/picture/{raised.id}/2", JPEG)
    kept.hear(f"up/picture/{raised.id}/2", JPEG + b"other")
    kept.hear(f"up/picture/{raised.id}/3", JPEG, "gw-2")
    shown = queries.pictures(kept.keeper.db, raised.id)
    assert [(each.number, each.size) for each in shown] == [(2, 1000)]
    assert queries.picture(kept.keeper.db, raised.id, 2) == JPEG
    assert queries.picture(kept.keeper.db, raised.id, 1) is None
    assert kept.alarm(raised).pictures == 1
    assert kept.refusals() == {"picture": 2}


STATEMENTS = [
    queries.events_statement(gateway, type_, 10, before)
    for gateway in (None, "gw-1")
    for type_ in (None, events.ALARM_RAISED)
    for before in (None, 5)
]


@pytest.mark.parametrize(("statement", "given"), STATEMENTS)
def test_events_are_read_over_an_index(kept: Desk, statement: str, given: Sequence[object]) -> None:
    """Without it a page of the log would take longer with every event."""
    plan = [
        row[3]
        for row in kept.keeper.db.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()
    ]
    asked = len(given) > 1
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert all("SEARCH" in step for step in plan) or not asked, plan


def test_alarms_and_gateways_are_read_over_an_index(kept: Desk) -> None:
    """Without it the desk would scan every alarm that ever was for those that stand."""
    asked: list[str] = []
    kept.keeper.db.set_trace_callback(asked.append)
    queries.alarms(kept.keeper.db, open_only=True, limit=10, before=None)
    queries.alarms(kept.keeper.db, open_only=True, limit=10, before="x")
    queries.alarms(kept.keeper.db, open_only=False, limit=10, before="x")
    queries.practice(kept.keeper.db, limit=10)
    queries.alarm(kept.keeper.db, "x")
    queries.gateways(kept.keeper.db)
    queries.gateways(kept.keeper.db, "x")
    queries.pictures(kept.keeper.db, "x")
    queries.picture(kept.keeper.db, "x", 1)
    kept.keeper.db.set_trace_callback(None)
    small = ("SCAN fault", "SCAN gateway")
    for statement in asked:
        for row in kept.keeper.db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall():
            step = row[3]
            if step.startswith(small) or ("USING" in step and "INDEX" in step):
                continue
            assert "SCAN" not in step, (statement, step)


async def test_a_file_that_another_process_writes_can_be_read(tmp_path: Path) -> None:
    """Without it the commands could look at a district only when it stands still."""
    path = tmp_path / "d.db"
    with desk(path) as kept:
        kept.say(event(count=1))
        async with Reading(path) as records:
            assert len(await records.alarms()) == 1
            kept.say(event(count=2))
            alarms = await records.alarms()
            assert [alarm.id for alarm in alarms] == kept.open()
            assert await records.alarms(limit=1) == alarms[:1]
            assert await records.alarms(before=alarms[0].id) == alarms[1:]
            assert [entry.position for entry in await records.events()] == [2, 1]
            assert [entry.position for entry in await records.events(before=2)] == [1]
            assert await records.events(gateway="gw-2") == []
            assert await records.alarm("x") is None
            assert await records.gateway("x") is None
            assert await records.picture("x", 2**70) is None
    with pytest.raises(DistrictStoreError, match="not open"):
        await records.gateways()


async def test_a_row_that_cannot_be_shown_costs_that_answer_alone(tmp_path: Path) -> None:
    """Without it the desk would wait for ever for everything after one damaged row."""
    path = tmp_path / "d.db"
    with desk(path) as kept:
        kept.say(event(count=1))
        kept.keeper.db.execute("UPDATE gateway SET retention = '[{}]'")
        async with Reading(path) as records, asyncio.timeout(60):
            with pytest.raises(DistrictStoreError, match="cannot be read"):
                await records.gateways()
            assert len(await records.alarms()) == 1
