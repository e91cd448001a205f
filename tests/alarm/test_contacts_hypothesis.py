"""Whatever the contacts do: each press one alarm, as an independent model counts them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarm.lines import FORM_C, MS, NOW_NS, PATIENT, WIRING, Line, S
from alarm.press_model import Level, Told, presses
from gatehouse.alarm import contacts
from gatehouse.alarm.contacts import FaultBegan, FaultEnded, Pressed, Released, Signal, Wiring

WIRINGS = st.builds(
    Wiring,
    has_loop=st.booleans(),
    latching=st.booleans(),
    filter_ns=st.sampled_from([0, 1, 5, 20, 300]).map(lambda ms: ms * MS),
    debounce_ns=st.sampled_from([0, 1, 50, 400]).map(lambda ms: ms * MS),
    changeover_ns=st.sampled_from([0, 100, 500]).map(lambda ms: ms * MS),
)


@dataclass(frozen=True)
class Move:
    """One edge: so long after the one before, of the loop or not, and how often time passes."""

    after_ns: int
    closed: bool
    loop: bool = False
    looks: int = 0


@st.composite
def moves(draw: st.DrawFn, wiring: Wiring, *, most: int = 40) -> list[Move]:
    """Draw edges with gaps at, just below and just above the times that matter, and any others."""
    edges = [0, wiring.filter_ns, wiring.debounce_ns, wiring.changeover_ns, 60 * S]
    near = sorted({max(0, edge + by) for edge in edges for by in (-1, 0, 1)})
    gaps = st.sampled_from(near) | st.integers(0, 2 * wiring.debounce_ns + 10 * MS)
    move = st.builds(Move, gaps, st.booleans(), st.booleans(), st.integers(0, 3))
    return draw(st.lists(move, max_size=most))


CASES = WIRINGS.flatmap(lambda wiring: st.tuples(st.just(wiring), moves(wiring)))


def played(wiring: Wiring, edges: Sequence[Move], *, look: bool = True) -> list[Signal]:
    """Give the edges to the contacts, open all at the end, and return what was said."""
    line = Line(wiring)
    for edge in edges:
        step_ns, rest_ns = divmod(edge.after_ns, edge.looks + 1)
        for _ in range(edge.looks if look else 0):
            line.wait(step_ns)
        line.now_ns += step_ns + rest_ns if look else edge.after_ns
        line.put(edge.closed, loop=edge.loop)
    line.put(False).put(True, loop=True).wait(200 * S)
    return line.said


def told(said: Iterable[Signal]) -> list[Told]:
    """Pair each alarm with its release; they must alternate."""
    heard = [each for each in said if isinstance(each, Pressed | Released)]
    assert [type(each) for each in heard] == [Pressed, Released] * (len(heard) // 2)
    return [Told(a.at_ns, b.at_ns) for a, b in zip(heard[::2], heard[1::2], strict=True)]


def expected(wiring: Wiring, edges: Sequence[Move]) -> list[Told]:
    """Return what the model makes of the same edges."""
    times = list(accumulate((edge.after_ns for edge in edges), initial=NOW_NS))
    levels = [
        Level(at_ns, edge.closed)
        for at_ns, edge in zip(times[1:], edges, strict=True)
        if not edge.loop
    ]
    return presses(wiring, levels, times[-1])


@settings(PATIENT, max_examples=500)
@given(CASES)
def test_the_contacts_agree_with_the_contract(case: tuple[Wiring, list[Move]]) -> None:
    """The definition of a press in section 2, at whatever times edges come, loop or none."""
    wiring, edges = case
    assert told(played(wiring, edges)) == expected(wiring, edges)


@PATIENT
@given(CASES)
def test_it_does_not_matter_how_often_time_passes(case: tuple[Wiring, list[Move]]) -> None:
    """Other buttons' edges and the second's tick let time pass: they must change nothing."""
    wiring, edges = case
    assert played(wiring, edges) == played(wiring, edges, look=False)


@PATIENT
@given(CASES)
def test_each_fault_begins_and_ends_in_turn(case: tuple[Wiring, list[Move]]) -> None:
    """A fault told twice, or never told to end, stands in the district's list for ever."""
    said = played(*case)
    for fault in ("open", "short", "stuck", "chatter"):
        heard = [
            type(each)
            for each in said
            if isinstance(each, FaultBegan | FaultEnded) and each.fault == fault
        ]
        assert heard == [FaultBegan, FaultEnded] * (len(heard) // 2)
    assert all(a.at_ns <= b.at_ns for a, b in pairwise(said))


@PATIENT
@given(CASES)
def test_no_alarm_from_the_loop_alone(case: tuple[Wiring, list[Move]]) -> None:
    """A cut wire, however it rattles, is never an alarm (issue 2)."""
    wiring, edges = case
    said = played(wiring, [replace(edge, loop=True) for edge in edges])
    assert not [each for each in said if isinstance(each, Pressed | Released)]


@PATIENT
@given(CASES)
def test_a_closed_contact_alarms_whatever_the_loop_says(case: tuple[Wiring, list[Move]]) -> None:
    """No state of the loop, and no fault of it, may disarm the button."""
    wiring, edges = case
    line = Line(wiring)
    for edge in edges:
        line.wait(edge.after_ns).put(edge.closed, loop=True)
    line.put(True).wait(wiring.filter_ns)
    assert [each for each in line.said if isinstance(each, Pressed)] == [Pressed(line.now_ns)]


# presses as hands and wires make them


@st.composite
def hand(draw: st.DrawFn, wiring: Wiring) -> tuple[list[int], int]:
    """Draw open and closed times in turn, beginning with open, and the number of presses."""
    bounce = st.lists(st.integers(1, 2 * MS), max_size=5).map(
        lambda times: times[: len(times) // 2 * 2]
    )
    spike = st.integers(1, wiring.filter_ns - 1) if wiring.filter_ns > 1 else None
    clear = st.integers(wiring.debounce_ns, wiring.debounce_ns + 3 * S)
    close_by = st.integers(1, max(1, wiring.debounce_ns - 1))
    hold = st.integers(max(1, wiring.filter_ns), wiring.filter_ns + 50 * MS) | st.integers(
        max(1, wiring.filter_ns), 10 * S
    )
    times: list[int] = []
    count = draw(st.integers(1, 4))
    for _ in range(count):
        if spike is not None:
            for _ in range(draw(st.integers(0, 2))):
                times += [draw(clear), draw(spike)]
        times.append(draw(clear))
        if spike is not None and wiring.debounce_ns > 1 and draw(st.booleans()):
            times += [draw(spike), draw(close_by)]
        # closed, open, … closed for the whole press, open, closed, …
        times += [*draw(bounce), draw(hold), *draw(bounce)]
        if spike is not None and wiring.debounce_ns > 1 and draw(st.booleans()):
            times += [draw(close_by), draw(spike)]
    return times, count


def bouncing(wiring: Wiring) -> Wiring:
    """Make the debounce time longer than what bounces here."""
    return replace(wiring, debounce_ns=max(wiring.debounce_ns, 3 * MS))


HANDS = WIRINGS.map(bouncing).flatmap(lambda wiring: st.tuples(st.just(wiring), hand(wiring)))


@settings(PATIENT, max_examples=300)
@given(HANDS, st.booleans())
def test_each_press_is_one_alarm(case: tuple[Wiring, tuple[list[int], int]], loop: bool) -> None:
    """Bounce and spikes make no second alarm, and no press hides the next one (issue 2)."""
    wiring, (times, count) = case
    line = Line(wiring)
    closed = False
    for for_ns in times:
        line.wait(for_ns)
        closed = not closed
        line.put(closed)
        if loop:
            line.put(not closed, loop=True)
    line.wait(200 * S)
    assert len(told(line.said)) == count


@PATIENT
@given(
    st.lists(st.tuples(st.integers(5, 10_000), st.integers(50, 5_000)), min_size=1, max_size=8),
    st.lists(st.integers(0, 20_000), max_size=16),
)
def test_no_press_is_lost_or_shortened_when_edges_come_late(
    hands: list[tuple[int, int]], ahead: list[int]
) -> None:
    """The tick and the timers may let time pass beyond edges that are still on their way."""
    line = Line(WIRING).wait(S)
    at_ns = line.now_ns
    ahead = [*ahead, *[0] * 16]
    for hold_ms, gap_ms in hands:
        for closed, for_ms in ((True, hold_ms), (False, gap_ms)):
            line.wait(max(0, at_ns - line.now_ns)).put(closed, at_ns=at_ns)
            line.wait(ahead.pop(0) * MS)
            at_ns += for_ms * MS
    line.wait(300 * S)
    assert len(told(line.said)) == len(hands)


@PATIENT
@given(CASES, st.booleans(), st.booleans(), st.sets(st.sampled_from(["open", "short", "stuck"])))
def test_any_start_is_settled_in_the_end(
    case: tuple[Wiring, list[Move]], closed: bool, stands: bool, faults: set[str]
) -> None:
    """What was carried over a restart ends like all else, and no alarm stays unreleased."""
    wiring, edges = case
    line = Line(wiring).begin(closed=closed, alarm_stands=stands, faults=frozenset(faults))
    for edge in edges:
        line.wait(edge.after_ns).put(edge.closed, loop=edge.loop)
    line.put(False).put(True, loop=True).wait(200 * S)
    heard = [type(each) for each in line.said if isinstance(each, Pressed | Released)]
    whole = [Pressed, *heard] if stands else heard
    assert whole == [Pressed, Released] * (len(whole) // 2)
    begun = sorted(each.fault for each in line.said if isinstance(each, FaultBegan))
    ended = sorted(each.fault for each in line.said if isinstance(each, FaultEnded))
    assert ended == sorted([*begun, *faults])
    assert line.contacts.line is contacts.Line.NORMAL
    assert line.contacts.deadline(wiring) is None


@PATIENT
@given(
    st.lists(
        st.tuples(st.integers(5, 30), st.integers(50, 100) | st.integers(50, 40_000)), max_size=60
    ),
    st.booleans(),
)
def test_chatter_tells_as_many_presses_as_were_made(
    hands: list[tuple[int, int]], looks: bool
) -> None:
    """Counting by the minute must neither lose a press nor count one twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contacts, "CHATTER_PRESSES", 5)
        patch.setattr(contacts, "CALM_PRESSES", 2)
        line = Line(FORM_C)
        for hold_ms, gap_ms in hands:
            line.press(hold_ms * MS, 0)
            if looks:
                line.wait(gap_ms * MS)
            else:
                line.now_ns += gap_ms * MS
        line.wait(200 * S)
    assert sum(each.presses for each in line.said if isinstance(each, Pressed)) == len(hands)
    told(line.said)
    chatter = [type(each) for each in line.said if isinstance(each, FaultBegan | FaultEnded)]
    assert chatter == [FaultBegan, FaultEnded] * (len(chatter) // 2)
    line.take()
    assert line.press().take() == ["pressed", "released"]
