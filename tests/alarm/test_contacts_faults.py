"""What one button's contacts say, case by case: stuck, chatter, and the start."""

from dataclasses import replace

import pytest

from alarm.lines import FORM_C, MS, WIRING, Line, S
from gatehouse.alarm import contacts
from gatehouse.alarm.contacts import CHATTER_PRESSES, FaultBegan, Pressed, Released

State = contacts.Line
LATCHING = replace(WIRING, latching=True)


def test_stuck_is_one_alarm_and_then_a_fault() -> None:
    """A button jammed in must be found, and must not raise alarms for ever."""
    line = Line(WIRING).put(True).wait(60 * S - 1)
    assert line.take() == ["pressed"]
    line.wait(1)
    assert (line.said, line.contacts.line) == ([FaultBegan("stuck", line.now_ns)], State.STUCK)
    assert line.wait(3600 * S).take() == ["+stuck"]
    line.put(False).wait(50 * MS)
    assert (line.take(), line.contacts.line) == (["released", "-stuck"], State.NORMAL)
    assert line.press().take() == ["pressed", "released"]


def test_a_latching_button_is_never_stuck() -> None:
    """It stays in until its key comes, which may take hours."""
    line = Line(LATCHING).put(True).wait(7200 * S)
    assert (line.take(), line.contacts.line) == (["pressed"], State.ACTIVE)


def test_a_button_let_go_at_the_last_moment_is_not_stuck() -> None:
    """The debouncing after 59.99 s must not end in a fault that lasts 40 ms."""
    line = Line(WIRING).put(True).wait(60 * S - 10 * MS).put(False).wait(S)
    assert line.take() == ["pressed", "released"]


# chatter


def test_chatter_is_told_once_a_minute_and_counts_every_press() -> None:
    """A loose contact would fill the district with alarms; not one press may be left out."""
    line = Line(WIRING)
    for _ in range(CHATTER_PRESSES):
        line.press(20 * MS, 60 * MS)
    assert line.take() == ["pressed", "released"] * CHATTER_PRESSES
    line.press(20 * MS, 60 * MS)
    assert line.take() == ["pressed", "+chatter", "released"]
    assert line.contacts.line is State.CHATTER
    for _ in range(1000):
        line.press(20 * MS, 60 * MS)
    said = [signal for signal in line.said if isinstance(signal, Pressed)]
    assert len(said) == 1
    line.wait(180 * S)
    told = sum(signal.presses for signal in line.said if isinstance(signal, Pressed))
    assert told == 1000
    words = line.take()
    assert words[-1] == "-chatter"
    assert sum(word.startswith("pressed") for word in words) == words.count("released") == 2
    assert str(line.contacts.line) == "normal"
    assert line.press().take() == ["pressed", "released"]


def test_600_presses_in_a_minute_are_600_alarms() -> None:
    """The limit is more than 600, and only within 60 s."""
    line = Line(WIRING)
    for _ in range(1500):
        line.press(40 * MS, 60 * MS)
    assert line.take() == ["pressed", "released"] * 1500


def test_a_contact_held_when_the_minute_of_chatter_ends_is_released_once() -> None:
    """Each alarm has one release, also where a minute ends within a press."""
    line = Line(WIRING)
    for _ in range(CHATTER_PRESSES + 1):
        line.press(20 * MS, 60 * MS)
    line.take()
    line.put(True).wait(61 * S)
    assert [each for each in line.take() if "stuck" not in each] == ["pressed", "-chatter"]
    line.put(False).wait(S)
    assert line.take() == ["released", "-stuck"]


# the start


@pytest.mark.parametrize(
    ("closed", "stands", "said"),
    [
        (False, False, []),
        (True, False, ["held", "released"]),
        (True, True, ["released"]),  # that alarm still stands
        (False, True, ["released"]),
    ],
)
def test_the_contact_at_start(closed: bool, stands: bool, said: list[str]) -> None:
    """A button held through a restart is one alarm: not none, and not two."""
    line = Line(WIRING).begin(closed=closed, alarm_stands=stands).wait(S)
    line.put(False).wait(S)
    assert line.take() == said
    assert line.press().take() == ["pressed", "released"]


def test_a_spike_at_start_is_no_alarm() -> None:
    """The filter time counts at start as ever."""
    line = Line(WIRING).begin(closed=True).wait(4 * MS).put(False).wait(S)
    assert line.take() == []


def test_held_at_start_becomes_stuck_and_is_released() -> None:
    """A button jammed in before the start must be found too."""
    line = Line(WIRING).begin(closed=True, alarm_stands=True).wait(60 * S)
    assert line.take() == ["+stuck"]
    assert line.put(False).wait(S).take() == ["released", "-stuck"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_stuck_button_stays_so_through_a_restart(closed: bool) -> None:
    """A fault is told once when it begins and once when it ends, whenever that is."""
    line = Line(WIRING)
    line.begin(closed=closed, alarm_stands=True, faults=frozenset({"stuck"})).wait(S)
    assert (line.contacts.line is State.STUCK) is closed
    line.put(False).wait(S)
    assert line.take() == ["released", "-stuck"]


@pytest.mark.parametrize(
    ("closed", "loop_closed", "fault"), [(False, False, "open"), (True, True, "short")]
)
def test_line_faults_carried_over_a_restart(closed: bool, loop_closed: bool, fault: str) -> None:
    """A fault that still stands is not told again; one that is gone is told to end."""
    faults = frozenset({fault})
    line = Line(FORM_C).begin(
        closed=closed, loop_closed=loop_closed, alarm_stands=closed, faults=faults
    )
    assert line.wait(10 * S).take() == []
    mended = Line(FORM_C).begin(faults=faults).wait(S)
    assert mended.take() == [f"-{fault}"]
    unwired = Line(WIRING).begin(faults=faults)
    assert unwired.take() == [f"-{fault}"]


def test_chatter_carried_over_a_restart_ends() -> None:
    """It must not stand for ever, nor be told to begin a second time."""
    line = Line(WIRING).begin(faults=frozenset({"chatter"}))
    assert line.wait(60 * S).take() == ["-chatter"]


def test_a_button_held_at_start_does_not_wait_for_the_chatter_to_end() -> None:
    """Held at start is an alarm now, whatever the contact did before the restart."""
    line = Line(WIRING).begin(closed=True, faults=frozenset({"chatter"})).wait(5 * MS)
    assert line.take() == ["held"]
    assert line.put(False).wait(S).take() == ["released"]


def test_a_release_knows_whether_the_loop_was_cut_before() -> None:
    """With its loop cut before, a latching button cannot show that it was turned back."""
    line = Line(FORM_C).put(False, loop=True).wait(S).press()
    assert [each.loop_cut for each in line.said if isinstance(each, Released)] == [True]
    line.wait(S).take()
    line.press()
    assert [each.loop_cut for each in line.said if isinstance(each, Released)] == [False]
