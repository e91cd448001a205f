"""The service's part in self-tests: trial events, reports, and the district's command."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatehouse import events
from gatehouse.control import checked
from gatehouse.errors import ControlError, MessageError
from gatehouse.events import Event, Mode
from gatehouse.service import selftests
from gatehouse.service.selftests import Selftests, command_line
from service.house import LIMIT_S, House, joined

ROW = {"name": "disk", "result": "OK", "seconds": 0.1, "figure": "40 %", "remedy": None}
REPORT: dict[str, Any] = {"result": "WARN", "checks": [ROW]}


def reports(told: list[Event]) -> list[Event]:
    """Return the reports among what was told."""
    return [event for event in told if event.type == events.SELFTEST_REPORT]


async def test_a_trial_is_measured_to_its_receipt(tmp_path: Path) -> None:
    """The only proof that an alarm would arrive is an event that did."""
    async with joined(tmp_path) as house:
        asking = asyncio.ensure_future(house.rooms.selftests.trial({}))
        await asyncio.sleep(0)
        event_id = next(iter(house.rooms.selftests._trials))
        now = house.clock.reading().monotonic_ns
        house.joints.sent(event_id, now + 2_000_000)
        house.joints.received([event_id], now + 7_000_000)
        answer = await asyncio.wait_for(asking, LIMIT_S)
        assert answer["event"] == event_id
        assert 2 <= answer["sent_ms"] < answer["received_ms"]
        (report,) = reports(await house.told())
        assert (report.mode, report.data["trial"]) == (Mode.TEST, True)
        assert house.rooms.selftests._trials == {}


async def test_a_trial_that_gets_nowhere_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A district that is away must not keep the connection of whoever asks."""
    monkeypatch.setattr(selftests, "_TRIAL_S", 0.05)
    async with joined(tmp_path) as house:
        answer = await house.rooms.selftests.trial({})
        assert answer["received_ms"] is None
        assert answer["sent_ms"] is None


async def test_a_report_becomes_an_event(tmp_path: Path) -> None:
    """The district keeps how an installation was when it was proven."""
    async with joined(tmp_path) as house:
        answer = await house.requests()["selftest-report"]({"report": REPORT})
        (report,) = reports(await house.told())
        assert report.id == answer["event"]
        assert report.data == REPORT
        assert report.mode is Mode.TEST


async def test_reports_are_not_told_without_end(tmp_path: Path) -> None:
    """Whoever may open the socket must not be able to fill the outbox."""
    async with joined(tmp_path) as house:
        take = house.rooms.selftests.report
        for _ in range(20):
            await take({"report": REPORT})
        with pytest.raises(ControlError) as refused:
            await take({"report": REPORT})
        assert refused.value.code == "too-many"


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        {"result": "GREAT", "checks": []},
        {"result": "OK", "checks": [{**ROW, "result": "MAYBE"}]},
        {"result": "OK", "checks": [{**ROW, "name": ""}]},
        {"result": "OK", "checks": [ROW] * 65},
        {"result": "OK", "checks": [{**ROW, "figure": "x" * 9000}]},
    ],
)
def test_what_is_no_report_is_refused(report: Any) -> None:
    """Nothing that the contract does not know goes to the district in our name."""
    with pytest.raises(MessageError):
        checked.read(report)


def test_a_long_report_is_cut_and_not_lost() -> None:
    """A broker ends the connection over a packet that is too large, again and again."""
    rows = [{**ROW, "figure": "x" * 8000, "remedy": "y" * 8000}] * 60
    said = checked.read({"result": "OK", "checks": rows, "more": "dropped"})
    assert len(msgspec.json.encode(said)) < 64_000
    assert len(said["checks"]) == 60
    assert "more" not in said


async def asked(house: House, program: str, *, program_file: str = sys.executable) -> Event:
    """Run what stands for the checks as the district's command does; return the report."""
    tests = Selftests(
        voice=house.voice,
        clock=house.clock,
        receipts=True,
        command=(program_file, "-c", program),
    )
    running = asyncio.ensure_future(tests.run())
    assert tests.begin("c1")
    assert not tests.begin("c2"), "one at a time"
    async with asyncio.timeout(LIMIT_S):
        while tests._wanted is not None:
            house.moved.clear()
            await house.moved.wait()
    running.cancel()
    await asyncio.wait({running})
    return reports(await house.told())[-1]


async def test_the_district_has_the_checks_run(tmp_path: Path) -> None:
    """In a process of their own: what hangs in a check hangs beside the alarm path."""
    text = msgspec.json.encode(REPORT).decode()
    async with joined(tmp_path) as house:
        event = await asked(house, f"print('''{text}''')")
        assert event.data == {**REPORT, "command": "c1"}
        assert event.mode is Mode.TEST


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("print('no report')", "no report"),
        ("raise SystemExit(2)", "ended with 2"),
        ("print('{}')", "no report of a self-test"),
        ("print('x' * 1_000_000)", "too much"),
    ],
)
async def test_checks_that_do_not_run_are_a_failure(
    tmp_path: Path, program: str, word: str
) -> None:
    """The district asked, and must not wait for ever for an answer."""
    async with joined(tmp_path) as house:
        event = await asked(house, program)
        assert event.data["result"] == "FAIL"
        assert word in event.data["error"]


async def test_checks_that_hang_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung child would keep the next command from running."""
    monkeypatch.setattr(selftests, "CHILD_S", 0.3)
    async with joined(tmp_path) as house:
        event = await asked(house, "import time; time.sleep(600)")
        assert "not done within" in event.data["error"]


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """An installation that was half removed."""
    async with joined(tmp_path) as house:
        event = await asked(house, "", program_file=str(tmp_path / "none"))
        assert "No such file" in event.data["error"]


def test_the_child_is_this_very_program(tmp_path: Path) -> None:
    """Another version's checks would judge by other rules."""
    words = command_line(tmp_path / "gatehouse.toml")
    assert words[:3] == (sys.executable, "-m", "gatehouse")
    assert words[-3:] == ("selftest", "--json", "--child")


async def test_blinking_is_refused_while_an_alarm_stands(tmp_path: Path) -> None:
    """The guard reads these lamps."""
    async with joined(tmp_path) as house:
        blink = house.requests()["blink"]
        assert await blink({"seconds": 0.1, "sound": True}) == {"failed": {}}
        assert house.board.outputs[22]
        house.press()
        with pytest.raises(ControlError) as refused:
            await blink({"seconds": 0.1})
        assert refused.value.code == "alarm-stands"


async def test_the_outbox_is_checked_on_demand(tmp_path: Path) -> None:
    """Only the service can look into its own file."""
    async with joined(tmp_path) as house:
        await house.durable()
        answer = await house.requests()["outbox-check"]({})
        assert (answer["sound"], answer["of"]) == (True, 96)
