"""A disk that hangs or fails: presses go on from memory, one fault tells of it, nothing is lost."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatehouse import events
from gatehouse.errors import OutboxError
from gatehouse.outbox.memory import MOST_OTHERS
from gatehouse.outbox.reader import Reader
from gatehouse.outbox.sqlite import FullError
from gatehouse.outbox.store import Store
from outbox.house import HANGS, QUICK, Gate, alarm, opened, rows, until

DISK = "outbox-disk"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox lies."""
    return tmp_path / "outbox.db"


async def test_a_commit_that_hangs_is_a_fault_that_ends_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that stalls for a minute must be seen, and must not hold up a single press."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path, timing=HANGS) as house:
        gate.shut()
        first = house.alarm()
        await until(lambda: house.heard.of(DISK) == [True])
        more = [house.alarm() if n % 2 else house.other() for n in range(100)]
        ids = [event.id for event in (first, *more)]
        found = await house.outbox.bodies(ids)
        assert found == {event.id: events.encode(event) for event in (first, *more)}
        log = await house.outbox.log(limit=1000, pending_only=True)
        assert [row.body for row in log] == list(found.values())
        assert house.outbox.received([first.id]) == [first.id]
        gate.open()
        await house.settled()
        await until(lambda: house.heard.of(DISK) == [True, False])
        assert house.heard.stored == ids
        house.alarm()
        await house.settled()
    assert house.heard.of(DISK) == [True, False]
    store = Store(path)
    assert rows(store, "SELECT count(*) FROM events WHERE done_unix > 0") == [(1,)]
    store.abandon()


async def test_a_disk_that_is_slow_is_no_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that takes a second for each commit would flood the district with faults."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path, timing=replace(QUICK, hang_s=30.0)) as house:
        for _ in range(20):
            gate.shut()
            house.alarm()
            await until(gate.waiting.is_set)
            gate.open()
        await house.settled()
    assert house.heard.troubles == []


async def test_hang_within_the_loop_of_failing_tells_one_fault(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full and hangs besides is one fault, until both are over."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path, timing=HANGS) as house:
        gate.error = OutboxError("the card is gone")
        house.alarm()
        await until(lambda: house.heard.of(DISK) == [True])
        gate.shut()
        await until(gate.waiting.is_set)
        await until(lambda: "hangs" in house.outbox._disk._wrong)
        gate.error = None
        gate.open()
        await house.settled()
        await until(lambda: house.heard.of(DISK) == [True, False])
    assert house.heard.of(DISK) == [True, False]


async def test_close_returns_in_its_time_while_the_disk_hangs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM must end the service within 2 s, whatever the disk does."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path, close=False) as house:
        gate.shut()
        house.alarm()
        await until(gate.waiting.is_set)
        async with asyncio.timeout(30):
            await house.outbox.close(0.1)
        assert house.heard.stored == []
        gate.open()
        await house.settled()


async def test_put_never_waits_and_never_raises(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The press's way goes through it: an exception there is a press that is not sent."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path) as house:
        gate.shut()
        odd = alarm(house.scribe, location="\udcff half a character")
        house.outbox.put(odd, b"{}")
        house.outbox.put(odd, b"{}")
        house.outbox.sent("unknown")
        house.outbox.acknowledged(["unknown"], "李")
        assert house.outbox.received(["unknown"]) == []
        good = house.alarm()
        gate.open()
        await until(lambda: good.id in house.heard.stored)
        assert odd.id in house.outbox.pending


async def test_an_event_that_the_disk_refuses_is_sent_all_the_same(path: Path) -> None:
    """What cannot be stored, for a reason of its own, must still reach the district."""
    async with opened(path) as house:
        odd = replace_location(alarm(house.scribe))
        house.outbox.put(odd, b'{"odd": true}')
        good = house.alarm()
        await until(lambda: good.id in house.heard.stored)
        await until(lambda: house.heard.of("outbox-refused") == [True])
        assert odd.id not in house.heard.stored
        assert await house.outbox.bodies([odd.id]) == {odd.id: b'{"odd": true}'}
        assert house.outbox.received([odd.id]) == [odd.id]
        assert house.heard.of("outbox-refused") == [True, False]
        assert list(house.outbox._memory.undurable()) == []


def replace_location(event: events.Event) -> events.Event:
    """Return the event with a subject that SQLite cannot take."""
    changed: dict[str, Any] = {name: getattr(event, name) for name in event.__struct_fields__}
    return events.Event(**{**changed, "subject": "button/\ud800"})


async def test_memory_stays_bounded_while_the_disk_takes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway beside a dead disk must live for days; its alarms are never given up."""
    gate = Gate(monkeypatch, Store, "write")
    async with opened(path) as house:
        await until(lambda: house.outbox._writer)
        gate.error = FullError("no room")
        alarms = [house.alarm() for _ in range(10)]
        kinds = ("gatehouse.power.fault", "gatehouse.recording.gap", "gatehouse.selftest.report")
        for number in range(MOST_OTHERS + 3000):
            event = house.other(kinds[number % 3])
            house.outbox.sent(event.id)
        alarms += [house.alarm() for _ in range(10)]
        outbox = house.outbox
        assert outbox.pending.pending == MOST_OTHERS + 20
        assert outbox._memory.others == MOST_OTHERS
        assert len(outbox._memory) == MOST_OTHERS + 20
        assert len(outbox._inbox) <= MOST_OTHERS + 20 + 2
        waiting = [entry.type for entry in outbox.pending]
        assert waiting.count("gatehouse.selftest.report") < 10, "the least important gave way"
        assert waiting.count("gatehouse.power.fault") == (MOST_OTHERS + 3000 + 2) // 3
        assert house.heard.of("outbox-full") == [True]
        outbox.received([event.id for event in alarms])
        assert house.heard.of("outbox-full") == [True], "a receipt makes no room on the disk"
        gate.error = None
        await house.settled()
        await until(lambda: house.heard.of("outbox-full") == [True, False])
        await until(lambda: house.heard.of(DISK) == [True, False])
    [_, (_, _, ended)] = [each for each in house.heard.troubles if each[0] == "outbox-full"]
    assert ended == {"dropped": 3000}


async def test_reads_that_hang_are_few(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each question, left behind every few seconds, would end the process in days."""
    async with opened(path, timing=replace(QUICK, read_s=0.01)) as house:
        house.alarm()
        await house.settled()
        gate = Gate(monkeypatch, Reader, "bodies")
        gate.shut()
        for _ in range(50):
            with pytest.raises((OutboxError, TimeoutError)):
                await house.outbox.bodies(["somebody else's"])
        assert house.outbox._reading._running == 4
        gate.open()
        await until(lambda: house.outbox._reading._running == 0)
        house.outbox._reading._timeout_s = 60.0
        assert await house.outbox.bodies(["somebody else's"]) == {}


async def test_another_connection_that_holds_the_file_is_waited_out(path: Path) -> None:
    """A technician's forgotten sqlite3 must not cost an event."""
    async with opened(path, timing=HANGS) as house:
        house.alarm()
        await house.settled()
        beside = Store(path)
        beside._db.execute("BEGIN IMMEDIATE")
        held = [house.alarm(), house.other()]
        await until(lambda: house.heard.of(DISK) == [True])
        beside._db.execute("COMMIT")
        await house.settled()
        await until(lambda: house.heard.of(DISK) == [True, False])
        beside.abandon()
    assert house.heard.stored[1:] == [event.id for event in held]
