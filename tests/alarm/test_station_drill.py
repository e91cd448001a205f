"""A drill is the first press of each named button, and nothing else."""

import pytest

from alarm.bench import DESK, DESK_PIN, GATE, PIN, RED, RELAY, Bench
from alarm.lines import MS, S
from gatehouse import events
from gatehouse.errors import ControlError
from gatehouse.events import Mode


def test_a_drill_is_the_first_press_of_each_named_button() -> None:
    """Every further press is real, and closes the relay."""
    bench = Bench((GATE, DESK))
    bench.station.start_drill(["gate"], 600)
    bench.press(DESK_PIN)
    bench.press(PIN)
    assert not bench.board.outputs.get(RELAY)
    assert bench.blinks(RED, 2 * S) == 6
    bench.press(PIN)
    assert bench.voice.modes() == [Mode.REAL, Mode.DRILL, Mode.REAL]
    assert bench.board.outputs[RELAY]
    (ended,) = bench.voice.of_type(events.DRILL_ENDED)
    assert (ended.data, ended.mode) == ({"reason": "complete", "not_pressed": []}, Mode.DRILL)
    releases = bench.voice.of_type(events.ALARM_RELEASED)
    assert [each.mode for each in releases] == [Mode.REAL, Mode.DRILL, Mode.REAL]


def test_a_drill_ends_by_itself() -> None:
    """Nobody may forget a drill that is still on."""
    bench = Bench()
    bench.station.start_drill(["gate", "gate"], 60)
    bench.loop.run(60 * S)
    (ended,) = bench.voice.of_type(events.DRILL_ENDED)
    assert ended.data == {"reason": "expired", "not_pressed": ["gate"]}
    assert bench.station.drill_left_s() is None
    bench.press(PIN)
    assert bench.voice.modes() == [Mode.REAL]


def test_a_drill_can_be_stopped() -> None:
    """And is then over at once."""
    bench = Bench()
    assert not bench.station.stop_drill()
    bench.station.start_drill(["gate"], 60)
    bench.loop.run(S)
    assert bench.station.drill_left_s() == (("gate",), 59.0)
    assert bench.station.stop_drill()
    bench.press(PIN)
    bench.loop.run(100 * S)
    assert bench.voice.modes() == [Mode.REAL]
    assert len(bench.voice.of_type(events.DRILL_ENDED)) == 1


@pytest.mark.parametrize(
    ("buttons", "seconds"),
    [([], 60), (["gate"], 0), (["gate"], 1801), (["gate"], float("nan")), (["yard"], 60)],
)
def test_drills_that_are_refused(buttons: list[str], seconds: float) -> None:
    """A drill of no button, of any length or of a button there is none would cover surprises."""
    bench = Bench()
    with pytest.raises(ControlError):
        bench.station.start_drill(buttons, seconds)
    bench.press(PIN)
    assert bench.voice.modes() == [Mode.REAL]


def test_a_second_drill_is_refused() -> None:
    """It would cover a second press of a button."""
    bench = Bench()
    bench.station.start_drill(["gate"], 60)
    with pytest.raises(ControlError):
        bench.station.start_drill(["gate"], 60)


def test_a_press_before_the_drill_is_real_though_its_edges_come_after() -> None:
    """It was meant: nobody had called a drill."""
    bench = Bench()
    bench.loop.run(S)
    bench.station.start_drill(["gate"], 60)
    bench.put(PIN, 0, ago_ns=100 * MS)
    bench.put(PIN, 1, ago_ns=20 * MS)
    bench.loop.run(S)
    assert bench.voice.modes() == [Mode.REAL]


def test_chatter_is_no_drill() -> None:
    """An alarm that stands for many presses would be more than the one press covered."""
    bench = Bench()
    for _ in range(601):
        bench.press(PIN, 10 * MS, gap_ns=60 * MS)
    bench.station.start_drill(["gate"], 1800)
    for _ in range(5):
        bench.press(PIN, 10 * MS)
    bench.loop.run(120 * S)
    assert bench.voice.alarms()[-1].data["presses"] == 5
    assert set(bench.voice.modes()) == {Mode.REAL}
