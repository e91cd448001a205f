"""A button that nobody walked for 90 days is a fault: from the log, and by a clock that is set."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.clock import Reading
from gatehouse.errors import OutboxError
from gatehouse.events import Event, Happening, Mode
from gatehouse.service import walkdue
from gatehouse.service.walkdue import FAULT, History, Moment, WalkDue, due, read_history, walked
from service.house import BOOT, LIMIT_S, House, joined

DAY: Final = 86_400
NS: Final = 1_000_000_000
NOW_S: Final = 1_800_000_000
NOW: Final = Reading(NOW_S * NS, 5 * NS, 1000 * DAY * NS)
OTHER_BOOT: Final = "another"


def event(
    type_: str, days_ago: float, *, boot: str = OTHER_BOOT, clock: str = "synced", **data: Any
) -> Event:
    """Return an event of so many days ago."""
    ago_ns = int(days_ago * DAY) * NS
    return Event(
        id="e",
        source="/gatehouse/g",
        type=type_,
        subject="gateway",
        time=events.rfc3339(NOW.unix_ns - ago_ns),
        store="s",
        sequence="00000001.0000000001",
        bootid=boot,
        monotonic=str(NOW.boottime_ns - ago_ns),
        clock=clock,
        mode=Mode.REAL,
        data=data,
    )


def report(days_ago: float, *, clock: str = "synced", **results: str) -> Event:
    """Return a report of so many days ago."""
    rows = [{"name": name, "result": result} for name, result in results.items()]
    return event(events.WALKTEST_REPORT, days_ago, clock=clock, buttons=rows)


def started(days_ago: float, **more: Any) -> Event:
    """Return a start of so many days ago."""
    return event(events.GATEWAY_STARTED, days_ago, **more)


def learnt(*newest_first: Event) -> History:
    """Return what these events say."""
    history = History(BOOT)
    for each in newest_first:
        history.learn(each)
    return history


def late(history: History, *standing: str) -> tuple[str, ...]:
    """Return which of gate and desk are due now."""
    return due(("gate", "desk"), history, NOW, standing=frozenset(standing))


def test_a_new_installation_has_ninety_days() -> None:
    """Else the first thing that a new gateway does would be to complain."""
    assert late(History(BOOT)) == ()
    assert late(learnt(started(0))) == ()
    assert late(learnt(started(3), started(89))) == ()
    assert late(learnt(started(3), started(91))) == ("gate", "desk")


def test_only_a_walk_with_success_counts() -> None:
    """A button that failed its walk is the last one to be called walked."""
    old = started(200)
    assert late(learnt(report(10, gate="OK", desk="OK"), old)) == ()
    assert late(learnt(report(10, gate="OK", desk="FAIL"), old)) == ("desk",)
    assert late(learnt(report(10, gate="OK", desk="NOT WALKED"), old)) == ("desk",)
    assert late(learnt(report(10, gate="FAIL"), report(80, gate="OK", desk="OK"), old)) == ()
    assert late(learnt(report(91, gate="OK", desk="OK"), old)) == ("gate", "desk")


def test_what_was_due_stays_due_until_it_is_walked() -> None:
    """A log that has forgotten how old the school is must not say that all is well again."""
    assert late(learnt(started(3)), "gate") == ("gate",)
    assert late(learnt(report(1, gate="OK"), started(3)), "gate") == ()


def test_a_time_of_an_unset_clock_is_put_right() -> None:
    """A Pi without a clock of its own wakes in the past: its walk of today is not of last year."""
    corrected = event(events.CLOCK_CORRECTED, 0, offset_s=400.0 * DAY)
    later = event(events.CLOCK_CORRECTED, 0, offset_s=-1.0)
    walk = report(410, clock="unsynced", gate="OK", desk="OK")
    assert late(learnt(later, corrected, walk, started(500))) == ()
    assert late(learnt(walk, started(500))) == ("gate", "desk")
    elsewhere = event(events.CLOCK_CORRECTED, 0, boot="a third", offset_s=400.0 * DAY)
    assert late(learnt(elsewhere, walk, started(500))) == ("gate", "desk")


def test_this_boots_events_are_as_old_as_the_boot_clock_says() -> None:
    """The wall clock may have been moved by years since."""
    history = learnt(started(91, boot=BOOT))
    assert history.first == Moment(NOW.unix_ns - 91 * DAY * NS, NOW.boottime_ns - 91 * DAY * NS)
    set_back = Reading(0, NOW.monotonic_ns, NOW.boottime_ns)
    assert due(("gate",), history, set_back, standing=frozenset()) == ("gate",)
    assert late(learnt(started(89, boot=BOOT))) == ()


@given(st.lists(st.tuples(st.floats(0, 300), st.sampled_from(["OK", "FAIL", "NOT WALKED"]))))
def test_a_button_is_due_exactly_when_its_last_success_is_too_old(
    walks: list[tuple[float, str]],
) -> None:
    """Whatever was walked, and how often."""
    walks.sort()
    said = late(learnt(*(report(ago, gate=result, desk="OK") for ago, result in walks)))
    successes = [ago for ago, result in walks if result == "OK"]
    assert ("gate" in said) is bool(successes and int(successes[0] * DAY) > 90 * DAY)


@pytest.mark.parametrize(
    "rows", [None, 7, "gate", {"gate": "OK"}, [7, None, {}, {"result": "FAIL", "name": "gate"}]]
)
def test_a_report_that_is_none_walks_nothing(rows: object) -> None:
    """The log may be from another version."""
    assert walked(rows) == ()


@dataclass
class FakeLog:
    """A log of some steps; the first questions fail."""

    steps: list[list[bytes]]
    failures: int = 0
    asked: list[int | None] = field(default_factory=list)

    async def of_types(
        self, types: Sequence[str], before: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return one step."""
        assert set(types) == {
            events.WALKTEST_REPORT,
            events.GATEWAY_STARTED,
            events.CLOCK_CORRECTED,
        }
        self.asked.append(before)
        if self.failures:
            self.failures -= 1
            raise OutboxError("hangs")
        at = 0 if before is None else before
        return self.steps[at], at + 1 if at + 1 < len(self.steps) else None


async def test_the_log_is_read_to_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also over a disk that fails first, and what is no event of ours."""
    monkeypatch.setattr(walkdue, "_AGAIN_S", 0.0)
    steps = [
        [b"{", events.encode(report(1, gate="OK"))],
        [],
        [events.encode(event(events.CLOCK_CORRECTED, 5, offset_s="soon"))],
        [events.encode(started(200))],
    ]
    log = FakeLog(steps, failures=2)
    history = await read_history(log, BOOT)
    assert log.asked == [None, None, None, 1, 2, 3]
    assert late(history) == ("desk",)


def stands(house: House) -> tuple[str, ...] | None:
    """Return the buttons of the fault that stands."""
    found = [fault for fault in house.rooms.faults if fault.fault == FAULT]
    return tuple(found[0].data["buttons"]) if found else None


def due_of(house: House) -> WalkDue:
    """Return what looks, as the service makes it."""
    return WalkDue(
        log=house.outbox, voice=house.voice, clock=house.clock, buttons=house.rooms.station.channels
    )


async def until_only_the_office_is_due(house: House) -> None:
    """Wait until the fault that stands names no other button."""
    async with asyncio.timeout(LIMIT_S):
        with house.joints.changes.queue() as changes:
            while stands(house) != ("office",):
                await changes.get()


async def test_the_fault_begins_changes_and_ends(tmp_path: Path) -> None:
    """It is told when it begins and when it ends; meanwhile it names what is to be walked."""
    async with joined(tmp_path) as house:
        looking = due_of(house)
        now = house.clock.reading().unix_ns
        history = History(BOOT, first=Moment(now - 91 * DAY * NS))
        history.walked["office"] = Moment(now)
        looking.look(history)
        looking.look(history)
        assert stands(house) == ("gate",)
        history.walked["office"] = Moment(now - 91 * DAY * NS)
        looking.look(history)
        assert stands(house) == ("gate", "office")
        history.walked["gate"] = Moment(now)
        looking.look(history)
        assert stands(house) == ("office",)
        history.walked["office"] = Moment(now)
        looking.look(history)
        assert stands(house) is None
        told = [e for e in await house.told() if e.data.get("fault") == FAULT]
        assert [e.type for e in told] == [events.GATEWAY_FAULT, events.GATEWAY_RESTORED]
        assert told[0].data == {"fault": FAULT, "buttons": ["gate"], "days": 90}


async def test_a_clock_that_is_not_set_begins_nothing_and_ends_nothing(tmp_path: Path) -> None:
    """It may be wrong by years; but what is walked now is walked."""
    async with joined(tmp_path) as house:
        looking = due_of(house)
        house.clock.set_by_server = False
        long_ago = History(BOOT, first=Moment(0))
        looking.look(long_ago)
        assert stands(house) is None
        house.clock.set_by_server = True
        looking.look(long_ago)
        house.clock.set_by_server = False
        house.clock.offset_ns = -80 * 365 * DAY * NS
        looking.look(long_ago)
        assert stands(house) == ("gate", "office")
        looking.report([{"name": "gate", "result": "OK"}, {"name": "office", "result": "FAIL"}])
        looking.look(long_ago)
        assert stands(house) == ("office",)


async def test_a_walk_ends_the_fault_at_once_and_over_a_restart(tmp_path: Path) -> None:
    """From the report in the log, and with the voice that the service has."""
    async with joined(tmp_path) as house:
        house.voice.fault(FAULT, True, data={"buttons": ["gate", "office"], "days": 90})
        looking = due_of(house)
        task = asyncio.create_task(looking.watch())
        rows = [{"name": "gate", "result": "OK"}]
        looking.report(rows)
        await until_only_the_office_is_due(house)
        task.cancel()
        done = Happening(events.WALKTEST_REPORT, "gateway", {"buttons": rows}, Mode.TEST)
        house.voice.tell(done)
        await house.durable()
    async with joined(tmp_path) as house:
        assert stands(house) == ("gate", "office")  # as it was told to begin
        task = asyncio.create_task(due_of(house).watch())
        await until_only_the_office_is_due(house)
        task.cancel()
