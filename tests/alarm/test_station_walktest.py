"""A walk test at the buttons: which presses are tests, and what lamps, buzzer and relay show."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarm.bench import BUZZER, DESK, DESK_PIN, DESK_RELAY, GATE, KEY, PIN, RED, RELAY, Bench
from alarm.lines import S
from gatehouse import config, events
from gatehouse.alarm.button import Alarm, Stage
from gatehouse.alarm.channel import Standing
from gatehouse.alarm.walktest import Walk
from gatehouse.errors import ControlError
from gatehouse.events import Mode

YARD = config.Button("yard", "Yard", 19)
PINS = {"gate": PIN, "desk": DESK_PIN, "yard": 19}
LATCHING = replace(GATE, latching=True, reset=None)


def begin_walk(bench: Bench, *names: str, for_ns: int = 600 * S) -> None:
    """Cover the first press of these buttons from now on."""
    bench.station.walk = Walk(names, bench.loop.now_ns, bench.loop.now_ns + for_ns)


def resets(bench: Bench) -> list[tuple[str, str, Mode, int]]:
    """Return by whom and for what alarms were reset, their mode, and how many."""
    return [
        (reset.data["by"], reset.data["reason"], reset.mode, len(reset.data["alarms"]))
        for reset in bench.voice.of_type(events.ALARM_RESET)
    ]


@settings(max_examples=30, deadline=None)
@given(
    before=st.lists(st.sampled_from(tuple(PINS)), max_size=3),
    names=st.lists(st.sampled_from(tuple(PINS)), unique=True, min_size=1),
    during=st.lists(st.sampled_from(tuple(PINS)), max_size=8),
    after=st.lists(st.sampled_from(tuple(PINS)), max_size=3),
)
def test_only_the_first_press_of_each_named_button_is_a_test(
    before: list[str], names: list[str], during: list[str], after: list[str]
) -> None:
    """Whatever the order of presses, and whatever was pressed before and after the walk."""
    bench = Bench((GATE, DESK, YARD))
    expected = [Mode.REAL] * len(before)
    for name in before:
        bench.press(PINS[name])
    begin_walk(bench, *names)
    for at, name in enumerate(during):
        bench.press(PINS[name])
        first = name in names and name not in during[:at]
        expected.append(Mode.TEST if first else Mode.REAL)
    bench.station.walk = None
    for name in after:
        bench.press(PINS[name])
    assert bench.voice.modes() == expected + [Mode.REAL] * len(after)
    told = bench.voice.alarms()
    for name, relay in (("gate", RELAY), ("desk", DESK_RELAY)):
        real = any(a.mode is Mode.REAL for a in told if a.subject == f"button/{name}")
        assert bool(bench.board.outputs.get(relay)) is real


def test_a_test_is_seen_and_heard_and_moves_no_relay() -> None:
    """One technician must know at the button what came of the press, also at a silent one."""
    bench = Bench((replace(GATE, silent=True),))
    begin_walk(bench, "gate")
    bench.press(PIN)
    assert bench.board.outputs[BUZZER]
    assert bench.blinks(RED, 2 * S) == 6
    alarm = bench.voice.told[0][0]
    bench.station.moved(alarm, Stage.RECEIVED)
    bench.loop.run()
    assert bench.blinks(RED, 3 * S) == 3
    bench.station.acknowledged(alarm)
    bench.loop.run(S)
    assert (bench.board.outputs[RED], bench.board.outputs[BUZZER]) == (True, False)
    bench.station.end_tests("gate")
    bench.loop.run()
    assert bench.stage() is None
    assert resets(bench) == [("walktest", "test", Mode.TEST, 1)]
    assert RELAY not in {pin for _, pin, on in bench.board.writes if on}


def test_a_real_alarm_beside_a_test_is_silent_and_stands() -> None:
    """Whoever presses in danger must not be given away by a buzzer, nor be reset by a walk."""
    bench = Bench((replace(GATE, silent=True),))
    begin_walk(bench, "gate")
    bench.press(PIN)
    bench.press(PIN)
    assert bench.voice.modes() == [Mode.TEST, Mode.REAL]
    assert not bench.board.outputs[BUZZER]
    assert bench.board.outputs[RELAY]
    bench.station.moved(bench.voice.told[0][0], Stage.RECEIVED)
    assert bench.stage() == "undelivered"
    bench.station.end_tests("gate")
    bench.loop.run(S)
    assert (bench.stage(), bench.board.outputs[RELAY]) == ("undelivered", True)
    assert resets(bench) == [("walktest", "test", Mode.TEST, 1)]
    bench.press(KEY)
    assert resets(bench)[1:] == [("key", "key", Mode.REAL, 1)]


def test_a_button_that_is_in_does_not_look_idle() -> None:
    """A latched button that is dark would raise no alarm, and nobody would know."""
    bench = Bench((LATCHING,))
    begin_walk(bench, "gate")
    bench.put(PIN, 0)
    bench.loop.run(S)
    bench.station.end_tests("gate")
    bench.loop.run(S)
    assert bench.stage() == "undelivered"
    bench.put(PIN, 1)
    bench.loop.run(S)
    assert bench.stage() is None
    assert resets(bench) == [("walktest", "test", Mode.TEST, 1)]
    begin_walk(bench, "gate")
    bench.press(PIN)  # turned back before the walk asks for its end
    assert resets(bench)[1:] == [("button", "turned-back", Mode.TEST, 1)]


def test_a_button_that_is_held_is_reset_when_it_is_let_go() -> None:
    """The walk may be over by then; the technician does not come back for it."""
    bench = Bench()
    begin_walk(bench, "gate")
    bench.put(PIN, 0)
    bench.loop.run(S)
    bench.station.end_tests("gate")
    bench.station.walk = None
    assert bench.stage() == "undelivered"
    bench.put(PIN, 1)
    bench.loop.run(S)
    assert (bench.stage(), resets(bench)) == (None, [("walktest", "test", Mode.TEST, 1)])
    begin_walk(bench, "gate")
    bench.press(PIN)
    bench.loop.run(S)
    assert bench.stage() == "undelivered"  # the next test is not reset with its press


@pytest.mark.parametrize(("level", "ended"), [(1, 1), (0, 0)])
def test_a_walk_does_not_outlive_the_service(level: int, ended: int) -> None:
    """After a crash nobody follows it any more; but a contact that is closed stays seen."""
    alarm = Alarm("a", Mode.TEST, 0, stored=True)
    standing = {"gate": Standing(alarms=(alarm,), unreleased=("a", Mode.TEST), last_alarm="a")}
    bench = Bench(standing=standing, levels={PIN: level})
    assert len(resets(bench)) == ended
    assert not bench.board.outputs.get(RELAY)
    bench.put(PIN, 1)
    bench.loop.run(S)
    assert resets(bench) == [("walktest", "test", Mode.TEST, 1)]
    assert bench.stage() is None


def test_real_alarms_and_drills_outlive_the_service() -> None:
    """An alarm stands until it is reset by hand."""
    alarms = (Alarm("a", Mode.REAL, 0), Alarm("b", Mode.TEST, 0), Alarm("c", Mode.DRILL, 0))
    bench = Bench(standing={"gate": Standing(alarms=alarms, last_alarm="c")})
    (reset,) = bench.voice.of_type(events.ALARM_RESET)
    assert reset.data["alarms"] == ["b"]
    assert [alarm.id for alarm in bench.station.channels["gate"].alarms.alarms] == ["a", "c"]


def test_no_drill_begins_in_a_walk() -> None:
    """One press would be two things."""
    bench = Bench()
    begin_walk(bench, "gate")
    with pytest.raises(ControlError):
        bench.station.start_drill(["gate"], 60)
