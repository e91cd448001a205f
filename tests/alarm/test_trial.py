"""Trying the outputs: lamps blink for a moment, a relay never moves, and a press goes first."""

import pytest

from alarm.bench import BUZZER, GATE, PIN, RED, RELAY, Bench
from alarm.lines import MS, S
from gatehouse.errors import ControlError


def writes(bench: Bench, pin: int, for_ns: int) -> list[bool]:
    """Let time pass; return what was written to an output meanwhile."""
    start = len(bench.board.writes)
    bench.loop.run(for_ns)
    return [on for _, its_pin, on in bench.board.writes[start:] if its_pin == pin]


def test_lamps_blink_and_end_by_themselves() -> None:
    """A trial that never ended would be a lamp that nobody can read any more."""
    bench = Bench()
    assert bench.station.try_outputs(3.0, sound=True) == {}
    assert bench.board.outputs[BUZZER]
    assert bench.blinks(RED, 3 * S) == 6, "five more, and the blip of readiness"
    assert not bench.board.outputs[BUZZER]
    assert writes(bench, RED, 2 * S) == [False]


def test_without_sound_the_buzzer_is_still() -> None:
    """The nightly test must not sound through the village."""
    bench = Bench()
    bench.station.try_outputs(0.2, sound=False)
    assert bench.board.outputs[RED]
    bench.loop.run(S)
    assert not [on for _, pin, on in bench.board.writes if pin == BUZZER and on]


def test_the_relay_never_moves() -> None:
    """It is the zone of another alarm host: moving it calls people out."""
    bench = Bench()
    bench.station.try_outputs(3.0, sound=True)
    bench.loop.run(4 * S)
    assert not [on for _, pin, on in bench.board.writes if pin == RELAY and on]


def test_a_press_ends_what_is_tried() -> None:
    """The lamp of whoever presses now must say so, not that somebody tries it."""
    bench = Bench()
    bench.station.try_outputs(3.0, sound=False)
    bench.press(PIN)
    assert bench.stage() is not None
    assert bench.blinks(RED, S) == 3


def test_while_an_alarm_stands_nothing_is_tried() -> None:
    """The guard reads these lamps."""
    bench = Bench()
    bench.press(PIN)
    with pytest.raises(ControlError) as refused:
        bench.station.try_outputs(1.0, sound=False)
    assert refused.value.code == "alarm-stands"


@pytest.mark.parametrize("seconds", [0.0, -1.0, 3.1, float("nan")])
def test_trials_that_are_refused(seconds: float) -> None:
    """Somebody at the socket could else keep the lamps from the guard for an hour."""
    with pytest.raises(ControlError):
        Bench().station.try_outputs(seconds, sound=False)


def test_a_second_trial_takes_the_place_of_the_first() -> None:
    """Two in a row must not end in the middle of the second."""
    bench = Bench()
    bench.station.try_outputs(1.0, sound=False)
    bench.loop.run(900 * MS)
    bench.station.try_outputs(1.0, sound=False)
    assert writes(bench, RED, 900 * MS) == [True, False, True, False]
    bench.loop.run(300 * MS)
    assert writes(bench, RED, 2 * S) == []


def test_an_output_that_cannot_be_switched_is_named() -> None:
    """That is what the trial is for."""
    bench = Bench()
    bench.board.unwritable.add(RED)
    assert set(bench.station.try_outputs(1.0, sound=False)) == {RED}
    assert GATE.lamps.red == RED
