"""What ends an alarm and what does not; what still stands after a restart."""

from dataclasses import replace

import pytest

from alarm.bench import DESK, DESK_PIN, DESK_RELAY, GATE, KEY, PIN, RED, RELAY, Bench
from alarm.lines import MS, S
from gatehouse import config, events
from gatehouse.alarm.button import Alarm
from gatehouse.alarm.channel import Standing
from gatehouse.errors import ControlError
from gatehouse.events import Mode

LATCHING = replace(GATE, latching=True, reset=None)
FORM_C = replace(LATCHING, loop=27)


def test_the_key_resets_all_alarms_of_its_button() -> None:
    """A guard has nothing but this key."""
    bench = Bench((GATE, DESK))
    for pin in (PIN, PIN, DESK_PIN):
        bench.press(pin)
    bench.press(KEY)
    (reset,) = bench.voice.of_type(events.ALARM_RESET)
    assert (reset.subject, reset.mode) == ("button/gate", Mode.REAL)
    assert (reset.data["by"], len(reset.data["alarms"])) == ("key", 2)
    assert (bench.board.outputs[RELAY], bench.board.outputs[DESK_RELAY]) == (False, True)
    bench.press(KEY)
    assert len(bench.voice.of_type(events.ALARM_RESET)) == 1


def test_a_spike_on_the_key_resets_nothing() -> None:
    """An alarm stands until it is reset by hand."""
    bench = Bench()
    bench.press(PIN)
    bench.put(KEY, 0)
    bench.loop.run(49 * MS)
    bench.put(KEY, 1)
    bench.loop.run(S)
    assert bench.voice.of_type(events.ALARM_RESET) == []


def test_a_reset_while_pressed_ends_that_alarm_and_hides_no_other() -> None:
    """The contact is still closed: no new alarm of it, but the next press is one."""
    bench = Bench()
    bench.put(PIN, 0)
    bench.loop.run(S)
    bench.press(KEY)
    assert bench.stage() is None
    assert str(bench.station.channels["gate"].line) == "active"
    bench.put(PIN, 1)
    bench.loop.run(S)
    assert len(bench.voice.of_type(events.ALARM_RELEASED)) == 1
    bench.press(PIN)
    assert len(bench.voice.alarms()) == 2
    assert bench.board.outputs[RELAY]


def test_reset_of_an_unknown_button_names_those_there_are() -> None:
    """A technician who mistypes has to see what he may type."""
    with pytest.raises(ControlError, match="gate, desk"):
        Bench((GATE, DESK)).station.reset("gte", by="Li", reason="test")


@pytest.mark.parametrize("button", [LATCHING, FORM_C])
def test_turning_a_latching_button_back_resets_it(button: config.Button) -> None:
    """Its own key is the only one it has."""
    bench = Bench((button,))
    if button.loop is not None:
        bench.put(button.loop, 1)
    bench.put(PIN, 0)
    bench.loop.run(3600 * S)
    assert bench.voice.faults == []
    bench.put(PIN, 1)
    if button.loop is not None:
        bench.put(button.loop, 0)
    bench.loop.run(S)
    told = [happening.type for _, happening in bench.voice.told]
    assert told == [events.ALARM_RAISED, events.ALARM_RELEASED, events.ALARM_RESET]
    assert bench.voice.told[-1][1].data["reason"] == "turned-back"
    assert not bench.board.outputs[RELAY]


def test_cutting_the_wire_of_a_latched_button_resets_nothing() -> None:
    """Whoever threatens the guard could otherwise end the alarm with a pair of pliers."""
    bench = Bench((FORM_C,))
    bench.put(27, 1)
    bench.put(PIN, 0)
    bench.loop.run(S)
    bench.put(PIN, 1)  # cut: the loop stays open
    bench.loop.run(10 * S)
    assert ("button/gate", "open", True) in bench.voice.faults
    assert bench.voice.of_type(events.ALARM_RESET) == []
    assert bench.board.outputs[RELAY]
    bench.put(27, 0)  # mended, and found turned back
    bench.loop.run(S)
    assert len(bench.voice.of_type(events.ALARM_RESET)) == 1


def test_a_latching_button_whose_loop_was_cut_before_still_resets() -> None:
    """Its loop will never say so: without this the lamp would show an alarm until a repair."""
    bench = Bench((FORM_C,))
    bench.put(27, 1)
    bench.loop.run(S)
    bench.press(PIN)
    assert len(bench.voice.of_type(events.ALARM_RESET)) == 1


# what stood at the last stop


def test_what_stood_still_stands_after_a_restart() -> None:
    """Kill the service in an alarm, and lamp and relay must come back as they were."""
    alarm = Alarm("old", Mode.REAL, 0, stored=True, sent=True, received=True)
    standing = Standing((alarm,), ("old", Mode.REAL), "old", frozenset())
    bench = Bench(standing={"gate": standing}, levels={PIN: 0})
    assert bench.board.outputs[RELAY]
    assert bench.blinks(RED, 4 * S) == 4
    assert bench.voice.alarms() == []
    bench.put(PIN, 1)
    bench.loop.run(S)
    (released,) = bench.voice.of_type(events.ALARM_RELEASED)
    assert released.data["alarm"] == "old"
    assert bench.station.acknowledged("old") == ("old",)


@pytest.mark.parametrize("held", [True, False])
def test_held_or_let_go_at_start(held: bool) -> None:
    """A button held while the service was down is an alarm; one let go is a release."""
    standing = {} if held else {"gate": Standing((), ("old", Mode.DRILL), "old")}
    bench = Bench(standing=standing, levels={PIN: 0 if held else 1})
    bench.loop.run(S)
    assert [each.data["held_at_start"] for each in bench.voice.alarms()] == [True] * held
    assert [each.mode for each in bench.voice.of_type(events.ALARM_RELEASED)] == (
        [] if held else [Mode.DRILL]
    )


def test_a_latching_button_turned_back_while_the_service_was_down() -> None:
    """Also where the release had been stored, and the reset had not."""
    alarm = Alarm("old", Mode.REAL, 0)
    for unreleased in (("old", Mode.REAL), None):
        bench = Bench((LATCHING,), standing={"gate": Standing((alarm,), unreleased, "old")})
        assert len(bench.voice.of_type(events.ALARM_RESET)) == 1


@pytest.mark.parametrize("name", ["missed-edge", "output", "board", "tamper", "mains"])
def test_a_fault_that_stood_at_the_last_stop_ends(name: str) -> None:
    """What is well now must not stand in the district's list for ever."""
    bench = Bench(carried=[name])
    bench.tick(602)
    assert bench.voice.standing == {}
