"""What stood when the service stopped stands when it starts; limits hold; the log tells all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gatehouse import events
from gatehouse.events import Happening, Importance, Mode
from gatehouse.outbox import Limits, LogEntry
from gatehouse.outbox.reader import Reader
from outbox.house import opened, until

ALARMS = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox lies; the folder is made by it."""
    return tmp_path / "state" / "outbox.db"


async def test_an_orderly_stop_is_known_though_a_press_came_after_it(path: Path) -> None:
    """A press during the farewell must not make the next start say that this one crashed."""
    async with opened(path) as house:
        stopped = house.put(house.scribe.write(Happening(events.GATEWAY_STOPPED, "gateway", {})))
        house.alarm()
        await house.settled()
    async with opened(path) as house:
        assert house.opening.last_event == stopped
        last = house.other()
        await house.settled()
    async with opened(path) as house:
        assert house.opening.last_event == last


async def test_what_stands_after_a_restart(path: Path) -> None:
    """Lamps, faults, a drill and commands must be after a restart what they were before."""
    async with opened(path) as house:
        assert house.opening.last_event is None
        assert (house.opening.start, house.opening.previous) == (1, None)
        first, second = house.alarm(), house.alarm("hall")
        practised = Happening(events.ALARM_RAISED, "button/hall", {}, Mode.DRILL)
        third = house.put(house.scribe.write(practised))
        fault = {"fault": "open", "text": "断路"}
        house.put(house.scribe.write(Happening(events.LINE_FAULT, "button/gate", fault)))
        house.put(house.scribe.write(Happening(events.DRILL_STARTED, "gateway", {})))
        last = house.other()
        house.outbox.sent(first.id)
        house.outbox.received([second.id])
        house.outbox.acknowledged([second.id], "李")
        house.outbox.command_seen("c-1", house.clock.unix + 60)
        await house.settled()
    async with opened(path) as house:
        opening = house.opening
        assert opening.start == 2
        assert opening.previous == last.sequence == "00000001.0000000006"
        assert [(a.id, a.button, a.mode) for a in opening.alarms] == [
            (first.id, "gate", Mode.REAL),
            (second.id, "hall", Mode.REAL),
            (third.id, "hall", Mode.DRILL),
        ]
        assert [a.sent for a in opening.alarms] == [True, True, False]
        assert [a.received for a in opening.alarms] == [False, True, False]
        assert [a.acknowledged for a in opening.alarms] == [False, True, False]
        assert [(f.subject, f.fault, f.data) for f in opening.faults] == [
            ("button/gate", "open", {"text": "断路"})
        ]
        assert opening.faults[0].family == "line"
        assert opening.drill_open
        assert opening.last_event == last
        assert opening.commands == (("c-1", house.clock.unix + 60),)
        assert opening.trouble == ()
        assert len(opening.pending) == 5
        assert [entry.id for entry in house.outbox.pending] == [e.id for e in opening.pending]


async def test_bodies_from_memory_and_from_the_disk(path: Path) -> None:
    """A fresh event must cost no read, and an old one be the same bytes."""
    async with opened(path) as house:
        told = [house.other(text=f"第{n}") for n in range(700)]
        await house.settled()
        bodies = {event.id: events.encode(event) for event in told}
        assert len(house.outbox._memory) == 512
        assert await house.outbox.bodies(list(bodies)) == bodies
        house.outbox.received([event.id for event in told])
        assert len(house.outbox._memory) == 0
        assert await house.outbox.bodies([told[0].id, "unknown"]) == {
            told[0].id: bodies[told[0].id]
        }


async def test_the_log_tells_what_is_on_disk_and_what_is_not(path: Path) -> None:
    """`gatehouse events` must show the press of a moment ago, and show it once."""
    async with opened(path) as house:
        told = [house.alarm() for _ in range(ALARMS)]
        await house.settled()
        house.outbox.received([event.id for event in told[:4]])
        await until(lambda: not len(house.outbox._inbox))
        fresh = house.other()
        rows = await house.outbox.log(limit=100, pending_only=False)
        assert [row.body for row in rows] == [events.encode(e) for e in (*told, fresh)]
        assert [row.pending for row in rows] == [False] * 4 + [True] * 7
        rows = await house.outbox.log(limit=3, pending_only=True)
        assert [row.body for row in rows] == [events.encode(e) for e in (*told, fresh)][-3:]


async def test_received_tells_what_waited(path: Path) -> None:
    """A doubled receipt must not be taken for another proof."""
    async with opened(path) as house:
        one, two = house.alarm(), house.other()
        assert house.outbox.received([one.id, one.id, "unknown"]) == [one.id]
        assert house.outbox.received([one.id, two.id]) == [two.id]
        assert (house.outbox.pending.pending, house.outbox.size_bytes()) == (0, 0)
        await house.settled()
    async with opened(path) as house:
        assert house.opening.pending == ()


@pytest.mark.parametrize(
    "limits", [Limits(pending=20), Limits(pending_bytes=20 * 420)], ids=["count", "bytes"]
)
async def test_limits_are_met_by_the_least_important(path: Path, limits: Limits) -> None:
    """A backlog of weeks must cost what matters least, be counted, and never an alarm."""
    async with opened(path, limits=limits) as house:
        alarms = [house.alarm() for _ in range(50)]
        kept = [house.other("gatehouse.power.fault") for _ in range(5)]
        reports = [house.other("gatehouse.selftest.report") for _ in range(100)]
        outbox = house.outbox
        assert outbox.pending.pending_alarms == 50
        assert outbox.pending.others <= 20
        assert all(event.id in outbox.pending for event in (*alarms, *kept))
        assert reports[-1].id in outbox.pending
        [(fault, begins, data)] = house.heard.troubles
        assert (fault, begins) == ("outbox-full", True)
        assert data["sequences"][0] == reports[0].sequence
        await house.settled()
        await until(lambda: not len(outbox._inbox))
        gone = [event.id for event in reports if event.id not in outbox.pending]
        outbox.received([entry.id for entry in outbox.pending][:60])
        assert house.heard.troubles[-1] == ("outbox-full", False, {"dropped": len(gone)})
    async with opened(path) as house:
        left = {entry.id for entry in house.opening.pending}
        assert left == {entry.id for entry in outbox.pending}
        assert not left & set(gone)


async def test_importance_of_what_waits_survives(path: Path) -> None:
    """After a restart a cut wire would wait behind camera events, and might be dropped."""
    async with opened(path) as house:
        house.put(house.scribe.write(Happening(events.LINE_FAULT, "button/a", {"fault": "open"})))
        house.put(house.scribe.write(Happening(events.LINE_FAULT, "button/a", {"fault": "short"})))
        house.other()
        await house.settled()
    async with opened(path) as house:
        kinds = [entry.importance for entry in house.opening.pending]
        assert kinds == [Importance.ALARM, Importance.FAULT, Importance.WATCH]


async def test_many_starts(path: Path) -> None:
    """Each start has its number, and tells the last of the one before."""
    last = None
    for start in range(1, 6):
        async with opened(path) as house:
            assert (house.opening.start, house.opening.previous) == (start, last)
            last = [house.other() for _ in range(start)][-1].sequence
            await house.settled()


async def test_an_event_that_is_stored_while_the_log_is_read_is_in_the_log(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read before its commit and looked for in memory after it, it would be in neither."""
    async with opened(path) as house:
        reading = house.outbox._read

        async def slow(question: Callable[[Reader], list[LogEntry]]) -> list[LogEntry]:
            rows = await reading(question)
            await house.settled()
            return rows

        monkeypatch.setattr(house.outbox, "_read", slow)
        alarm = house.alarm()
        rows = await house.outbox.log(limit=10, pending_only=False)
        assert [events.decode(row.body).id for row in rows] == [alarm.id]
