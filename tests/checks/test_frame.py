"""The frame: one check's failure is its own, and a report says the worst."""

import asyncio
import threading

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, assert_says
from gatehouse import texts
from gatehouse.checks.catalog import ALL
from gatehouse.checks.context import Context
from gatehouse.checks.frame import (
    Check,
    Finding,
    Findings,
    Outcome,
    carry_out,
    fail,
    fine,
    nothing,
    report,
    warn,
    worst,
)
from gatehouse.checks.health import FAULTS, HEALTH
from gatehouse.checks.text import say


def check(*findings: Finding, name: str = "x") -> Check:
    """Return a check that finds this."""

    async def run(_context: Context) -> Findings:
        return findings

    return Check(name, name, 1.0, run)


async def test_a_check_that_raises_fails_alone(rig: Rig) -> None:
    """A mistake in one check must not cost the technician the others."""

    async def run(_context: Context) -> Findings:
        raise KeyError("what is not there")

    outcome = await rig.run(Check("x", "x", 1.0, run))
    assert_says(outcome, FAIL, "what is not there", "KeyError")
    assert not outcome.known
    assert (await rig.run(check(fine("well")))).result is OK


async def test_a_check_that_hangs_is_ended(rig: Rig) -> None:
    """A dead disk must not hold the report for ever."""

    async def run(_context: Context) -> Findings:
        await asyncio.get_running_loop().create_future()
        return ()

    outcome = await rig.run(Check("x", "x", 0.01, run))
    assert_says(outcome, FAIL, "not done within", "hangs")
    assert not outcome.known


async def test_nobody_joins_a_look_that_hangs(rig: Rig) -> None:
    """By the clock, a dead disk would else collect a thread a minute."""
    go_on, begun = threading.Event(), threading.Event()

    def look(_context: Context) -> Findings:
        begun.set()
        go_on.wait(60)
        return [fine("well")]

    hanging = Check.beside("x", "x", 0.05, look)
    assert not (await rig.run(hanging)).known
    assert begun.wait(60)
    begun.clear()
    assert_says(await rig.run(hanging), FAIL, "the last look hangs")
    assert not begun.is_set()
    go_on.set()


def test_the_worst_counts_and_skipped_is_not_bad() -> None:
    """A machine without a battery clock's chip is not broken for it."""
    assert worst([OK, FAIL, WARN]) is FAIL
    assert worst([OK, SKIP]) is OK
    assert worst([]) is SKIP


async def test_the_document_is_the_contracts(rig: Rig) -> None:
    """Programs read it."""
    seen = say("the figure")
    done = [
        await carry_out(check(fine("fine {n}", n=3), warn(seen, say("do this"))), rig.context()),
        await carry_out(check(nothing("none here"), name="y"), rig.context()),
    ]
    document = report(done)
    assert document["result"] == "WARN"
    first, second = document["checks"]
    assert first.pop("seconds") >= 0
    assert first == {
        "name": "x",
        "result": "WARN",
        "figure": "the figure; fine 3",
        "remedy": "do this",
    }
    assert (second["result"], second["remedy"]) == ("SKIP", None)
    assert report([done[1]])["result"] == "OK"
    assert report([])["result"] == "OK"


async def test_the_worst_is_said_first_and_nothing_twice(rig: Rig) -> None:
    """A phone shows the beginning of a line."""
    buy = say("change it")
    outcome = await rig.run(check(fine("a"), fail(say("b"), buy), warn(say("c"), buy)))
    assert outcome.figure() == "b; c; a"
    assert outcome.remedy() == "change it"


def test_texts_are_translated_where_they_are_shown() -> None:
    """Checks look in threads, which have no language of their own."""
    figure = say("{whose} has expired", whose=say("our certificate"))
    outcome = Outcome(check(), 0.0, (fail(figure, say("not tried")),))
    texts.use("zh_CN")
    try:
        assert outcome.figure() == "本网关证书已过期"
        assert outcome.remedy() == "未尝试"
    finally:
        texts.use("en")


def test_every_check_has_a_name_of_its_own_and_all_end_within_the_services_patience() -> None:
    """The alarm service gives a self-test 120 s before it is killed without a report."""
    names = [each.name for each in ALL]
    assert len(set(names)) == len(names)
    assert sum(each.limit_s for each in ALL if each.name != "broker") < 120
    assert {each.name for each in HEALTH} == FAULTS.keys()


@pytest.mark.parametrize("each", ALL, ids=lambda each: str(each.name))
async def test_every_check_says_something_of_a_machine_that_says_nothing(
    rig: Rig, each: Check
) -> None:
    """Nothing of its kind there is not broken: none may raise for a file that is missing."""
    outcome = await rig.run(each)
    assert outcome.known
    assert outcome.findings
    assert outcome.figure()
