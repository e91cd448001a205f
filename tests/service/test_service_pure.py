"""The service's pure parts: the watched clock, the latencies, what stood, and the pins."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.clock import Reading
from gatehouse.events import Event, Mode
from gatehouse.faults import Fault
from gatehouse.outbox import Opening, StandingAlarm
from gatehouse.service import ending, machine, standing
from gatehouse.service.clockwatch import GRACE_NS, ClockWatch, Seen
from gatehouse.service.latency import KEPT, Latencies, Latency
from gatehouse.service.pins import input_pins, output_pins
from service.house import SCHOOL, loaded

S = 1_000_000_000
BOOTED = Reading(unix_ns=1_000 * S, monotonic_ns=50 * S, boottime_ns=50 * S)
WELL = Seen(unset=False)


def later(reading: Reading, s: float, stepped_s: float = 0.0) -> Reading:
    """Let time pass, and the wall clock step besides."""
    ns = round(s * S)
    return Reading(
        reading.unix_ns + ns + round(stepped_s * S),
        reading.monotonic_ns + ns,
        reading.boottime_ns + ns,
    )


def test_a_set_clock_that_runs_well_is_silent() -> None:
    """Without it the district would be told of corrections that never were."""
    watch = ClockWatch(BOOTED, synced=True)
    now = BOOTED
    for _ in range(100):
        now = later(now, 1.0)
        assert watch.look(now, synced=True) == WELL


def test_a_clock_that_is_set_says_by_how_much() -> None:
    """Without it the times of all events before would stay wrong for ever."""
    watch = ClockWatch(BOOTED, synced=False)
    now = later(BOOTED, 1.0)
    assert watch.look(now, synced=False) == Seen(unset=None)
    now = later(now, 1.0, stepped_s=1_795_000_000.25)
    assert watch.look(now, synced=True) == Seen(corrected_s=1_795_000_000.25, unset=False)
    assert watch.look(later(now, 1.0), synced=True) == WELL


def test_a_clock_set_without_a_step_was_right() -> None:
    """Without it a Pi with an RTC would leave the district in doubt of its first events."""
    watch = ClockWatch(BOOTED, synced=False)
    assert watch.look(later(BOOTED, 3.0), synced=True) == Seen(corrected_s=0.0, unset=False)


@pytest.mark.parametrize("step_s", [-31_536_000.0, -2.0, 2.0, 31_536_000.0])
def test_a_step_is_told_once(step_s: float) -> None:
    """Without it a clock moved by hand would put events in an order that never was."""
    watch = ClockWatch(BOOTED, synced=True)
    now = later(BOOTED, 1.0, stepped_s=step_s)
    assert watch.look(now, synced=True) == Seen(corrected_s=step_s, unset=False)
    assert watch.look(later(now, 1.0), synced=True) == WELL


def test_slewing_is_no_correction_however_far_it_goes() -> None:
    """Without it a clock that is steered all day would one day be told as stepped."""
    watch = ClockWatch(BOOTED, synced=True)
    now = BOOTED
    for _ in range(10_000):
        now = later(now, 1.0, stepped_s=0.0005)  # the kernel's most: 500 ppm
        assert watch.look(now, synced=True) == WELL


def test_corrections_add_up_to_what_the_clock_was_moved() -> None:
    """Without it an unset clock, stepped by hand and then set, could not be corrected for."""
    watch = ClockWatch(BOOTED, synced=False)
    now = later(BOOTED, 1.0, stepped_s=1000.0)
    first = watch.look(now, synced=False)
    second = watch.look(later(now, 1.0, stepped_s=2.5), synced=True)
    assert (first.corrected_s, second.corrected_s) == (1000.0, 2.5)


def test_an_unset_clock_becomes_a_fault_only_after_the_grace() -> None:
    """Without it every boot without an RTC would be a fault, or none ever."""
    watch = ClockWatch(BOOTED, synced=False)
    now = later(BOOTED, GRACE_NS / S)
    assert watch.look(now, synced=False).unset is None
    assert watch.look(later(now, 1.0), synced=False).unset is True
    assert watch.look(later(now, 2.0), synced=True).unset is False


def test_a_clock_that_is_lost_gets_its_grace_anew() -> None:
    """Without it a time server away for a minute after a year would be a fault at once."""
    watch = ClockWatch(BOOTED, synced=True)
    now = later(BOOTED, 31_536_000.0)
    assert watch.look(now, synced=False).unset is None
    assert watch.look(later(now, GRACE_NS / S), synced=False).unset is None
    assert watch.look(later(now, GRACE_NS / S + 1), synced=False).unset is True


def test_no_press_has_no_latency() -> None:
    """Without it a status before the first press would fail, or show 0 ms."""
    none = {"n": 0, "p50": None, "p99": None, "max": None}
    assert Latencies().summary() == {"stored": none, "sent": none, "received": none}


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_percentiles_are_those_of_nearest_rank(times: list[float]) -> None:
    """Without it p99 of a hundred presses would be the worst one, and p50 of two the slower."""
    latency = Latency()
    for ms in times:
        latency.add(ms)
    said = latency.summary()
    ordered = sorted(times)
    for name, percent in (("p50", 50), ("p99", 99)):
        rank = -(-percent * len(times) // 100)  # in whole numbers: the definition itself
        assert said[name] == round(ordered[rank - 1], 3)
    assert said["n"] == len(times)
    assert said["max"] == round(max(times), 3)


def test_a_stage_counts_once_from_the_edge() -> None:
    """Without it a resend or a doubled receipt would be a second, slower press."""
    latencies = Latencies()
    latencies.raised("a", 5_000_000)
    assert latencies.reached("a", "sent", 6_500_000) == 1.5
    assert latencies.reached("a", "sent", 9_000_000) is None
    assert latencies.reached("a", "received", 7_000_000) == 2.0
    assert latencies.reached("a", "stored", 8_000_000) == 3.0
    assert latencies.reached("a", "received", 99_000_000) is None  # done: forgotten
    assert latencies.summary()["sent"] == {"n": 1, "p50": 1.5, "p99": 1.5, "max": 1.5}


def test_presses_of_another_start_have_no_latency() -> None:
    """Without it an alarm that waited out a power cut would be the max for ever."""
    assert Latencies().reached("before", "received", 5) is None


def test_presses_that_never_get_there_take_no_memory() -> None:
    """Without it a year without a district would eat the memory of the alarm."""
    latencies = Latencies()
    for n in range(KEPT + 10):
        latencies.raised(str(n), 0)
    assert len(latencies._raised) == KEPT
    assert latencies.reached("0", "sent", 5) is None
    assert latencies.reached(str(KEPT + 9), "sent", 5) is not None


def last_event(type_: str, bootid: str) -> Event:
    """Return the last event of the start before."""
    said = SimpleNamespace(type=type_, bootid=bootid)
    return cast("Event", said)


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (None, "first"),
        (last_event(events.GATEWAY_STOPPED, "this"), "command"),
        (last_event(events.GATEWAY_STOPPED, "another"), "command"),
        (last_event(events.ALARM_RAISED, "this"), "crash"),
        (last_event(events.GATEWAY_STARTED, "this"), "crash"),
        (last_event(events.ALARM_RAISED, "another"), "power"),
    ],
)
def test_the_start_has_its_reason(last: Event | None, reason: str) -> None:
    """Without it the district could not tell a power cut from a crash or a technician."""
    assert standing.start_reason(last, "this") == reason


@pytest.mark.parametrize(
    ("bootid", "said", "reason"),
    [
        ("this", {"hung": True}, "watchdog"),
        ("this", {"card_reset": True}, "crash"),
        ("another", {"card_reset": True}, "watchdog"),
        ("another", {"hung": True}, "power"),
    ],
)
def test_a_watchdog_is_told_from_a_crash(bootid: str, said: dict[str, bool], reason: str) -> None:
    """A machine that hangs and one that loses its power are mended by different people."""
    last = last_event(events.ALARM_RAISED, bootid)
    assert standing.start_reason(last, "this", **said) == reason


@pytest.mark.parametrize(
    ("result", "box", "hung"),
    [
        ("watchdog\n", "", True),  # stopped, or it hung so that it could not write
        ("watchdog\n", "it was here", True),
        ("signal\n", "it was here", False),  # C code gave up
        ("signal\n", "", False),
        ("exit-code\n", "", False),
        ("success\n", "", False),
        (None, "it was here", True),  # without systemd the box is all that there is
        (None, "", False),
        ("", "it was here", True),
        ("\xff" * 5000, "", False),
    ],
)
def test_a_hang_is_known_by_systemds_word(
    tmp_path: Path, result: str | None, box: str, hung: bool
) -> None:
    """Without it a process that is stopped, and so hears no signal, would pass for a crash."""
    (tmp_path / ending.BOX).write_text(box)
    if result is not None:
        (tmp_path / ending.RESULT).write_text(result, encoding="latin-1")
    with ending.watched(tmp_path) as said:
        assert said is hung
    with ending.watched(tmp_path) as said:
        assert not said, "told once"


@pytest.mark.parametrize("name", [ending.BOX, ending.RESULT])
def test_what_cannot_be_read_of_the_end_before_hinders_no_start(tmp_path: Path, name: str) -> None:
    """Without it a folder in the way would keep the alarm down."""
    (tmp_path / name).mkdir()
    with ending.watched(tmp_path) as said:
        assert not said


@pytest.mark.parametrize(("status", "reset"), [("0", False), ("32", True), ("0x20", True)])
def test_the_hardware_watchdog_is_asked(tmp_path: Path, status: str, reset: bool) -> None:
    """Only its own word counts; a machine without one says nothing."""
    assert not machine.card_reset(tmp_path)
    folder = tmp_path / "sys/class/watchdog/watchdog0"
    folder.mkdir(parents=True)
    (folder / "bootstatus").write_text(status, encoding="ascii")
    assert machine.card_reset(tmp_path) is reset


ROW = StandingAlarm("a1", "gate", Mode.REAL, raised_unix_ns=970 * S, sent=True)


def test_an_alarm_keeps_its_age_over_a_restart() -> None:
    """Without it an alarm nobody got would be "sent" anew after each restart."""
    found = standing.by_button(Opening("s", 2, alarms=(ROW,)), BOOTED, receipts=True)
    (alarm,) = found["gate"].alarms
    assert alarm.raised_ns == BOOTED.monotonic_ns - 30 * S
    assert (alarm.id, alarm.stored, alarm.sent, alarm.received) == ("a1", True, True, False)
    assert found["gate"].unreleased == ("a1", Mode.REAL)


def test_without_receipts_nothing_is_received_after_a_restart() -> None:
    """Without it the lamp would say that the district has what only a broker took."""
    row = replace(ROW, received=True)
    (alarm,) = standing.by_button(Opening("s", 2, alarms=(row,)), BOOTED, receipts=False)[
        "gate"
    ].alarms
    assert (alarm.sent, alarm.received) == (True, False)


def test_an_alarm_from_the_future_is_new() -> None:
    """Without it an unset clock after a power cut would give an alarm an age below zero."""
    row = replace(ROW, raised_unix_ns=9_000_000_000 * S)
    (alarm,) = standing.by_button(Opening("s", 2, alarms=(row,)), BOOTED, receipts=True)[
        "gate"
    ].alarms
    assert alarm.raised_ns == BOOTED.monotonic_ns


def test_only_open_alarms_stand_and_the_newest_tells_the_contact() -> None:
    """Without it a reset alarm would light the lamp again, or a released contact raise none."""
    rows = (
        replace(ROW, id="old", reset=True, released=True),
        replace(ROW, id="acked", acknowledged=True, received=True, released=False),
        replace(ROW, id="last", mode=Mode.DRILL, reset=True, released=True),
        replace(ROW, id="other", button="office", released=True),
    )
    opening = Opening("s", 2, alarms=rows, faults=(Fault("button/gate", "open", "line"),))
    found = standing.by_button(opening, BOOTED, receipts=True)
    assert [alarm.id for alarm in found["gate"].alarms] == ["acked"]
    assert found["gate"].alarms[0].acknowledged
    assert found["gate"].unreleased is None
    assert found["gate"].last_alarm == "last"
    assert found["gate"].faults == {"open"}
    assert [alarm.id for alarm in found["office"].alarms] == ["other"]
    assert found["office"].faults == frozenset()


def test_a_button_with_a_fault_and_no_alarm_stands_too() -> None:
    """Without it a wire cut before the restart and mended since would be cut for ever."""
    opening = Opening(
        "s", 2, faults=(Fault("button/gate", "open", "line"), Fault("gateway", "mains", "power"))
    )
    found = standing.by_button(opening, BOOTED, receipts=True)
    assert found.keys() == {"gate"}
    assert found["gate"].faults == {"open"}
    assert found["gate"].last_alarm is None


def test_faults_of_what_was_taken_out_are_found(tmp_path: Path) -> None:
    """Without it a button taken out with a cut wire would show all others as not ready."""
    faults = [
        Fault("button/gate", "open", "line"),
        Fault("button/gone", "open", "line"),
        Fault("camera/gate", "dark", "camera"),
        Fault("camera/gone", "dark", "camera"),
        Fault("gateway", "clock", "gateway"),
    ]
    conf = loaded(tmp_path).config
    assert [fault.subject for fault in standing.taken_out(faults, conf)] == [
        "button/gone",
        "camera/gone",
    ]


def test_every_pin_of_the_configuration_is_opened_once(tmp_path: Path) -> None:
    """Without it a pin would be configured and never heard, or lit."""
    text = SCHOOL.replace("tamper = 12", "tamper = 12\nmains = 16")
    conf = loaded(tmp_path, text).config
    assert input_pins(conf) == [17, 27, 24, 13, 12, 16]
    assert output_pins(conf) == [22, 5, 6, 23, 26]
