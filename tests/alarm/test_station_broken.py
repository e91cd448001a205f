"""What breaks around a press: edges that get lost, pins that fail, a voice that fails."""

from dataclasses import replace

import pytest

from alarm.bench import BUZZER, DESK, DESK_PIN, DESK_RELAY, GATE, KEY, PIN, RED, RELAY, Bench
from alarm.lines import MS, S
from gatehouse import events
from gatehouse.events import Mode


def missed(bench: Bench) -> list[bool]:
    """Return each beginning and end of the fault `missed-edge`."""
    return [begins for _, name, begins in bench.voice.faults if name == "missed-edge"]


# lost edges


def test_a_missed_edge_is_found_within_a_second() -> None:
    """A press whose edge the driver lost is still a press; the driver is a fault."""
    bench = Bench()
    bench.board.levels[PIN] = 0
    bench.tick()
    assert (len(bench.voice.alarms()), missed(bench)) == (1, [True])
    bench.board.levels[PIN] = 1
    bench.tick()
    assert len(bench.voice.of_type(events.ALARM_RELEASED)) == 1
    bench.tick(600)
    assert missed(bench) == [True, False]


def test_a_lost_press_that_is_over_when_looked_at_again() -> None:
    """Seen closed once, without any edge: both edges were lost, and it was a press."""
    bench = Bench()
    bench.loop.run(S)
    bench.board.levels[PIN] = 0
    bench.station.tick()
    bench.loop.run(20 * MS)
    bench.board.levels[PIN] = 1
    bench.loop.run(S)
    assert (len(bench.voice.alarms()), missed(bench)) == (1, [True])
    assert len(bench.voice.of_type(events.ALARM_RELEASED)) == 1


@pytest.mark.parametrize("back", [False, True])
def test_an_edge_on_its_way_is_not_a_missed_one(back: bool) -> None:
    """The re-read may overtake the board's thread, once or twice."""
    bench = Bench()
    bench.loop.run(S)
    bench.board.levels[PIN] = 0
    bench.station.tick()
    bench.loop.run(MS)
    bench.put(PIN, 0, ago_ns=2 * MS)
    bench.loop.run(48 * MS)
    if back:
        bench.board.levels[PIN] = 1  # its edge is still on its way when the level is confirmed
    bench.loop.run(2 * MS)
    if back:
        bench.put(PIN, 1, ago_ns=2 * MS)
    bench.loop.run(S)
    assert (len(bench.voice.alarms()), missed(bench)) == (1, [])


def test_an_edge_that_comes_after_all_makes_no_second_alarm() -> None:
    """A thread that was starved for 100 ms delivers what was taken for lost."""
    bench = Bench()
    bench.loop.run(S)
    bench.board.levels[PIN] = 0
    bench.station.tick()
    bench.loop.run(100 * MS)
    bench.put(PIN, 0, ago_ns=110 * MS)
    bench.loop.run(100 * MS)
    bench.put(PIN, 1)
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == 1


def test_missed_edges_of_key_and_loop_count_too() -> None:
    """Any input may lose an edge."""
    bench = Bench((replace(GATE, loop=27),))
    bench.press(PIN)
    bench.board.levels |= {KEY: 0, 27: 1}
    bench.tick(2)
    assert len(bench.voice.of_type(events.ALARM_RESET)) == 1
    assert ("button/gate", "open", True) in bench.voice.faults


# failing pins


def test_a_pin_that_cannot_be_read_is_a_fault_and_the_others_are_read() -> None:
    """One dead pin must not blind the re-read of the others."""
    bench = Bench((GATE, DESK))
    bench.board.unreadable = {PIN}
    bench.board.levels[DESK_PIN] = 0
    bench.tick()
    assert [each.subject for each in bench.voice.alarms()] == ["button/desk"]
    assert bench.voice.standing["gateway", "board"] == {"pins": {PIN: f"cannot read GPIO {PIN}"}}
    bench.board.unreadable = set()
    bench.tick()
    assert ("gateway", "board", False) in bench.voice.faults


def test_a_pin_that_fails_between_the_two_looks() -> None:
    """The level that was seen still counts."""
    bench = Bench()
    bench.loop.run(S)
    bench.board.levels[PIN] = 0
    bench.station.tick()
    bench.board.unreadable = {PIN}
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == 1


def test_a_press_goes_out_although_all_outputs_fail() -> None:
    """A burnt lamp or relay is never worth an alarm, and is told after it."""
    bench = Bench()
    bench.board.unwritable = {RED, RELAY, BUZZER}
    bench.log.clear()
    bench.press(PIN)
    assert bench.log[0][0] == "tell"
    assert len(bench.voice.alarms()) == 1
    assert bench.voice.faults == [("gateway", "output", True)]
    bench.board.unwritable = set()
    bench.tick()
    assert bench.board.outputs[RELAY]
    assert bench.voice.faults == [("gateway", "output", True), ("gateway", "output", False)]


def test_one_output_mended_does_not_end_the_fault_of_another() -> None:
    """The relay may be broken still when the lamp is well again."""
    bench = Bench()
    bench.board.unwritable = {RED, RELAY}
    bench.press(PIN)
    bench.board.unwritable = {RELAY}
    bench.tick()
    assert ("gateway", "output") in bench.voice.standing
    bench.board.unwritable = set()
    bench.tick()
    assert ("gateway", "output") not in bench.voice.standing


def test_the_relay_does_not_flicker_when_something_is_told_in_a_press() -> None:
    """Telling may show the lamps anew before the alarm has its number."""
    bench = Bench()
    tell = bench.voice.tell

    def telling(happening: events.Happening) -> events.Event:
        bench.station.refresh()
        return tell(happening)

    bench.voice.tell = telling  # type: ignore[method-assign]  # the real voice may do so
    bench.press(PIN)
    assert [on for _, pin, on in bench.board.writes if pin == RELAY] == [True]


# a failing voice


def test_a_press_that_could_not_be_told_is_told_later() -> None:
    """No voice is meant to fail; a press must not end in a line of the log if one does."""
    bench = Bench((GATE, DESK))
    bench.voice.broken = True
    bench.press(PIN)
    bench.put(DESK_PIN, 0)
    bench.loop.run(S)
    assert bench.board.outputs[RELAY]
    assert bench.board.outputs[DESK_RELAY]
    red = [on for _, pin, on in bench.board.writes if pin == RED]
    assert len(red) > 5  # fast: pressed, and the district does not have it
    bench.voice.broken = False
    bench.tick()
    told = [(each.subject, each.type) for _, each in bench.voice.told]
    assert told == [
        ("button/gate", events.ALARM_RAISED),
        ("button/gate", events.ALARM_RELEASED),
        ("button/desk", events.ALARM_RAISED),
    ]
    assert bench.stage() == "undelivered"
    bench.put(DESK_PIN, 1)
    bench.loop.run(S)
    bench.press(PIN)
    assert len(bench.voice.alarms()) == 3
    assert len(bench.voice.of_type(events.ALARM_RELEASED)) == 3


def test_a_drill_that_could_not_be_told_is_still_one_press() -> None:
    """Told again, it is a drill; and the next press is real."""
    bench = Bench()
    bench.station.start_drill(["gate"], 60)
    bench.voice.broken = True
    bench.press(PIN)
    bench.press(PIN)
    bench.voice.broken = False
    bench.tick()
    assert bench.voice.modes() == [Mode.DRILL, Mode.REAL]


def test_a_voice_that_fails_at_the_key_stops_no_press() -> None:
    """The key is turned and the other button pressed in one turn of the loop."""
    bench = Bench((GATE, DESK))
    bench.press(PIN)
    bench.put(KEY, 0)
    bench.voice.broken = True
    bench.loop.now_ns += 60 * MS
    bench.put(DESK_PIN, 0)
    bench.voice.broken = False
    bench.loop.run(5 * MS)
    assert bench.loop.errors == []
    assert [each.subject for each in bench.voice.alarms()] == ["button/gate", "button/desk"]
