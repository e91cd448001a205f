"""What one button's contacts say, case by case: presses and form C."""

from dataclasses import replace

import pytest

from alarm.lines import FORM_C, MS, WIRING, Line, S
from gatehouse.alarm import contacts
from gatehouse.alarm.contacts import Pressed, Wiring
from gatehouse.config.model import Button

State = contacts.Line
EXACT = replace(WIRING, filter_ns=0, debounce_ns=0)


def test_a_press_alarms_when_the_filter_time_is_reached() -> None:
    """The time of an alarm, and how long it took, are counted from here."""
    line = Line(WIRING)
    line.put(True)
    assert line.contacts.deadline(WIRING) == line.now_ns + 5 * MS
    line.wait(5 * MS - 1)
    assert line.take() == []
    line.wait(1)
    assert line.said == [Pressed(line.now_ns)]


def test_filter_zero_acts_on_the_first_edge() -> None:
    """Whoever sets filter_ms = 0 wants no timer between finger and district."""
    line = Line(replace(WIRING, filter_ns=0)).put(True)
    assert line.said == [Pressed(line.now_ns)]


@pytest.mark.parametrize(
    ("closed_ms", "open_ms", "presses"),
    [
        ([4.9], [], 0),  # a spike
        ([5], [], 1),
        ([4, 4], [49], 1),  # within one press, closed time adds up
        ([4, 4], [50], 0),  # two spikes do not
        ([4, 4, 4, 4], [50, 50, 50], 0),
        ([5, 5], [49.9], 1),
        ([5, 5], [50], 2),
        ([1, 1, 1, 1, 1], [1, 1, 1, 1], 1),  # bounce alone, 5 ms in all
        ([100, 3], [60], 1),
    ],
)
def test_a_press_as_the_contract_defines_it(
    closed_ms: list[float], open_ms: list[float], presses: int
) -> None:
    """One press must be one alarm, two must be two, and a spike none."""
    line = Line(WIRING)
    for closed, opened in zip(closed_ms, [*open_ms, 50], strict=True):
        line.put(True).wait(int(closed * MS)).put(False).wait(int(opened * MS))
    assert line.take() == ["pressed", "released"] * presses


def test_zero_debounce_ends_a_press_with_its_opening() -> None:
    """The watchdog's probe runs on such wiring, and a test bench may."""
    line = Line(EXACT)
    assert line.put(True).put(False).put(True).put(False).take() == ["pressed", "released"] * 2


def test_doubled_edges_and_times_going_back_are_harmless() -> None:
    """Edges get lost and doubled in drivers; none may make or hide a press."""
    line = Line(WIRING)
    line.put(False).put(True).wait(3 * MS).put(True).wait(2 * MS)
    assert line.take() == ["pressed"]
    line.put(True, at_ns=0).put(False, at_ns=0).wait(49 * MS).put(False).wait(MS)
    assert line.take() == ["released"]
    assert line.contacts.deadline(WIRING) is None
    assert line.press().take() == ["pressed", "released"]


def test_a_press_keeps_its_length_when_its_edges_come_late() -> None:
    """On a busy machine both edges of a press came after a timer had let the time pass."""
    line = Line(WIRING).wait(S)
    line.put(True, at_ns=line.now_ns - 800 * MS).put(False, at_ns=line.now_ns - 700 * MS)
    line.wait(0)
    assert line.take() == ["pressed", "released"]


def test_a_spike_stays_one_when_its_edges_come_late() -> None:
    """EMI during a slow turn of the loop must not raise an alarm."""
    line = Line(WIRING).wait(S)
    line.put(True, at_ns=line.now_ns - 800 * MS).put(False, at_ns=line.now_ns - 799 * MS).wait(S)
    assert line.take() == []


def test_wiring_is_taken_from_the_configuration() -> None:
    """Times given in ms and used as something else would make every press a spike."""
    button = Button("gate", "", 17, 27, True, filter_ms=1, debounce_ms=2, changeover_ms=3)
    assert Wiring.of(button) == Wiring(True, True, MS, 2 * MS, 3 * MS)


# form C


def test_form_c_tells_its_four_states_apart() -> None:
    """A cut wire, a short and a press each need another answer."""
    line = Line(FORM_C)
    assert line.contacts.line is State.NORMAL
    line.put(False, loop=True).put(True).wait(600 * MS)
    assert (line.contacts.line, line.take()) == (State.ACTIVE, ["pressed"])
    line.put(True, loop=True).wait(600 * MS)
    assert (line.contacts.line, line.take()) == (State.SHORT, ["+short"])
    line.put(False).wait(600 * MS)
    assert (line.contacts.line, line.take()) == (State.NORMAL, ["released", "-short"])
    line.put(False, loop=True).wait(600 * MS)
    assert (line.contacts.line, line.take()) == (State.OPEN, ["+open"])


@pytest.mark.parametrize(("ms", "said"), [(499, []), (500, ["+open", "-open"])])
def test_a_change_over_is_no_cut(ms: int, said: list[str]) -> None:
    """Break-before-make leaves both open for a moment in every press."""
    line = Line(FORM_C).put(False, loop=True).wait(ms * MS).put(True, loop=True).wait(100 * MS)
    assert line.take() == said


@pytest.mark.parametrize(("ms", "said"), [(499, []), (500, ["+short", "-short"])])
def test_a_make_before_break_is_no_short(ms: int, said: list[str]) -> None:
    """Both closed for a moment is how some buttons move."""
    line = Line(FORM_C).put(True).wait(ms * MS).put(False, loop=True).wait(100 * MS)
    line.put(False).put(True, loop=True).wait(100 * MS)
    assert [word for word in line.take() if "short" in word] == said


def test_the_change_over_time_is_not_begun_anew_by_every_edge() -> None:
    """A cut wire that rattles against its doubled edges would never be told."""
    line = Line(FORM_C).put(False, loop=True)
    for _ in range(5):
        line.wait(100 * MS).put(False, loop=True).put(False)
    assert line.take() == ["+open"]


def test_a_mended_cut_ends_after_the_debounce_time() -> None:
    """A wire that touches for a moment is not mended; one that is must show so."""
    line = Line(FORM_C).put(False, loop=True).wait(S)
    line.put(True, loop=True).wait(49 * MS).put(False, loop=True).wait(S)
    assert line.take() == ["+open"]
    line.put(True, loop=True).wait(50 * MS)
    assert (line.take(), line.contacts.line) == (["-open"], State.NORMAL)


def test_a_press_beside_a_cut_loop_is_an_alarm_and_no_mending() -> None:
    """The button must go on working with its loop cut; pressing it does not mend the wire."""
    line = Line(FORM_C).put(False, loop=True).wait(S)
    line.put(True).wait(S)
    assert (line.take(), line.contacts.line) == (["+open", "pressed"], State.ACTIVE)
    line.put(False).wait(S)
    assert (line.take(), line.contacts.line) == (["released"], State.OPEN)


def test_a_press_through_a_cut_conductor_is_open() -> None:
    """All that is left of such a press is the fault, which is sent like an alarm."""
    line = Line(FORM_C).put(False, loop=True).wait(2 * S).put(True, loop=True).wait(S)
    assert line.take() == ["+open", "-open"]


def test_a_short_does_not_hide_the_next_press() -> None:
    """Closed NO is an alarm whatever the loop says."""
    line = Line(FORM_C)
    for _ in range(3):
        line.put(True).wait(S).put(False).wait(S)
    assert line.take() == ["pressed", "+short", "released", "-short"] * 3


def test_without_a_loop_its_level_is_nothing() -> None:
    """A pin that no loop is wired to must not raise faults."""
    line = Line(WIRING).put(False, loop=True).wait(S).put(True, loop=True).wait(S)
    assert line.take() == []
