"""The demo's scenario: what is not seen is named, and ends it with 1; nothing is made up."""

import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatehouse import texts
from gatehouse_sim import demo
from gatehouse_sim.district import Manners
from gatehouse_sim.scenario import Scenario
from gatehouse_sim.school import Plan, School, opened, short_folder
from gatehouse_sim.timeline import Timeline

SHORT_S = 2.0


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Play in English."""
    texts.use("en")
    yield
    texts.use("en")


@pytest.fixture
def root() -> Iterator[Path]:
    """Lend a short folder for a school."""
    root = short_folder()
    yield root
    shutil.rmtree(root, ignore_errors=True)


def test_a_press_has_its_times_and_the_first_one_counts() -> None:
    """Without it a resend or a restart would make a quick press a slow one."""
    timeline = Timeline()
    press = timeline.press("press", 1_000_000, "a")
    assert press.ms("sent") is None
    timeline.stage("a", "sent", 3_500_000)
    timeline.stage("a", "sent", 9_000_000)
    timeline.stage("b", "sent", 2_000_000)
    assert press.ms("sent") == 2.5


def test_what_was_not_seen_is_missing_in_its_order() -> None:
    """Without it `demo --once` could end with 0 though something was never there."""
    timeline = Timeline()
    timeline.step("one", True, 1.0)
    timeline.step("two", False)
    timeline.step("three", False)
    assert list(timeline.missing()) == ["two", "three"]


def test_a_timeline_can_be_shown_whatever_it_lacks() -> None:
    """Without it a demo that failed could not show where."""
    from rich.console import Console  # noqa: PLC0415  # as the demo does

    timeline = Timeline()
    timeline.press("press", 0, "a")
    timeline.stage("a", "stored", 1_500_000)
    timeline.step("wire cut", False)
    console = Console(width=80, no_color=True)
    with console.capture() as capture:
        console.print(demo.render(timeline))
    shown = capture.get()
    assert "✗  wire cut" in shown
    assert "1.50" in shown
    assert "–" in shown


async def test_a_district_that_sends_no_receipts_ends_the_play_by_name(root: Path) -> None:
    """Without it a demo on a broken district would wait for ever, or show a success."""
    async with opened(root) as school:

        def withhold(timeline: Timeline) -> None:
            if timeline.steps:  # connected and proven: from now on it hears and says nothing
                school.district.manners = Manners(receipts=False)
            if {"stored", "sent"} <= {stage for _, stage, _ in scenario._early}:
                scenario.patience_s = SHORT_S  # all that comes has come

        scenario = Scenario(school, withhold)
        timeline = await scenario.play()
        assert list(timeline.missing()) == ["press: received"]
        assert [step.what for step in timeline.steps] == [
            "connected, district proven",
            "press: received",
        ]
        (press,) = timeline.presses
        assert press.reached.keys() == {"stored", "sent", "raised"}
        assert len(school.district.alarms()) == 1


async def test_an_agent_that_dies_ends_the_play_by_name(root: Path) -> None:
    """Without it a crash of the agent would be a traceback of the demo."""
    async with opened(root) as school:
        pid = school.agent.pid

        def kill(timeline: Timeline) -> None:
            if len(timeline.steps) == 1:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

        timeline = await Scenario(school, kill).play()
        assert timeline.steps[0].seen
        (missing,) = timeline.missing()
        assert missing.startswith("press; a person answers; reset: ")


async def test_the_demo_ends_with_one_and_names_what_was_not_seen(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it `make demo DEMO_ARGS=--once` would prove nothing to who runs it."""

    @contextlib.asynccontextmanager
    async def broken(*given: Any, **named: Any) -> AsyncIterator[School]:
        async with opened(*given, **named) as school:
            school.district.manners = Manners(receipts=False)
            yield school

    monkeypatch.setattr(demo, "opened", broken)
    monkeypatch.setattr(demo, "Scenario", partial(Scenario, patience_s=SHORT_S))
    assert await demo._once(root, Plan()) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "not seen: connected, district proven" in lines
    assert lines[-1] == "0 presses, 0 alarms at the district, 0 lost"
