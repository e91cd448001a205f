"""What the video service tells once is told once, whoever is killed in between."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from gatehouse import events
from gatehouse.control import reports
from gatehouse.events import Happening
from gatehouse.service import video_keys, video_reports
from gatehouse.service.video_keys import Keys, read_keys
from gatehouse_sim.agent import die_with_parent
from service.house import House, MovableClock, joined
from service.video_desk import GATE, Desk, Disk, gap, row, said, until

PROGRAM: Final = Path(__file__).with_name("video_program.py")


@asynccontextmanager
async def learning(root: Path, clock: MovableClock | None = None) -> AsyncIterator[House]:
    """Join a house whose reports know what was told before."""
    async with joined(root, clock) as house:
        task = asyncio.ensure_future(house.rooms.video.learn())
        await until(lambda: house.rooms.video._keys.learnt)
        yield house
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def keys_of(house: House) -> list[str]:
    """Return the key of each happening in the log."""
    return [e.data["key"] for e in await house.told() if e.type in reports.HAPPENINGS]


async def test_a_happening_is_answered_when_it_is_on_the_disk(tmp_path: Path) -> None:
    """Without it a gap would be forgotten by one service before the other has kept it."""
    async with learning(tmp_path) as house:
        report = said(row(GATE), told=[gap("a"), gap("b", "gateway", key="other")])
        assert await house.rooms.video.take(report) == {"received": ["a", "b"]}
        first, second = [e for e in await house.told() if e.type == reports.GAP]
        assert (first.subject, first.data) == (GATE, {"seconds": 400, "key": "a"})
        assert (second.subject, second.data) == ("gateway", {"seconds": 400, "key": "b"})
        assert await house.rooms.video.take(report) == {"received": ["a", "b"]}
        twice = said(row(GATE), told=[gap("c"), gap("c"), gap("a")])
        assert await house.rooms.video.take(twice) == {"received": ["c", "a"]}
        assert await keys_of(house) == ["a", "b", "c"]


async def test_what_was_told_is_known_after_a_restart(tmp_path: Path) -> None:
    """Without it each restart would tell the gaps anew whose answer was lost."""
    async with learning(tmp_path) as house:
        await house.rooms.video.take(said(row(GATE), told=[gap("a")]))
    async with learning(tmp_path) as house:
        report = said(row(GATE), told=[gap("a"), gap("b")])
        assert await house.rooms.video.take(report) == {"received": ["a", "b"]}
        assert await keys_of(house) == ["a", "b"]


async def test_keys_are_found_behind_thousands_of_other_events(tmp_path: Path) -> None:
    """Without it a busy gateway would forget what it was told before."""
    async with learning(tmp_path) as house:
        await house.rooms.video.take(said(row(GATE), told=[gap("a")]))
        for number in range(2500):
            house.voice.tell(Happening(events.COMMAND_REFUSED, "gateway", {"number": number}))
        await house.durable()
        await house.rooms.video.take(said(row(GATE), told=[gap("b")]))
        assert await read_keys(house.outbox) == ["b", "a"]
        assert await read_keys(house.outbox, 1) == ["b"]


async def test_a_disk_that_hangs_answers_nothing_and_then_tells_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a gap would be answered that a power cut then takes, or be told with each report.

    A receipt of the district does not do: after kill -9 the key would not be known.
    """
    monkeypatch.setattr(video_reports, "_STORED_S", 0.01)
    clock = MovableClock()
    async with learning(tmp_path, clock) as house:
        await house.durable()
        clock.disk_goes_on.clear()
        report = said(row(GATE, "dark"), told=[gap("a")])
        for _ in range(3):
            assert await house.rooms.video.take(report) == {"received": []}
        (waiting,) = [e.id for e in house.outbox.pending if e.type == reports.GAP]
        assert house.outbox.received([waiting]) == [waiting]
        assert house.outbox.holds(waiting)
        assert await house.rooms.video.take(report) == {"received": []}
        monkeypatch.setattr(video_reports, "_STORED_S", 60.0)
        asked = asyncio.ensure_future(house.rooms.video.take(report))
        await asyncio.sleep(0)
        clock.disk_goes_on.set()
        assert await asked == {"received": ["a"]}
        assert await keys_of(house) == ["a"]


async def test_what_gave_way_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a gap that was pushed out of memory would wait for a disk that never gets it."""
    monkeypatch.setattr(video_reports, "_STORED_S", 0.01)
    desk = Desk()
    report = said(row(GATE), told=[gap("a")])
    for _ in range(2):
        assert await desk.video.take(report) == {"received": []}
    (first,) = desk.disk.told
    desk.disk.gave_way.add(first.id)
    assert await desk.video.take(report) == {"received": []}
    _, second = desk.disk.told
    desk.video.stored(first.id)  # it was under way: the new one is what counts
    assert await desk.video.take(report) == {"received": []}
    desk.video.stored(second.id)
    assert await desk.video.take(report) == {"received": ["a"]}
    assert len(desk.disk.told) == 2


async def test_until_the_log_is_read_no_happening_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without it a slow disk would have all gaps of the last day told twice at each start."""
    monkeypatch.setattr(video_keys, "_AGAIN_S", 0.001)
    desk = Desk()
    desk.disk.durable = desk.video.stored
    desk.video._keys.learnt = False
    report = said(row(GATE, "dark"), told=[gap("a"), gap("b")])
    assert await desk.video.take(report) == {"received": []}
    assert desk.words() == [("gatehouse.camera.fault", GATE, "dark")]
    desk.disk.refusals = 3
    desk.disk.log = [
        b'{"data": {"key": "a"}}',
        b'{"data": {"key": 7}}',
        b"\xff",
        b'{"data": {}}',
        b'{"data": {"key": "old"}}',
    ]
    task = asyncio.ensure_future(desk.video.learn())
    await until(lambda: desk.video._keys.learnt)
    task.cancel()
    assert await desk.video.take(report) == {"received": ["a", "b"]}
    assert [event.data["key"] for event in desk.disk.told] == ["b"]
    assert desk.video._keys.is_stored("old")


async def test_of_the_log_as_many_keys_are_read_as_are_kept() -> None:
    """Without it a log of a year could take the alarm service's memory."""
    disk = Disk(log=[b'{"data": {"key": "%d"}}' % number for number in range(20)])
    assert await read_keys(disk, 5) == ["0", "1", "2", "3", "4"]


def test_the_newest_keys_are_kept() -> None:
    """Without it the memory would grow for as long as cameras have gaps."""
    keys = Keys(most=3)
    keys.learn(["c", "b", "a"])
    for number in range(5):
        keys.told(f"k{number}", f"e{number}")
    assert [keys.event(f"k{number}") for number in range(5)] == [None, None, "e2", "e3", "e4"]
    assert not keys.stored("e0")
    assert keys.stored("e4")
    assert [key for key in ("a", "b", "c", "k4") if keys.is_stored(key)] == ["b", "c", "k4"]
    assert keys.event("k4") is None


class Child:
    """One process with the alarm service's end."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[1])},
            preexec_fn=die_with_parent,  # noqa: PLW1509  # it makes one system call
        )
        self.learnt: int = self.answer()["learnt"]

    def tell(self, request: dict[str, Any]) -> None:
        """Send a report."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(request) + b"\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return the next answer."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = msgspec.json.decode(self._process.stdout.readline())
        return answer

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()
        self._process.communicate()


async def test_what_was_answered_outlives_a_kill_at_once(tmp_path: Path) -> None:
    """Without it a gap would be lost for good: the video service forgets what was answered.

    And one that was stored, and whose answer was killed on its way, would be told twice.
    """
    answered: list[str] = []
    known = 0
    for turn in range(5):
        child = Child(tmp_path)
        try:
            assert child.learnt >= len(answered)
            known = child.learnt
            fresh = [gap(f"{turn}-{number}") for number in range(20)]
            child.tell(said(row(GATE), told=fresh))
            answered += child.answer()["received"]
            child.tell(said(row(GATE), told=[*fresh, gap(f"{turn}-last")]))
        finally:
            child.kill()
    assert len(answered) == 100
    assert known >= 80
    async with learning(tmp_path) as house:
        again = [f"{turn}-last" for turn in range(5)]
        answer = await house.rooms.video.take(said(row(GATE), told=[*map(gap, again)]))
        assert answer == {"received": again}
        counted = Counter(await keys_of(house))
        assert counted == Counter([*answered, *again])
