"""What the alarm relies on of a board: the same tests on the simulated and on the real one."""

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from contract.board_rigs import RIGS, Heard, Rig
from gatehouse.alarm.gpio import Edge
from gatehouse.errors import BoardError


@pytest.fixture
def faults() -> list[BoardError]:
    """What the board tells of itself."""
    return []


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, faults: list[BoardError]) -> Iterator[Rig]:
    """Each board, with an open contact."""
    with RIGS[request.param](faults.append) as rig:
        yield rig


@pytest.fixture(params=RIGS)
def held(request: pytest.FixtureRequest, faults: list[BoardError]) -> Iterator[Rig]:
    """Each board, with a contact that was closed before it was opened."""
    with RIGS[request.param](faults.append, held=True) as rig:
        yield rig


def test_an_open_contact_reads_high(rig: Rig) -> None:
    """Without the pull-up an open contact floats, and a button presses itself."""
    assert rig.board.level(rig.contact) == 1


def test_both_edges_come_in_order_with_their_time(rig: Rig) -> None:
    """The filter and the debounce live on both edges and on when they were."""
    heard = Heard()
    rig.board.listen(heard)
    before_ns = time.monotonic_ns()
    rig.drive(0)
    closed = heard.next()
    rig.drive(1)
    opened = heard.next()
    after_ns = time.monotonic_ns()
    assert [(e.pin, e.level) for e in (closed, opened)] == [(rig.contact, 0), (rig.contact, 1)]
    assert before_ns <= closed.at_ns < opened.at_ns <= after_ns


def test_the_level_is_there_when_the_edge_is(rig: Rig) -> None:
    """Levels are read again every second: one that lags its edge would be taken for a lost edge."""
    heard = Heard()
    rig.board.listen(heard)
    rig.drive(0)
    heard.next()
    assert rig.board.level(rig.contact) == 0


def test_edges_come_in_the_board_s_own_thread(rig: Rig) -> None:
    """A simulated board that called from the caller's thread would hide every threading mistake."""
    threads: list[str] = []
    heard = Heard()

    def deliver(edge: Edge) -> None:
        threads.append(threading.current_thread().name)
        heard(edge)

    rig.board.listen(deliver)
    rig.drive(0)
    heard.next()
    assert threads != [threading.current_thread().name]


def test_the_listener_is_kept_alive(rig: Rig) -> None:
    """A listener that nobody keeps never hears a press: gpiozero holds it weakly."""
    heard = Heard()
    rig.board.listen(heard)
    gc.collect()
    rig.drive(0)
    assert heard.next().level == 0


def test_a_delivery_that_fails_does_not_deafen_the_board(
    rig: Rig, faults: list[BoardError]
) -> None:
    """One exception in a listener ends lgpio's thread, and with it every button."""
    heard = Heard()

    def deliver(edge: Edge) -> None:
        heard(edge)
        raise RuntimeError("Event loop is closed")

    rig.board.listen(deliver)
    for level in (0, 1, 0):
        rig.drive(level)
        assert heard.next().level == level
    assert rig.board.alive()
    assert [type(fault) for fault in faults] == [BoardError]


def test_a_fault_handler_that_fails_does_not_deafen_the_board(rig: Rig) -> None:
    """Telling of the fault happens in the same thread and must not end it either."""
    heard = Heard()
    rig.board._on_fault = lambda _: 1 / 0  # type: ignore[attr-defined]  # seen from inside

    def deliver(edge: Edge) -> None:
        heard(edge)
        raise RuntimeError("Event loop is closed")

    rig.board.listen(deliver)
    for level in (0, 1):
        rig.drive(level)
        heard.next()
    assert rig.board.alive()


def test_a_contact_held_at_start_gives_no_edge_but_reads_closed(held: Rig) -> None:
    """Whoever waits for an edge misses the button that is held when the service starts."""
    heard = Heard()
    held.board.listen(heard)
    assert held.board.level(held.contact) == 0
    held.drive(1)
    assert heard.next().level == 1
    assert heard.edges.empty()


def test_an_output_starts_off_and_follows(rig: Rig) -> None:
    """A relay that closed at start would set off the existing alarm host."""
    assert rig.lamp() == 0
    rig.board.write(rig.lamp_pin, on=True)
    assert (rig.lamp(), rig.board.level(rig.lamp_pin)) == (1, 1)
    rig.board.write(rig.lamp_pin, on=False)
    assert (rig.lamp(), rig.board.level(rig.lamp_pin)) == (0, 0)


def test_writing_what_is_no_output_is_an_error(rig: Rig) -> None:
    """A lamp that cannot be lit must be told of, and must not raise something unforeseen."""
    with pytest.raises(BoardError, match=f"write GPIO {rig.contact}"):
        rig.board.write(rig.contact, on=True)


def test_reading_an_unknown_pin_is_an_error(rig: Rig) -> None:
    """Every failure of the board is a BoardError: the caller handles no other."""
    with pytest.raises(BoardError, match="read GPIO 5"):
        rig.board.level(5)


def test_the_name_is_what_status_shows(rig: Rig) -> None:
    """Contract section 5: ``board`` is lgpio or simulated."""
    assert rig.board.name in {"lgpio", "simulated"}


def test_close_may_be_repeated(rig: Rig) -> None:
    """An orderly stop after a failed start closes twice."""
    rig.board.write(rig.lamp_pin, on=True)
    rig.board.close()
    rig.board.close()
