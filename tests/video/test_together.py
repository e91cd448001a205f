"""One cause, one fault: all cameras at once are not twenty faults."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.together import GRACE_NS, HOLD_NS, LOSSES, Judgement, Sight, judge

S = 1_000_000_000


def sights(**faults: tuple[str | None, int]) -> list[Sight]:
    """Return cameras by name, each with its fault and since how many seconds."""
    return [Sight(name, fault, since * S) for name, (fault, since) in faults.items()]


def run(cameras: Collection[Sight], now_s: float, told: Collection[str] = ()) -> Judgement:
    """Judge without a past."""
    return judge(cameras, Judgement(), told, round(now_s * S))


def test_one_loss_is_told_after_the_hold() -> None:
    """A single blind camera must be told, and within 20 s of its last frame."""
    cameras = sights(gate=("stalled", 10), yard=(None, 0))
    early = run(cameras, 12)
    assert early.held == {"gate"}
    assert early.due_ns == 10 * S + HOLD_NS
    assert run(cameras, 18.1) == Judgement()


def test_all_at_once_is_one_fault_of_the_gateway() -> None:
    """A switch without power would else be told as twenty broken cameras."""
    cameras = sights(gate=("stalled", 10), yard=("unreachable", 12), hall=("stalled", 13))
    judged = run(cameras, 13.1)
    assert judged.systemic
    assert judged.held == {"gate", "yard", "hall"}
    later = judge(cameras, judged, (), 100 * S)
    assert later.systemic


LOST = Judgement(systemic=True, held=frozenset({"gate", "yard", "hall"}))


def test_they_come_back_one_by_one() -> None:
    """When a switch has power again, the slower cameras would else be faults for some seconds."""
    cameras = sights(gate=(None, 0), yard=("stalled", 10), hall=("stalled", 11))
    first = judge(cameras, LOST, (), 61 * S)
    assert first == Judgement(
        held=frozenset({"yard", "hall"}), due_ns=61 * S + GRACE_NS, back_ns=61 * S
    )
    cameras = sights(gate=(None, 0), yard=(None, 0), hall=("stalled", 11))
    second = judge(cameras, first, (), 100 * S)
    assert second.held == {"hall"}
    assert second.due_ns == 61 * S + GRACE_NS
    cameras = sights(gate=(None, 0), yard=(None, 0), hall=(None, 0))
    assert judge(cameras, second, (), 110 * S) == Judgement()


def test_one_that_stays_away_is_told() -> None:
    """A camera that stays blind when the switch is back is a fault of its own."""
    cameras = sights(gate=(None, 0), yard=("stalled", 10), hall=("stalled", 11))
    first = judge(cameras, LOST, (), 61 * S)
    assert first.due_ns is not None
    assert judge(cameras, first, (), first.due_ns) == Judgement()


def test_a_loss_within_the_grace_is_its_own() -> None:
    """The grace is for those that were away together: a camera that fails meanwhile is told."""
    cameras = sights(gate=(None, 0), yard=("stalled", 10), hall=(None, 0))
    first = judge(cameras, LOST, (), 61 * S)
    cameras = sights(gate=("stalled", 70), yard=("stalled", 10), hall=(None, 0))
    early = judge(cameras, first, (), 71 * S)
    assert early.held == {"gate", "yard"}
    assert early.due_ns == 70 * S + HOLD_NS
    assert judge(cameras, early, (), 79 * S).held == {"yard"}


def test_a_switch_that_goes_again_is_one_fault_again() -> None:
    """One that loses its power while cameras come back would else be told camera by camera."""
    cameras = sights(gate=(None, 0), yard=("stalled", 10), hall=("stalled", 11))
    first = judge(cameras, LOST, (), 61 * S)
    cameras = sights(gate=("unreachable", 90), yard=("stalled", 10), hall=("stalled", 11))
    again = judge(cameras, first, (), 90 * S)
    assert again.systemic
    assert again.held == {"gate", "yard", "hall"}


def test_losses_of_different_days_are_their_own() -> None:
    """The last of three cameras to fail must not swallow the two that were told before."""
    cameras = sights(gate=("stalled", 10), yard=("stalled", 5000), hall=("stalled", 90_000))
    judged = run(cameras, 90_009, told=("gate", "yard"))
    assert not judged.systemic
    assert judged.held == frozenset()


def test_a_single_camera_is_never_systemic() -> None:
    """A school with one camera must hear of that camera, at once."""
    assert run(sights(gate=("stalled", 10)), 10.5) == Judgement()


def test_other_faults_are_never_held() -> None:
    """A covered lens is nobody else's doing."""
    cameras = sights(gate=("covered", 10), yard=("dark", 10))
    assert run(cameras, 10.1) == Judgement()


states = st.lists(
    st.tuples(st.sampled_from([None, "dark", *sorted(LOSSES)]), st.integers(0, 100)), max_size=6
)


@given(states, st.integers(0, 200), st.none() | st.integers(0, 200), st.booleans())
def test_nothing_is_held_for_ever(
    states: list[tuple[str | None, int]], now: int, back: int | None, systemic: bool
) -> None:
    """A loss is told by itself or as part of one for all, at the latest when the hold is over."""
    cameras = [Sight(str(n), fault, since * S) for n, (fault, since) in enumerate(states)]
    before = Judgement(systemic=systemic, back_ns=None if back is None else min(back, now) * S)
    judged = judge(cameras, before, (), now * S)
    for sight in cameras:
        if sight.name in judged.held and not judged.systemic:
            assert judged.due_ns is not None
            latest = max(sight.since_ns + HOLD_NS, now * S + GRACE_NS)
            assert now * S < judged.due_ns <= latest
        if sight.fault not in LOSSES:
            assert sight.name not in judged.held
