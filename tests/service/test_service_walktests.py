"""The walk test on the control socket: it lasts as long as its connection, and leaves a report."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from gatehouse import events
from gatehouse.alarm import walktest
from gatehouse.alarm.gpio import Edge
from gatehouse.control import protocol
from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError
from gatehouse.events import Event, Mode
from gatehouse.service.walktests import WalkTests
from service.house import LIMIT_S, MS, House, joined
from service.test_service_requests import ODD

Lines = AsyncGenerator[dict[str, Any], None]


def walks_of(house: House) -> WalkTests:
    """Return the walk tests of a house, as the service makes them."""
    return WalkTests(house.rooms, house.voice, house.joints.stages, house.joints.changes)


async def begun(walks: WalkTests, **request: Any) -> tuple[Lines, dict[str, Any]]:
    """Begin a walk; return its stream and the first line."""
    lines = cast("Lines", await walks.take({"do": "walktest", **request}))
    async with asyncio.timeout(LIMIT_S):
        first = await anext(lines)
    earlier(walks)
    return lines, first


def earlier(walks: WalkTests) -> None:
    """Let the walk have begun a second earlier: the house's presses are in the past."""
    station = walks._station
    assert station.walk is not None
    station.walk = replace(station.walk, from_ns=station.walk.from_ns - 1_000_000_000)


def press_again(house: House) -> str:
    """Press the gate's button a second time; return the alarm's id."""
    now = house.clock.reading().monotonic_ns
    for pin, level, in_ms in ((27, 1, 100), (17, 0, 100), (17, 1, 300), (27, 0, 300)):
        house.board.levels[pin] = level
        house.rooms.station.edge(Edge(pin, level, now + in_ms * MS))
    return str(house.rooms.station.channels["gate"].last_alarm)


async def until(lines: Lines, word: str, button: str = "gate") -> dict[str, Any]:
    """Read on until a button's row has this figure; return the row."""
    async with asyncio.timeout(LIMIT_S):
        async for line in lines:
            row: dict[str, Any] = next(r for r in line["buttons"] if r["name"] == button)
            if row[word] is not None:
                return row
    raise AssertionError(word)


async def reports(house: House) -> list[Event]:
    """Return the reports that were left."""
    return [e for e in await house.told() if e.type == events.WALKTEST_REPORT]


async def test_whatever_is_asked_is_answered_or_refused_with_words(tmp_path: Path) -> None:
    """Without it one odd request would be an "internal error", and a defect nobody reads about."""
    async with joined(tmp_path) as house:
        walks = walks_of(house)
        for buttons, seconds, by in itertools.product(ODD, ODD, ("a", *ODD[:4])):
            asked = {"buttons": buttons, "timeout_s": seconds, "by": by}
            with contextlib.suppress(ControlError):
                lines, first = await begun(walks, **asked)
                json.loads(protocol.granted(first))
                await lines.aclose()
            assert house.rooms.station.walk is None


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf"), True])
async def test_a_walk_is_bounded(tmp_path: Path, seconds: float) -> None:
    """A walk of a week would be a way to disarm the school."""
    async with joined(tmp_path) as house:
        with pytest.raises(ControlError):
            await begun(walks_of(house), timeout_s=seconds)


async def test_a_walk_begins_only_where_nothing_else_is_on(tmp_path: Path) -> None:
    """Who presses where an alarm stands may be in danger; and one press is not two exercises."""
    async with joined(tmp_path) as house:
        walks, station = walks_of(house), house.rooms.station
        station.start_drill(["office"], 60)
        with pytest.raises(ControlError, match="drill"):
            await begun(walks, buttons=["gate"])
        station.stop_drill()
        house.press()
        with pytest.raises(ControlError, match="gate"):
            await begun(walks)
        with pytest.raises(ControlError, match="yard"):
            await begun(walks, buttons=["yard"])
        lines, _ = await begun(walks, buttons=["office"])
        with pytest.raises(ControlError, match="walk test"):
            await begun(walks, buttons=["office"])
        assert station.walk is not None
        await lines.aclose()


async def test_a_walk_is_followed_to_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the technician would not know what came of a press, and nobody could prove it."""
    monkeypatch.setattr(walktest, "SHOWN_NS", 1)
    async with joined(tmp_path) as house:
        walks = walks_of(house)
        lines, first = await begun(walks, buttons=["gate"], by=" 王工 ")
        assert (first["over"], first["buttons"][0]["result"]) == (None, "NOT WALKED")
        assert 0 < first["seconds_left"] <= 900
        alarm = house.press()
        assert (await until(lines, "stored_ms"))["alarm"] == alarm
        now = house.clock.reading().monotonic_ns
        house.joints.sent(alarm, now)
        house.joints.received([alarm], now)
        assert (await until(lines, "received_ms"))["result"] == "OK"
        assert house.rooms.station.channels["gate"].alarms.alarms
        assert house.joints.acknowledge(alarm, "district")
        async with asyncio.timeout(LIMIT_S):
            last = [line async for line in lines][-1]
        assert last["over"] == "complete"
        (row,) = last["buttons"]
        assert (row["line"], row["acknowledged_ms"] is not None) == ("normal", True)
        assert not house.rooms.station.channels["gate"].alarms.alarms
        (report,) = await reports(house)
        told = {key: row[key] for key in row if key != "line"}
        assert (report.mode, report.subject) == (Mode.TEST, "gateway")
        assert (report.data["buttons"], report.data["by"]) == ([told], "王工")
        assert report.data["reason"] == "complete"
        modes = {e.type: e.mode for e in await house.told() if e.type.startswith("gatehouse.alarm")}
        assert set(modes.values()) == {Mode.TEST}
        assert len(modes) == 3
        assert not house.board.outputs.get(26)


async def test_an_answer_to_a_later_alarm_answers_the_test_too(tmp_path: Path) -> None:
    """Contract section 5: acknowledging one alarm acknowledges the older ones of that button."""
    async with joined(tmp_path) as house:
        lines, _ = await begun(walks_of(house), buttons=["gate"])
        first, second = house.press(), press_again(house)
        now = house.clock.reading().monotonic_ns
        house.joints.received([first, second], now)
        assert house.joints.acknowledge(second, "district")
        row = await until(lines, "acknowledged_ms")
        assert row["alarm"] == first
        await lines.aclose()
        standing = house.rooms.station.channels["gate"].alarms.alarms
        assert [alarm.mode for alarm in standing] == [Mode.TEST, Mode.REAL]  # it is still pressed


async def test_whoever_is_gone_has_ended_the_walk(tmp_path: Path) -> None:
    """A walk test is not a time of deafness: with the client gone every press is real."""
    async with joined(tmp_path) as house:
        walks = walks_of(house)
        path = tmp_path / "walk.sock"
        server = ControlServer(path, {"walktest": walks.take})
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b'{"do": "walktest", "buttons": ["gate", "office"]}\n')
        async with asyncio.timeout(LIMIT_S):
            assert json.loads(await reader.readline())["ok"]
            earlier(walks)
            tested = house.press()
            with house.joints.changes.queue() as changes:
                writer.close()
                while house.rooms.station.walk is not None:
                    await changes.get()
        real = press_again(house)
        await server.close()
        modes = {e.id: e.mode for e in await house.told() if e.type == events.ALARM_RAISED}
        assert modes == {tested: Mode.TEST, real: Mode.REAL}
        (report,) = await reports(house)
        assert report.data["reason"] == "left"
        found = [(row["name"], row["result"]) for row in report.data["buttons"]]
        assert found == [("gate", "FAIL"), ("office", "NOT WALKED")]
        (reset,) = [e for e in await house.told() if e.type == events.ALARM_RESET]
        assert (reset.data["alarms"], reset.data["by"]) == ([tested], "walktest")


async def test_a_walk_that_nobody_reads_has_not_begun(tmp_path: Path) -> None:
    """A client that is gone before the first answer would leave a cover that nobody ends."""
    async with joined(tmp_path) as house:
        lines = cast("Lines", await walks_of(house).take({"do": "walktest"}))
        assert house.rooms.station.walk is None
        await lines.aclose()
        assert await reports(house) == []


@pytest.mark.parametrize("how", ["timeout", "stopped"])
async def test_a_walk_ends_with_its_time_and_with_the_service(tmp_path: Path, how: str) -> None:
    """Nobody may forget one; and the report is there before the service says that it stops."""
    async with joined(tmp_path) as house:
        walks = walks_of(house)
        lines, _ = await begun(walks, timeout_s=0.05 if how == "timeout" else 60)
        if how == "stopped":
            walks.close()
            walks.close()
        async with asyncio.timeout(LIMIT_S):
            last = [line async for line in lines][-1]
        assert (last["over"], len(last["buttons"])) == (how, 2)
        assert house.rooms.station.walk is None
        (report,) = await reports(house)
        assert report.data["reason"] == how
        assert {row["result"] for row in report.data["buttons"]} == {"NOT WALKED"}


async def test_a_walk_that_is_over_does_not_end_the_next(tmp_path: Path) -> None:
    """A client that is slow to read the end of its own walk would end another's."""
    async with joined(tmp_path) as house:
        walks = walks_of(house)
        slow, _ = await begun(walks, timeout_s=0.05)
        async with asyncio.timeout(LIMIT_S):
            while (await anext(slow))["over"] is None:
                pass
        fresh, _ = await begun(walks)
        await slow.aclose()
        assert house.rooms.station.walk is not None
        await fresh.aclose()
        assert house.rooms.station.walk is None


async def test_a_press_through_a_cut_wire_fails_its_button(tmp_path: Path) -> None:
    """Only a walk test finds a cut conductor of the normally-open contact."""
    async with joined(tmp_path) as house:
        lines, _ = await begun(walks_of(house), buttons=["gate"])
        now = house.clock.reading().monotonic_ns
        for level, ago_ms in ((1, 900), (0, 100)):
            house.board.levels[27] = level
            house.rooms.station.edge(Edge(27, level, now - ago_ms * MS))
        async with asyncio.timeout(LIMIT_S):
            line = await anext(lines)
        assert (line["buttons"][0]["result"], line["buttons"][0]["line_open"]) == ("FAIL", True)
        await lines.aclose()
