"""What a drill covers, and what it must never cover."""

import pytest

from gatehouse.alarm.drill import LONGEST_S, Drill, pressed

DRILL = Drill(("gate", "desk"), from_ns=100, until_ns=200)


@pytest.mark.parametrize(
    ("button", "at_ns", "covered"),
    [
        ("gate", 100, True),
        ("gate", 199, True),
        ("gate", 200, False),
        ("gate", 99, False),  # pressed before the drill was called: that was meant
        ("yard", 150, False),
    ],
)
def test_what_a_drill_covers(button: str, at_ns: int, covered: bool) -> None:
    """A press that is wrongly a drill is an alarm that nobody answers."""
    assert DRILL.covers(button, at_ns) is covered


def test_each_button_is_covered_once() -> None:
    """The second press in a drill may be somebody in danger."""
    after = pressed(DRILL, "gate")
    assert not after.covers("gate", 150)
    assert after.covers("desk", 150)
    assert pressed(after, "gate") == after


def test_when_a_drill_is_over() -> None:
    """A drill that does not end is a time of deafness."""
    assert (DRILL.over(199), DRILL.over(200)) == (None, "expired")
    assert pressed(pressed(DRILL, "gate"), "desk").over(150) == "complete"
    assert LONGEST_S == 1800
