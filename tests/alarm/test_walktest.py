"""What a walk test covers, when its alarms are reset, and what it reports. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarm.lines import MS, S
from gatehouse.alarm import walktest
from gatehouse.alarm.button import Stage
from gatehouse.alarm.walktest import Walk

WALK = Walk(("gate", "desk"), from_ns=100, until_ns=200)
NAMES = ("gate", "desk", "yard", "hall")

some_names = st.lists(st.sampled_from(NAMES), unique=True, min_size=1).map(tuple)
presses = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(min_value=0, max_value=300)), max_size=30
)


def walked(*reached: tuple[Stage, int], receipts: bool = True) -> Walk:
    """Return a walk whose gate was pressed at 1 s, and got so far at those times in ns."""
    walk = walktest.pressed(Walk(("gate",), 0, 100 * S, receipts), "gate", S)
    walk = walktest.raised(walk, "a", S)
    for stage, at_ns in reached:
        walk = walktest.moved(walk, "a", stage, at_ns)
    return walk


@pytest.mark.parametrize(
    ("button", "at_ns", "covered"),
    [
        ("gate", 100, True),
        ("gate", 199, True),
        ("gate", 200, False),
        ("gate", 99, False),  # pressed before the walk began: that was meant
        ("yard", 150, False),
    ],
)
def test_what_a_walk_covers(button: str, at_ns: int, covered: bool) -> None:
    """A press that is wrongly a test is an alarm that nobody answers."""
    assert WALK.covers(button, at_ns) is covered


@given(names=some_names, pushed=presses)
def test_only_the_first_press_of_each_named_button_is_a_test(
    names: tuple[str, ...], pushed: list[tuple[str, int]]
) -> None:
    """Whatever the order, else a real press during a walk would be filed as a test."""
    walk = Walk(names, 100, 200)
    tests: list[str] = []
    for name, at_ns in pushed:
        may = name in names and name not in tests and 100 <= at_ns < 200
        assert walk.covers(name, at_ns) is may
        if may:
            tests.append(name)
            walk = walktest.pressed(walk, name, at_ns)
    assert set(walk.waiting) == set(names) - set(tests)
    assert [row["result"] for row in map(walk.row, names)].count("NOT WALKED") == len(walk.waiting)


def test_a_report_has_the_times_of_each_stage() -> None:
    """They are what a technician proves to the inspector."""
    walk = walked((Stage.SENT, S + 2 * MS), (Stage.STORED, S + 4 * MS), (Stage.RECEIVED, 2 * S))
    assert walk.row("gate") == {
        "name": "gate",
        "result": "OK",
        "line_open": False,
        "alarm": "a",
        "stored_ms": 4.0,
        "sent_ms": 2.0,
        "received_ms": 1000.0,
        "acknowledged_ms": None,
    }
    again = walktest.moved(walk, "a", Stage.RECEIVED, 3 * S)
    assert again.row("gate")["received_ms"] == 1000.0
    assert walktest.moved(walk, "another", Stage.ACKNOWLEDGED, 3 * S) == walk
    assert walktest.raised(walk, "another", S) == walk


def test_only_what_the_district_has_is_well() -> None:
    """A button whose press got no further than the broker is not proven."""
    assert WALK.result("gate") == "NOT WALKED"
    assert walktest.seen_open(WALK, "gate").result("gate") == "FAIL"
    assert walked().result("gate") == "FAIL"
    sent = ((Stage.STORED, S), (Stage.SENT, S))
    assert walked(*sent).result("gate") == "FAIL"
    assert walked(*sent, receipts=False).result("gate") == "OK"
    mended = walktest.seen_open(walked((Stage.RECEIVED, S)), "gate")
    assert (mended.result("gate"), mended.row("gate")["line_open"]) == ("OK", True)


def test_an_alarm_stays_long_enough_to_be_seen_and_answered() -> None:
    """A lamp that is dark when the technician looks up proves nothing to him."""
    assert WALK.reset_ns("gate") is None
    assert walked((Stage.SENT, S)).reset_ns("gate") is None
    received = walked((Stage.RECEIVED, 2 * S))
    assert received.reset_ns("gate") == 2 * S + walktest.ANSWER_NS
    answered = walktest.moved(received, "a", Stage.ACKNOWLEDGED, 10 * S)
    assert answered.reset_ns("gate") == 10 * S + walktest.SHOWN_NS
    assert walked((Stage.SENT, 2 * S), receipts=False).reset_ns("gate") == 32 * S
