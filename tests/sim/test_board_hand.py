"""What a hand on the simulated wires does to the agent's pins (contract section 7)."""

import threading
import time
from collections.abc import Iterator

import pytest

from gatehouse.errors import BoardError
from gatehouse_sim import board as simulated
from gatehouse_sim.wires import WiringError
from gatehouse_sim.wiring_client import cut, mend, press, short
from sim.board_school import GATE, LATCH, LIMIT_S, RED, School, open_school


@pytest.fixture
def school() -> Iterator[School]:
    """A simulated board that the agent listens to."""
    with open_school() as school:
        yield school


def test_set_answers_with_the_time_of_the_edge(school: School) -> None:
    """All latencies of the bench and of acceptance runs are measured from this time."""
    t = school.client.set(17, 0)
    edge = school.edges.get(timeout=LIMIT_S)
    assert (edge.pin, edge.level) == (17, 0)
    assert abs(edge.at_ns - t) < 1000  # ticks are float seconds
    assert school.client.history(17) == [(t, 0)]


def test_a_level_that_is_there_already_gives_no_edge(school: School) -> None:
    """A wire that is set twice moved once."""
    school.client.set(17, 1)
    school.client.set(17, 0)
    school.client.set(17, 0)
    assert school.heard(1) == [(17, 0)]
    assert len(school.client.history(17)) == 1


def test_a_press_moves_both_contacts(school: School) -> None:
    """A press of a form C button that left its loop closed would look like a short."""
    t = press(school.client, GATE, for_s=0.01)
    assert school.heard(4) == [(27, 1), (17, 0), (17, 1), (27, 0)]
    assert school.client.history(17)[0] == (t, 0)


def test_a_press_bounces(school: School) -> None:
    """Ten bounces are one press: that can only be shown where there are bounces."""
    press(school.client, LATCH, for_s=0.02, bounce_ms=5)
    edges = school.heard(6)  # at least one bounce at closing and one at opening
    assert edges[:3] == [(5, 0), (5, 1), (5, 0)]


def test_a_press_that_comes_late_keeps_its_length(school: School) -> None:
    """On a machine under load a whole press became a spike, which the agent rightly passes by.

    Seen once in hundreds of runs: the thread was held up for longer than the press, and gave its
    closing and its opening within the same millisecond.
    """
    held_up, go_on = threading.Event(), threading.Event()

    def listener(_ticks: float, _level: int) -> None:
        held_up.set()
        go_on.wait(LIMIT_S)

    school.board._factory.pin(5).when_changed = listener  # type: ignore[attr-defined]  # seen from inside
    setting = threading.Thread(target=school.board._factory.set, args=(5, 0))  # type: ignore[attr-defined]  # as above
    setting.start()
    assert held_up.wait(LIMIT_S)
    pressing = threading.Thread(target=press, args=(school.client, GATE), kwargs={"for_s": 0.05})
    pressing.start()
    due = school.board._factory._thread._due  # type: ignore[attr-defined]  # as above
    over_ns = time.monotonic_ns() + int(LIMIT_S * 1e9)
    while not (due and max(at for at, *_ in due) < time.monotonic_ns()):
        assert time.monotonic_ns() < over_ns
        time.sleep(0.01)  # until the whole press is overdue
    go_on.set()
    assert school.heard(4) == [(27, 1), (17, 0), (17, 1), (27, 0)]
    (closed, _), (opened, _) = school.client.history(17)
    assert opened - closed >= 50_000_000
    setting.join(LIMIT_S)
    pressing.join(LIMIT_S)


def test_a_button_that_is_pressed_cannot_be_pressed(school: School) -> None:
    """Two presses at once would be one, and a test that counts would be wrong."""
    school.client.request("press", pin=17, for_s=60)
    with pytest.raises(WiringError, match="still being pressed"):
        school.client.request("press", pin=17)
    school.client.set(17, 1)  # takes over: the hand lets go
    school.client.set(27, 0)
    school.client.request("press", pin=17, for_s=0)


def test_a_closed_contact_cannot_be_pressed(school: School) -> None:
    """A press without an edge has no time to answer with."""
    short(school.client, GATE)
    with pytest.raises(WiringError, match="closed already"):
        press(school.client, GATE)


def test_cut_short_and_mend(school: School) -> None:
    """The three faults of a line are made out of these levels."""
    cut(school.client, GATE)
    assert (school.board.level(17), school.board.level(27)) == (1, 1)
    mend(school.client, GATE)
    assert (school.board.level(17), school.board.level(27)) == (1, 0)
    short(school.client, GATE)
    assert (school.board.level(17), school.board.level(27)) == (0, 0)
    mend(school.client, GATE)
    assert (school.board.level(17), school.board.level(27)) == (1, 0)


def test_a_press_does_not_mend_a_cut_line(school: School) -> None:
    """The fault would vanish although nobody repaired anything."""
    cut(school.client, GATE)
    press(school.client, GATE, for_s=0)
    assert school.heard(3) == [(27, 1), (17, 0), (17, 1)]
    assert school.board.level(27) == 1


def test_a_cut_during_a_press_ends_it(school: School) -> None:
    """The rest of the press would mend the wire."""
    press(school.client, GATE, for_s=60)
    cut(school.client, GATE)
    assert school.heard(3) == [(27, 1), (17, 0), (17, 1)]
    assert (school.board.level(17), school.board.level(27)) == (1, 1)


def test_a_latching_button_stays_in(school: School) -> None:
    """It is turned back with its key, and that resets the alarm."""
    press(school.client, LATCH)
    assert school.board.level(5) == 0
    mend(school.client, LATCH)
    assert school.heard(2) == [(5, 0), (5, 1)]


def test_history_shows_outputs(school: School) -> None:
    """Lamp patterns and the relay are judged by it."""
    for on in (True, False, False, True):
        school.board.write(RED, on)
    edges = school.client.history(RED)
    assert [level for _, level in edges] == [1, 0, 1]
    assert [t for t, _ in edges] == sorted(t for t, _ in edges)


def test_history_is_bounded(school: School) -> None:
    """A lamp that blinks for a year would fill the memory."""
    assert simulated.HISTORY == 10_000
    for on in range(simulated.HISTORY + 11):
        school.board.write(RED, on % 2 == 0)
    edges = school.client.history(RED)
    assert len(edges) == simulated.HISTORY
    assert edges[-1][1] == 1
    assert len(school.board._factory.pin(RED).states) == 1  # type: ignore[attr-defined]  # seen from inside


def test_pins_in_use(school: School) -> None:
    """A wrong pull or direction is seen nowhere else without hardware."""
    school.board.write(RED, on=True)
    pins = {pin["pin"]: pin for pin in school.client.request("pins")["pins"]}
    assert pins.keys() == {17, 27, 5, RED}
    assert pins[27] == {"pin": 27, "number": 27, "function": "input", "pull": "up", "level": 0}
    assert (pins[RED]["function"], pins[RED]["level"]) == ("output", 1)


def test_an_output_cannot_be_moved_from_outside(school: School) -> None:
    """Outputs are the agent's: a hand on them would make the lamp lie in tests."""
    with pytest.raises(WiringError, match="output"):
        school.client.set(RED, 1)


def test_a_lost_edge_changes_the_level_alone(school: School) -> None:
    """The level that is read every second must be what finds this press."""
    school.client.set(17, 0, silent=True)
    school.client.set(27, 1)
    assert school.heard(1) == [(27, 1)]
    assert school.board.level(17) == 0


def test_writes_fail_on_demand(school: School) -> None:
    """A dead output is a fault, and must be tried somewhere before it happens."""
    school.client.request("fail-writes", pins=[RED])
    with pytest.raises(BoardError, match=f"write GPIO {RED}"):
        school.board.write(RED, on=True)
    school.client.request("fail-writes", pins=[])
    school.board.write(RED, on=True)


def test_the_edge_thread_can_be_ended(school: School) -> None:
    """A service whose board is deaf must find out and end."""
    school.client.request("stop-thread")
    assert not school.board.alive()
    with pytest.raises(WiringError, match="thread is dead"):
        school.client.set(17, 0)
    assert school.client.request("pins")["ok"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_raising_listener_ends_the_thread_as_in_lgpio(school: School) -> None:
    """A kinder fake would hide the mistake that deafens a real gateway."""

    def listener(_ticks: float, _level: int) -> None:
        raise RuntimeError("not caught")

    school.board._factory.pin(17).when_changed = listener  # type: ignore[attr-defined]  # seen from inside
    with pytest.raises(WiringError, match="thread died"):
        school.client.set(17, 0)
    assert not school.board.alive()
    school.board._factory._thread._thread.join(LIMIT_S)  # type: ignore[attr-defined]  # as above
