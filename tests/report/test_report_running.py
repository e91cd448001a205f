"""When the service ran: nothing is claimed that its log cannot show."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report.ledger import NOON, Ledger, at


def test_a_stop_in_order_is_exact() -> None:
    """An upgrade of a minute would be told as a crash of a day."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.tell(at(1), "gateway.stopped", reason="command")
    ledger.start(at(1, seconds=60), "command")
    uptime = ledger.facts().uptime
    assert uptime.down_least_s == uptime.down_most_s == 60.0
    [start] = uptime.starts
    assert (start.reason, start.down_least_s, start.down_most_s) == ("command", 60.0, 60.0)
    assert uptime.up_least == pytest.approx(1 - 60 / (30 * 86400))


def test_a_press_of_the_farewell_is_no_new_life() -> None:
    """A press within the second after `gateway.stopped` would make the stop a crash."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.tell(at(1), "gateway.stopped", reason="command")
    ledger.press(at(1, seconds=1))
    ledger.start(at(1, seconds=60), "command")
    assert ledger.facts().uptime.down_least_s == 60.0


def test_a_crash_has_bounds() -> None:
    """Nobody knows when a killed service ended: neither nothing nor all of it is true."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.tell(at(2), "clock.corrected", offset_s=0.1)
    ledger.start(at(3), "crash")
    uptime = ledger.facts().uptime
    assert (uptime.down_least_s, uptime.down_most_s) == (0.0, 86400.0)
    assert uptime.up_most == 1.0


def test_a_power_cut_has_the_boot_as_its_least() -> None:
    """The machine was off, and then up for a while: that long nothing watched for certain."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.tell(at(2), "clock.corrected", offset_s=0.1)
    ledger.start(at(3), "power", boot_s=45.0)
    [start] = ledger.facts().uptime.starts
    assert (start.down_least_s, start.down_most_s) == (45.0, 86400.0)


def test_only_what_lies_in_the_span_counts() -> None:
    """A power cut over the end of the month would be counted in both months with all of it."""
    ledger = Ledger()
    ledger.start(at(-2))
    ledger.tell(at(-1), "gateway.stopped", reason="command")
    ledger.start(at(1), "command")
    uptime = ledger.facts().uptime
    assert uptime.down_least_s == uptime.down_most_s == 86400.0
    assert uptime.starts[0].down_most_s == 2 * 86400.0


def test_a_service_that_does_not_run_now() -> None:
    """A report from the file of a dead gateway would say that it runs."""
    ledger = Ledger()
    ledger.start(at(-1))
    ledger.tell(at(20), "clock.corrected", offset_s=0.1)
    uptime = ledger.facts(runs_now=False).uptime
    assert (uptime.down_least_s, uptime.down_most_s) == (0.0, 10 * 86400.0)
    ledger.tell(at(20), "gateway.stopped", reason="command")
    uptime = ledger.facts(runs_now=False).uptime
    assert uptime.down_least_s == uptime.down_most_s == 10 * 86400.0


def test_nothing_is_claimed_of_before_the_log() -> None:
    """A new gateway would have "run" since before it was bought."""
    ledger = Ledger()
    ledger.start(at(20))
    uptime = ledger.facts().uptime
    assert (uptime.span.begin, uptime.up_least) == (at(20), 1.0)
    assert Ledger().facts().uptime.up_least is None


Starts = st.lists(
    st.tuples(st.integers(1, 90_000), st.integers(0, 90_000), st.booleans(), st.integers(0, 900)),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(Starts, st.booleans())
def test_the_bounds_hold_whatever_happened(
    runs: list[tuple[int, int, bool, int]], runs_now: bool
) -> None:
    """Whatever the log, the least is no more than the most, and both fit the time."""
    ledger = Ledger()
    moment = NOON - timedelta(days=1)
    for lasted, gone, in_order, boot in runs:
        ledger.start(moment, "?", boot_s=boot)
        moment += timedelta(seconds=lasted)
        ledger.tell(moment, "gateway.stopped" if in_order else "clock.corrected", offset_s=0)
        moment += timedelta(seconds=gone)
    uptime = ledger.facts(runs_now=runs_now).uptime
    assert 0 <= uptime.down_least_s <= uptime.down_most_s <= uptime.span.seconds + 1e-6
