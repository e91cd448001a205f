"""What the inspector is told is what happened: no more, no less, and what is not known as such."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.video_documents import gap, kept
from gatehouse import events
from gatehouse.config.model import Camera
from gatehouse.events import Mode
from gatehouse.report import faulty, log
from gatehouse.report.facts import Lengths
from gatehouse.report.log import entries
from gatehouse.report.span import Span
from report.ledger import DAY, NOON, Ledger, at, school


def test_presses_of_the_span_with_what_came_of_them_after_it() -> None:
    """An alarm of the last evening, reset in the night, would be told as never reset."""
    ledger = Ledger()
    ledger.press(at(-1))
    first = ledger.press(at(1), received_s=0.25, acknowledged_s=31.0, acknowledged_by="王芳")
    second = ledger.press(at(29), pending=True)
    ledger.press(at(30))
    ended: dict[str, Any] = {"alarms": [first, second], "by": "李保安", "reason": "mistake"}
    ledger.tell(at(31), "alarm.reset", "button/gate", **ended)
    facts = ledger.facts(now=at(40))
    assert [press.id for press in facts.presses] == [first, second]
    one, two = facts.presses
    assert (one.button, one.location, one.received_s, one.acknowledged_s) == (
        "gate", "南门", 0.25, 31.0,
    )  # fmt: skip
    assert one.acknowledged_by == "王芳"
    assert one.reset is not None
    assert (one.reset.by, one.reset.reason, one.reset.at) == ("李保安", "mistake", at(31))
    assert (two.waits, two.received_s, two.reset) == (True, None, one.reset)


def test_tests_and_drills_are_no_alarms() -> None:
    """A drill would be counted as an alarm that nobody answered."""
    ledger = Ledger()
    ledger.tell(at(1), "drill.started", mode=Mode.DRILL, buttons=["gate", "office"], seconds=600)
    ledger.press(at(1, minutes=1), mode=Mode.DRILL)
    ended: dict[str, Any] = {"reason": "expired", "not_pressed": ["office"]}
    ledger.tell(at(1, minutes=10), "drill.ended", mode=Mode.DRILL, **ended)
    ledger.press(at(2), mode=Mode.TEST)
    ledger.press(at(3))
    facts = ledger.facts()
    assert [press.at for press in facts.real] == [at(3)]
    assert [press.mode for press in facts.tried] == [Mode.DRILL, Mode.TEST]
    [drill] = facts.drills
    assert (drill.buttons, drill.not_pressed) == (("gate", "office"), ("office",))
    assert (drill.begin, drill.end) == (at(1), at(1, minutes=10))


def test_a_press_before_the_clock_was_set_is_where_it_happened() -> None:
    """After a power cut the press would be told in another year, or in no report at all."""
    ledger = Ledger()
    ledger.start(at(1), "power", boot_s=30.0)
    press = ledger.press(at(1, seconds=60), wrong_s=-9e6)
    ledger.tell(at(1, seconds=90), "clock.corrected", offset_s=9e6)
    facts = ledger.facts()
    [found] = facts.presses
    assert (found.id, found.sure) == (press, True)
    assert abs(found.at - at(1, seconds=60)) < timedelta(milliseconds=1)
    assert [each.offset_s for each in facts.clock] == [9e6]


def test_a_press_that_no_clock_can_place_is_told_and_marked() -> None:
    """A gateway that never finds a time server would hide its alarms."""
    ledger = Ledger()
    ledger.tell(at(5), "gateway.stopped", reason="command")
    ledger.start(at(6), "power", boot_s=30.0)
    ledger.rows.pop()
    ledger.press(at(6), wrong_s=-9e7)
    [found] = ledger.facts().presses
    assert (found.at, found.sure) == (at(5), False)


def test_faults_from_their_beginning_to_their_end() -> None:
    """How long a fault stood is what the inspector came for."""
    ledger = Ledger()
    ledger.tell(at(-2), "camera.fault", "camera/a", fault="dark")
    ledger.tell(at(1), "camera.restored", "camera/a", fault="dark")
    ledger.tell(at(1.5), "line.fault", "button/gate", fault="open")
    ledger.tell(at(2), "tamper.opened", fault="tamper")
    ledger.tell(at(2, hours=1), "tamper.closed", fault="tamper")
    ledger.tell(at(3), "retention.forecast", "camera/a", fault="forecast")
    ledger.tell(at(4), "power.restored", fault="mains")
    ledger.tell(at(-3), "gateway.fault", fault="offline")
    ledger.tell(at(-3, hours=1), "gateway.restored", fault="offline")
    facts = ledger.facts(now=at(60), end=at(30))
    assert [(each.fault, each.begin, each.end) for each in facts.faults] == [
        ("dark", at(-2), at(1)),
        ("mains", None, at(4)),
        ("open", at(1.5), None),
        ("tamper", at(2), at(2, hours=1)),
        ("forecast", at(3), None),
    ]
    assert [each.seconds(at(60)) for each in facts.faults][:4] == [
        3 * 86400.0, None, 58.5 * 86400.0, 3600.0,
    ]  # fmt: skip
    closed = facts.closed
    assert (closed.opened, closed.closed, closed.in_time, closed.too_late) == (3, 1, 1, 2)
    assert closed.share == pytest.approx(1 / 3)


def test_a_fault_of_this_morning_is_neither_in_time_nor_too_late() -> None:
    """The share would be worse in the morning than in the evening."""
    ledger = Ledger()
    ledger.tell(at(1), "gateway.fault", fault="offline")
    facts = ledger.facts(now=at(1, hours=5))
    assert (facts.closed.opened, facts.closed.share) == (1, None)
    later = ledger.facts(now=at(2, hours=5))
    assert later.closed.share == 0.0


Steps = st.lists(
    st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(0, 100_000)), max_size=30
)


@settings(max_examples=200, deadline=None)
@given(Steps, st.integers(-100_000, 3_100_000), st.integers(1, 1_000_000))
def test_faults_of_any_log(steps: list[tuple[str, bool, int]], begin: int, long: int) -> None:
    """Whatever the log, no fault is told twice at once, none ends before it begins."""
    ledger = Ledger()
    moment = NOON
    for name, begins, seconds in steps:
        moment += timedelta(seconds=seconds)
        ledger.tell(moment, f"gateway.{'fault' if begins else 'restored'}", fault=name)
    span = Span(NOON + timedelta(seconds=begin), NOON + timedelta(seconds=begin + long))
    found = faulty.faults(entries(ledger.rows), span)
    for each in found:
        assert each.end is None or each.begin is None or each.begin <= each.end
        assert each.begin is None or each.begin < span.end
        assert each.end is None or each.end >= span.begin
    for name in "ab":
        mine = [each for each in found if each.fault == name]
        assert sum(1 for each in mine if each.end is None) <= 1
    closed = faulty.closed(found, span, moment)
    assert 0 <= closed.in_time + closed.too_late <= closed.opened <= len(found)
    assert closed.closed <= closed.opened


def test_tests_tell_what_was_not_well() -> None:
    """A walk test with a dead button would look like any other."""
    ledger = Ledger()
    buttons = [{"name": "gate", "result": "OK"}, {"name": "hall", "result": "NOT WALKED"}, 7]
    ledger.tell(at(1), "walktest.report", buttons=buttons, by="陈工")
    checks = [{"name": "clock", "result": "OK"}, {"name": "heat", "result": "SKIP"}]
    ledger.tell(at(2), "selftest.report", result="OK", checks=checks)
    ledger.tell(at(3), "walktest.report", buttons=None)
    walk, self_test, odd = ledger.facts().tests
    assert (walk.kind, walk.result, walk.count, walk.by) == ("walktest", "NOT WALKED", 3, "陈工")
    assert walk.not_ok == (("hall", "NOT WALKED"), ("?", "?"))
    assert (self_test.result, self_test.not_ok, self_test.by) == ("OK", (), None)
    assert (odd.result, odd.count) == ("?", 0)


def test_gaps_are_those_of_the_span() -> None:
    """A gap of last year would be told in each report, and one at the edge with all its length."""
    camera = kept(
        "gate", 93.2, area="critical", required_days=90,
        gaps=[
            gap("2026-11-02T08:00:00Z", "2026-11-02T09:00:00Z", 3600),
            gap("2026-11-01T11:00:00Z", "2026-11-01T12:10:00Z", 4200),
            gap("2026-10-01T11:00:00Z", "2026-10-01T12:10:00Z", 4200),
            gap("?", "?", 0),
        ],
        short_gaps=[{"day": "2026-11-02", "seconds": 45.0}, {"day": "2026-09-01", "seconds": 9}],
    )  # fmt: skip
    [found] = Ledger().facts(recordings={"cameras": [camera]}).recordings or ()
    assert (found.required_days, found.proven_days, found.verdict) == (90, 93.2, "ok")
    assert [each.seconds for each in found.gaps] == [3600.0, 600.0]
    assert found.missing_s == 4245.0


@pytest.mark.parametrize("key", list(kept("gate", 1.0)))
@pytest.mark.parametrize("value", [None, [], 7, "x", [7], {}])
def test_recordings_of_another_version_are_no_crash(key: str, value: object) -> None:
    """An upgrade of one service would leave the inspector with a traceback."""
    odd = {"cameras": [{**kept("gate", 1.0), key: value}, {}, 7]}
    assert len(Ledger().facts(recordings=odd).recordings or ()) == 2


def test_places_without_a_camera_that_sees() -> None:
    """A covered lens at the canteen would not be on the page."""
    cameras = (
        Camera("a", "rtsp://a", "general", covers=("校门", "操场")),
        Camera("b", "rtsp://b", "general", covers=("操场",)),
    )
    conf = school(*cameras)
    known = Ledger().facts(conf=conf, cameras={"uncovered": ["校门"]}).places
    assert [(p.name, p.cameras, p.covered) for p in known] == [
        ("校门", ("a",), False),
        ("操场", ("a", "b"), True),
    ]
    unknown = Ledger().facts(conf=conf, silence="no answer").places
    assert [place.covered for place in unknown] == [None, None]


def test_lengths_count_what_is_known() -> None:
    """Alarms that never arrived would make the median better."""
    assert Lengths.of([None, 3.0, 1.0, 10.0]) == Lengths(3, 3.0, 10.0)
    assert Lengths.of([None]) == Lengths(0, None, None)


def test_what_the_log_cannot_know_is_told() -> None:
    """A report of last year would say "no alarm" where nobody knows."""
    assert Ledger().facts().begins_before_the_log
    ledger = Ledger()
    ledger.tell(at(3), "clock.corrected", offset_s=1)
    assert ledger.facts().log_since == at(3)
    assert ledger.facts().begins_before_the_log
    assert not ledger.facts(begin=at(3)).begins_before_the_log


def test_rows_that_are_no_events_are_left_out() -> None:
    """One bad row would cost the whole report."""
    ledger = Ledger()
    ledger.press(at(1))
    body = events.encode(ledger.rows[0])
    assert log.row(body) is not None
    for bad in (b"", b"{}", b"\xff", body.replace(b"2026-", b"xxxx-"), body.replace(b".", b"")):
        assert log.row(bad) is None
    assert log.row_of({"id": 1}) is None


def test_a_span_ends_now() -> None:
    """A report of the running month would count days that have not been."""
    ledger = Ledger()
    ledger.start(at(-1))
    facts = ledger.facts(now=NOON + 2 * DAY)
    assert facts.span == Span(NOON, NOON + 2 * DAY)
    assert facts.uptime.up_least == 1.0
