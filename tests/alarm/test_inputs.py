"""Key, lid and mains: a level counts once it was steady."""

from hypothesis import given
from hypothesis import strategies as st

from alarm.lines import MS, PATIENT
from gatehouse.alarm.inputs import SETTLE_NS, Input, advance, level

OPEN = Input(closed=False, raw=False, since_ns=0)


def test_a_level_counts_after_it_was_steady() -> None:
    """A key that bounces would reset an alarm twice, a lid tell of three openings."""
    state = level(OPEN, closed=True, at_ns=10 * MS)
    assert state.deadline() == 10 * MS + SETTLE_NS
    assert not advance(state, 10 * MS + SETTLE_NS - 1).closed
    assert advance(state, 10 * MS + SETTLE_NS) == Input(True, True, 10 * MS)
    assert advance(state, 10 * MS + SETTLE_NS).deadline() is None


def test_a_spike_on_the_key_is_no_turn() -> None:
    """EMI must not reset an alarm."""
    state = level(level(OPEN, closed=True, at_ns=0), closed=False, at_ns=49 * MS)
    assert (state.deadline(), advance(state, 10_000 * MS).closed) == (None, False)


def test_a_doubled_edge_begins_no_new_wait() -> None:
    """A driver that repeats its edges would keep the lid's opening from being told."""
    state = level(OPEN, closed=True, at_ns=0)
    for at_ns in range(0, 50 * MS, 10 * MS):
        state = level(state, closed=True, at_ns=at_ns)
    assert advance(state, 50 * MS).closed


def test_a_short_turn_counts_although_nobody_looked() -> None:
    """The loop may come to the closing edge only with the opening one."""
    state = level(level(OPEN, closed=True, at_ns=0), closed=False, at_ns=60 * MS)
    assert (state.closed, state.raw) == (True, False)


@PATIENT
@given(st.lists(st.tuples(st.integers(0, 120 * MS), st.booleans(), st.booleans())))
def test_an_input_is_what_stood_for_long_enough(edges: list[tuple[int, bool, bool]]) -> None:
    """However it bounces, and whether or not time was let pass, only steady levels count."""
    state, now_ns = OPEN, 0
    raw, since, steady = False, 0, False
    for after_ns, closed, look in edges:
        if look:
            state = advance(state, now_ns + after_ns // 2)
        now_ns += after_ns
        if now_ns - since >= SETTLE_NS:
            steady = raw
        if closed != raw:
            raw, since = closed, now_ns
        state = level(state, closed=closed, at_ns=now_ns)
        assert state.closed == steady
    assert advance(state, now_ns + SETTLE_NS).closed == raw
