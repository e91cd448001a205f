"""The reporter: what was not answered is told again, whatever the alarm service does."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from gatehouse.control.reports import GAP, Report, Row, Told
from gatehouse.errors import ControlError, NotRunningError
from gatehouse.video_service import reporter
from gatehouse.video_service.reporter import Reporter

LIMIT_S = 60.0


class Desk:
    """An alarm service that answers as it is told to, and the video service's happenings."""

    def __init__(self, keys: int) -> None:
        self.waiting = [f"gap/gate/{n}" for n in range(keys)]
        self.asked: list[Report | dict[str, Any]] = []
        self.refuse: Exception | None = None
        self.answers: Any = None
        self.came = asyncio.Condition()

    def gather(self) -> Report:
        """Return the report of this moment."""
        told = tuple(Told(key, GAP, "camera/gate") for key in self.waiting[:2])
        return Report((Row("gateway"),), told)

    def received(self, keys: Collection[str]) -> None:
        """Forget what was answered."""
        self.waiting = [key for key in self.waiting if key not in keys]

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a request, or refuse it."""
        async with self.came:
            self.asked.append(request)
            self.came.notify_all()
        if self.refuse is not None:
            raise self.refuse
        keys = [each["key"] for each in request["report"]["told"]]
        return {"received": keys if self.answers is None else self.answers}

    async def until(self, times: int) -> None:
        """Wait until it was asked so often."""
        async with asyncio.timeout(LIMIT_S), self.came:
            await self.came.wait_for(lambda: len(self.asked) >= times)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reporter wait for nothing but what is tested."""
    monkeypatch.setattr(reporter, "SETTLE_S", 0.001)
    monkeypatch.setattr(reporter, "AGAIN_S", 0.001)


async def reporting(desk: Desk, times: int) -> None:
    """Run a reporter until it has asked so often."""
    made = Reporter(desk.ask, desk.gather, desk.received)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(made.run())
        await desk.until(times)
        task.cancel()


async def test_all_that_waits_is_told_at_once() -> None:
    """Without it fifty gaps of a night would take hours to reach the district."""
    desk = Desk(5)
    await reporting(desk, 4)
    assert not desk.waiting


@pytest.mark.parametrize(
    "error",
    [NotRunningError("stopped"), ControlError("busy"), TimeoutError(), ConnectionResetError()],
)
async def test_an_alarm_service_that_is_away_loses_nothing(error: Exception) -> None:
    """Without it what happened while the alarm service was restarted would never be told."""
    desk = Desk(1)
    desk.refuse = error
    made = Reporter(desk.ask, desk.gather, desk.received)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(made.run())
        await desk.until(3)
        assert desk.waiting
        desk.refuse = None
        await desk.until(5)
        task.cancel()
    assert not desk.waiting


@pytest.mark.parametrize("answer", [[], ["gap/other/1"], "gap/gate/0", 7, {"gap/gate/0": 1}])
async def test_only_what_was_told_and_answered_is_done(answer: Any) -> None:
    """Without it an answer that is none would make the service forget what nobody has."""
    desk = Desk(1)
    desk.answers = answer
    made = Reporter(desk.ask, desk.gather, desk.received)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(made.run())
        await desk.until(1)
        made.wake()
        await desk.until(2)
        task.cancel()
    assert desk.waiting == ["gap/gate/0"]


async def test_a_change_is_reported_without_waiting_for_the_clock() -> None:
    """Without it a covered camera would be told up to ten seconds late."""
    desk = Desk(0)
    made = Reporter(desk.ask, desk.gather, desk.received)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(made.run())
        for times in range(1, 5):
            await desk.until(times)
            made.wake()
        task.cancel()
    assert len(desk.asked) >= 4
