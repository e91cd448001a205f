"""How far each alarm got, whatever comes late, twice, or by another card."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from district.receiver.gateway_words import SECOND, T0, Desk, birth, desk, event
from gatehouse import events
from gatehouse.events import Event, Mode, rfc3339
from gatehouse_district.errors import AnswerError
from gatehouse_district.model import Stage
from gatehouse_district.receiver import answers

RESET = events.ALARM_RESET
BY_KEY = {"by": "key", "reason": "real"}


def answer(kept: Desk, alarm: Event, by: str = "Wang") -> answers.Answer:
    """Have a person answer an alarm."""
    how = {"id_": f"command of {alarm.id}", "now": rfc3339(T0), "expires_unix_s": 1e10}
    return answers.acknowledge(kept.keeper, alarm.id, by, **how)  # type: ignore[arg-type]  # each its own


def test_an_alarm_is_shown_with_what_its_birth_says(kept: Desk) -> None:
    """Without it the desk could not say which school and which gate."""
    raised = event(data={"presses": 3, "held_at_start": True})
    kept.hear("state", birth(locations={"gate": "南门"}))
    kept.say(raised)
    shown = kept.alarm(raised)
    assert (shown.school, shown.button, shown.location) == ("小学", "gate", "南门")
    assert (shown.presses, shown.held_at_start, shown.stage) == (3, True, Stage.RECEIVED)
    assert shown.arrived >= shown.time


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_a_reset_ends_what_was_before_it(kept: Desk, late: bool, named: bool) -> None:
    """Without it an alarm that was reset while the line was down would stand for ever."""
    old, new = event(count=1), event(count=3)
    more = {"alarms": [old.id]} if named else {}
    reset = event(RESET, 2, data=BY_KEY | more)
    kept.say(*((new, reset, old) if late else (old, reset, new)))
    assert kept.open() == [new.id]
    ended = kept.alarm(old)
    assert (ended.stage, ended.reset_by, ended.reset_reason) == (Stage.RESET, "key", "real")
    assert ended.reset == reset.time


def test_a_reset_ends_no_alarm_of_another_button_or_gateway(kept: Desk) -> None:
    """Without it one school's key could end another school's alarm."""
    ours, other = event(count=1), event(count=2, subject="button/office")
    theirs = event(gateway="gw-2")
    kept.say(ours, other, theirs)
    kept.say(event(RESET, 3, data=BY_KEY | {"alarms": [theirs.id]}))
    kept.say(event(RESET, 4, data=BY_KEY))
    assert set(kept.open()) == {other.id, theirs.id}


def test_the_end_of_a_walk_test_ends_no_real_alarm(kept: Desk) -> None:
    """Without it a technician's test would take a real press off the desk."""
    real, test = event(count=1), event(count=2, mode=Mode.TEST)
    kept.say(real, test, event(RESET, 3, mode=Mode.TEST, data={"by": "walktest"}))
    assert kept.open() == [real.id]
    assert kept.alarm(test).stage is Stage.RESET


def test_tests_and_drills_are_no_open_alarms(kept: Desk) -> None:
    """Without it a drill would ring at the desk as an emergency."""
    kept.say(event(count=1, mode=Mode.TEST), event(count=2, mode=Mode.DRILL))
    assert kept.open() == []
    assert kept.gateway().open_alarms == 0


def test_drills_and_tests_that_stand_are_asked_for_by_themselves(kept: Desk) -> None:
    """Without it the desk would find them only among the newest alarms of all kinds."""
    real, test, drill = (event(count=n, mode=mode) for n, mode in enumerate(Mode, 1))
    kept.say(real, test, drill)
    assert kept.practice() == [drill.id, test.id]
    kept.say(event(RESET, 4, mode=Mode.DRILL, data=BY_KEY | {"alarms": [drill.id]}))
    assert kept.practice() == [test.id]


def test_a_new_cards_reset_ends_the_old_cards_alarms(kept: Desk) -> None:
    """Without it an alarm would stand at the desk for ever once the card was replaced."""
    old = event(count=9)
    kept.say(old, event(RESET, 2, store="another", data=BY_KEY))
    assert kept.open() == []


def test_an_alarm_of_a_random_start_is_not_ended_by_an_old_reset(kept: Desk) -> None:
    """Without it the number of a start that could not be stored would hide an alarm."""
    raised = event(count=1, start=70_000_000)
    kept.say(event(RESET, 5, start=8, data=BY_KEY), raised)
    assert kept.open() == [raised.id]


def test_an_answer_stands_for_the_older_ones_of_its_button(kept: Desk) -> None:
    """Without it a flood of presses would have to be answered one by one (contract section 5)."""
    late, first, second, newer = (event(count=n) for n in (1, 2, 3, 4))
    other = event(count=5, subject="button/office")
    kept.say(first, second, newer, other)
    given_ = answer(kept, second)
    assert [kept.alarm(each).stage for each in (first, second)] == [
        *(Stage.RECEIVED, Stage.ANSWERING)
    ]
    answers.confirmed(kept.keeper, given_, rfc3339(T0))
    kept.say(late)
    for each in (late, first, second):
        shown = kept.alarm(each)
        assert (shown.stage, shown.acknowledged_by) == (Stage.ACKNOWLEDGED, "Wang")
    assert {kept.alarm(each).stage for each in (newer, other)} == {Stage.RECEIVED}


def test_an_alarm_is_answered_once(kept: Desk) -> None:
    """Without it two persons would each believe to have it, or answer what is over."""
    first, second = event(count=1), event(count=2)
    kept.say(first, second)
    with pytest.raises(AnswerError, match="no alarm"):
        answer(kept, event())
    given_ = answer(kept, first)
    with pytest.raises(AnswerError, match="answered already, by Wang"):
        answer(kept, first, "Li")
    answers.confirmed(kept.keeper, given_, rfc3339(T0))
    with pytest.raises(AnswerError, match="answered already"):
        answer(kept, first, "Li")
    kept.say(event(RESET, 3, data=BY_KEY))
    with pytest.raises(AnswerError, match="reset"):
        answer(kept, second)


def test_a_refused_answer_is_shown_and_may_be_given_again(kept: Desk) -> None:
    """Without it the desk would show an answer that no guard has seen."""
    raised = event()
    kept.say(raised)
    given_ = answer(kept, raised)
    assert answers.waiting(kept.keeper.db) == [given_]
    answers.refused(kept.keeper, given_, "unknown alarm")
    shown = kept.alarm(raised)
    assert (shown.stage, shown.refused, shown.acknowledged_by) == (
        *(Stage.RECEIVED, "unknown alarm"),
        "",
    )
    assert answers.waiting(kept.keeper.db) == []


def test_evidence_marks_its_alarm_and_names_its_pictures(kept: Desk) -> None:
    """Without it a picture would not say which camera it is from, or when it was taken."""
    raised = event()
    kept.say(raised)
    item = {"number": 1, "camera": "yard", "begins": "2026-11-26T00:00:00Z"}
    clip = {"number": None, "camera": "yard"}
    data = {"alarm": raised.id, "manifest": {"items": [item, clip, 7]}}
    kept.say(event("gatehouse.evidence.ready", 2, data=data))
    assert kept.alarm(raised).evidence
    assert kept.keeper.db.execute("SELECT camera, taken FROM naming").fetchall() == [
        ("yard", "2026-11-26T00:00:00Z")
    ]


def test_the_clock_is_put_right_for_what_came_before_and_comes_later(kept: Desk) -> None:
    """Without it a gateway without a battery would date its alarms in another year."""
    wrong = {"clock": "unsynced", "time": "2020-01-01T00:00:00.000000Z"}
    first, late = event(count=5, **wrong), event(count=7, **wrong)
    other = event(count=6, bootid="another boot", **wrong)
    broken = event(count=8, monotonic="x", **wrong)
    kept.say(first, other, broken)
    data = {"bootid": first.bootid, "offset_s": 2e8}
    kept.say(event(events.CLOCK_CORRECTED, 9, subject="gateway", data=data), late)
    for each, at in ((first, 5), (late, 7)):
        shown = kept.alarm(each)
        assert (shown.time, shown.clock) == (rfc3339(T0 + at * SECOND), "corrected")
    for each in (other, broken):
        assert (kept.alarm(each).time, kept.alarm(each).clock) == (wrong["time"], "unsynced")
    times = dict(kept.keeper.db.execute("SELECT id, time FROM event").fetchall())
    assert times[first.id] == rfc3339(T0 + 5 * SECOND)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_mad_clock_puts_nothing_right_and_is_stored(kept: Desk, time: str) -> None:
    """Without it the event would be refused, and hold up its gateway's outbox for ever."""
    raised = event(count=1, clock="unsynced")
    kept.say(raised, event(events.CLOCK_CORRECTED, 2, time=time, data={"offset_s": 1}))
    assert kept.alarm(raised).clock == "unsynced"
    assert kept.keeper.db.execute("SELECT count(*) FROM event").fetchone() == (2,)


def test_a_wrong_clock_that_is_moved_puts_nothing_right(kept: Desk) -> None:
    """Without it one wrong time would be called right by another."""
    raised = event(count=1, clock="unsynced")
    moved = event(events.CLOCK_CORRECTED, 2, clock="unsynced", data={"offset_s": 5})
    kept.say(raised, moved)
    assert kept.alarm(raised).clock == "unsynced"


@dataclass(frozen=True)
class Step:
    """One thing that a gateway with two buttons did."""

    button: str
    reset: bool


steps = st.builds(Step, st.sampled_from(("gate", "office")), st.booleans())


def check(path: Path, done: list[Step], order: list[int], named: bool) -> None:
    """Have what was done come in any order; what stands is what stood at the end."""
    said: list[Event] = []
    standing: dict[str, list[str]] = {"gate": [], "office": []}
    for count, step in enumerate(done, 1):
        subject = f"button/{step.button}"
        if step.reset:
            ended = {"alarms": standing[step.button]} if named and standing[step.button] else {}
            said.append(event(RESET, count, subject=subject, data=BY_KEY | ended))
            standing[step.button] = []
        else:
            said.append(event(count=count, subject=subject))
            standing[step.button].append(said[-1].id)
    with desk(path) as kept:
        kept.say(*(said[at] for at in order))
        kept.say(*said)
        assert set(kept.open()) == {id_ for ids in standing.values() for id_ in ids}


@given(st.data(), st.lists(steps, max_size=8), st.booleans())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_the_order_what_stands_is_what_stood(
    tmp_path: Path, data: st.DataObject, done: list[Step], named: bool
) -> None:
    """Without it an alarm could hide, or stand for ever, for the way it came."""
    order = data.draw(st.permutations(range(len(done))))
    number = len(list(tmp_path.iterdir()))
    check(tmp_path / f"{number}.db", done, list(order), named)
