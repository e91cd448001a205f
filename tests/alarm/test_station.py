"""All buttons together: a press step by step, late edges, lamps, enclosure, probe."""

from itertools import pairwise

from alarm.bench import BUZZER, DESK, DESK_PIN, DESK_RELAY, GATE, KEY, PIN, RED, RELAY, Bench
from alarm.lines import MS, S
from gatehouse import config, events
from gatehouse.alarm.button import Stage
from gatehouse.alarm.gpio import Edge
from gatehouse.alarm.station import PROBE_PIN
from gatehouse.events import Mode

BOX = config.Enclosure(tamper=12, mains=16)


def test_a_press_step_by_step() -> None:
    """Relay before disk and district, then the stages on the lamp, then the reset."""
    bench = Bench()
    bench.log.clear()
    bench.put(PIN, 0)
    bench.loop.run(5 * MS)
    assert [bench.log[0], bench.log[1][0]] == [("write", (RELAY, True)), "tell"]
    (alarm,) = bench.voice.alarms()
    assert alarm.data == {"location": "South gate", "held_at_start": False}
    assert (alarm.subject, alarm.mode, alarm.at_ns) == ("button/gate", Mode.REAL, bench.loop.now_ns)
    alarm_id = bench.station.channels["gate"].last_alarm
    assert alarm_id is not None
    assert bench.blinks(RED, 2 * S) == 6
    assert bench.station.moved(alarm_id, Stage.SENT)
    assert bench.blinks(RED, 2 * S) == 6
    assert bench.station.moved(alarm_id, Stage.RECEIVED)
    bench.loop.run()
    assert bench.blinks(RED, 2 * S) == 2
    assert bench.station.acknowledged(alarm_id) == (alarm_id,)
    bench.loop.run()
    assert (bench.blinks(RED, 10 * S), bench.board.outputs[RED]) == (0, True)
    bench.put(PIN, 1)
    bench.loop.run(S)
    (released,) = bench.voice.of_type(events.ALARM_RELEASED)
    assert released.data["alarm"] == alarm_id
    assert bench.board.outputs[RELAY]
    assert bench.station.reset("gate", by="Li", reason="real") == 1
    bench.loop.run()
    assert not bench.board.outputs[RELAY]
    assert bench.blinks(RED, 60 * S) == 6


def test_moved_and_acknowledged_know_what_is_open_here() -> None:
    """The service tells the district whether an answer found its alarm."""
    bench = Bench()
    assert not bench.station.moved("nothing", Stage.SENT)
    assert bench.station.acknowledged("nothing") is None


def test_an_alarm_that_nobody_takes_is_undelivered_by_the_timer() -> None:
    """No edge comes to wake the station when a PUBACK stays out."""
    bench = Bench()
    bench.press(PIN)
    alarm_id = bench.station.channels["gate"].last_alarm
    assert alarm_id is not None
    bench.station.moved(alarm_id, Stage.STORED)
    bench.loop.run(9 * S)
    assert bench.stage() == "stored"
    bench.loop.run(S)
    assert bench.stage() == "undelivered"


def test_a_stuck_button_does_not_keep_another_from_working() -> None:
    """One jammed button must not disarm the school."""
    bench = Bench((GATE, DESK))
    bench.put(PIN, 0)
    bench.loop.run(120 * S)
    assert ("button/gate", "stuck", True) in bench.voice.faults
    bench.press(DESK_PIN)
    assert [each.subject for each in bench.voice.alarms()] == ["button/gate", "button/desk"]
    assert bench.board.outputs[DESK_RELAY]


# late edges


def test_a_spike_in_a_slow_turn_of_the_loop_is_none() -> None:
    """Both edges wait in the loop: time must not run to now between them."""
    bench = Bench()
    bench.loop.run(S)
    bench.put(PIN, 0, ago_ns=30 * MS)
    bench.put(PIN, 1, ago_ns=29 * MS)
    bench.loop.run(S)
    assert bench.voice.alarms() == []


def test_bounce_in_a_slow_turn_of_the_loop_is_one_press() -> None:
    """The opening's bounce would otherwise end the press, and begin another."""
    bench = Bench()
    bench.loop.run(S)
    for ago_ms, level in ((400, 0), (300, 1), (298, 0), (290, 1)):
        bench.put(PIN, level, ago_ns=ago_ms * MS)
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == 1


def test_a_press_while_the_service_was_opening_its_disk() -> None:
    """Its edges came before `begin`, and are handed over after it with their own times."""
    bench = Bench()
    bench.loop.run(2 * S)
    bench.station.begin(dict(bench.board.levels), bench.loop.now_ns - 2 * S)
    bench.put(PIN, 0, ago_ns=1900 * MS)
    bench.put(PIN, 1, ago_ns=1800 * MS)
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == len(bench.voice.of_type(events.ALARM_RELEASED)) == 1


def test_a_press_whose_edges_the_tick_overtakes() -> None:
    """The board's thread was starved for two seconds: its edges are late, and no shorter."""
    bench = Bench()
    bench.loop.run(2 * S)
    bench.station.tick()
    bench.put(PIN, 0, ago_ns=1900 * MS)
    bench.put(PIN, 1, ago_ns=1800 * MS)
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == len(bench.voice.of_type(events.ALARM_RELEASED)) == 1


def test_a_key_turned_before_a_press_does_not_reset_it() -> None:
    """In a slow turn of the loop the order of the edges decides, not that of the timers."""
    bench = Bench()
    bench.loop.run(S)
    bench.put(KEY, 0, ago_ns=200 * MS)
    bench.put(PIN, 0, ago_ns=100 * MS)
    bench.put(PIN, 1, ago_ns=10 * MS)
    bench.loop.run(S)
    assert len(bench.voice.alarms()) == 1
    assert bench.voice.of_type(events.ALARM_RESET) == []
    assert bench.board.outputs[RELAY]


def test_edges_do_not_pile_up_timers() -> None:
    """A rattling wire gives thousands of edges: each must not leave a timer behind."""
    bench = Bench()
    before = bench.loop.waiting()
    for number in range(1000):
        bench.put(PIN, number % 2)
    bench.loop.run()
    assert bench.loop.waiting() <= before + 2


# chirp, enclosure, probe


def test_a_fault_chirps_each_minute_until_the_key_silences_it_for_a_day() -> None:
    """A chirp that cannot be silenced ends with a cut buzzer."""
    bench = Bench(enclosure=BOX)
    bench.put(12, 1)
    bench.loop.run(S)
    assert bench.blinks(BUZZER, 600 * S) == 10
    bench.press(KEY)
    assert bench.blinks(BUZZER, 23 * 3600 * S) == 0
    bench.loop.run(3600 * S)
    bench.tick()
    assert bench.blinks(BUZZER, 600 * S) == 10


def test_lid_and_mains() -> None:
    """Closed is well; each is told once when it begins and once when it ends."""
    bench = Bench(enclosure=BOX)
    assert bench.voice.faults == []
    for pin in (12, 16):
        bench.put(pin, 1)
        bench.loop.run(40 * MS)
        bench.put(pin, 0)
        bench.loop.run(S)
    assert bench.voice.faults == []
    for pin in (12, 16):
        bench.put(pin, 1)
        bench.loop.run(S)
        bench.put(pin, 0)
        bench.loop.run(S)
    told = [(name, begins) for _, name, begins in bench.voice.faults]
    assert told == [("tamper", True), ("tamper", False), ("mains", True), ("mains", False)]


def test_the_enclosure_at_start() -> None:
    """A lid that is open at start is told; one that was and is not, is told to be closed."""
    bench = Bench(enclosure=BOX, levels={12: 1}, carried=["mains"])
    told = {(name, begins) for _, name, begins in bench.voice.faults}
    assert told == {("tamper", True), ("mains", False)}


def test_the_probe_goes_the_way_of_a_press() -> None:
    """A watchdog fed beside the alarm's way would keep a deaf service alive."""
    bench = Bench()
    bench.log.clear()
    bench.station.edge(Edge(PROBE_PIN, 0, bench.loop.now_ns))
    assert bench.probes == 1
    assert bench.log == []


def test_after_closing_nothing_plays() -> None:
    """A relay that stays closed, or a timer that comes to a closed board, ends in a traceback."""
    bench = Bench()
    bench.press(PIN)
    bench.put(PIN, 0)
    bench.station.close()
    assert not any(bench.board.outputs.values())
    assert bench.loop.waiting() == 0


def test_the_lamp_says_not_ready_when_the_district_is_not_proven() -> None:
    """No blip: a guard must not trust a button that leads nowhere."""
    bench = Bench()
    assert bench.blinks(RED, 30 * S) == 3
    bench.outside.is_proven = False
    bench.tick()
    assert bench.blinks(RED, 30 * S) == 0


def test_presses_have_rising_times() -> None:
    """Alarms of one button in the order of their presses."""
    bench = Bench()
    for _ in range(5):
        bench.press(PIN)
    times = [each.at_ns or 0 for each in bench.voice.alarms()]
    assert len(times) == 5
    assert all(a < b for a, b in pairwise(times))
