"""One cause, one fault: all cameras at once are not twenty faults."""

from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.together import HOLD_NS, LOSSES, Judgement, Sight, judge

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


def test_one_that_comes_back_ends_it_and_the_others_are_told() -> None:
    """The cameras that stay blind when the switch is back are faults of their own."""
    before = Judgement(systemic=True, held=frozenset({"gate", "yard"}))
    cameras = sights(gate=(None, 60), yard=("stalled", 10))
    judged = judge(cameras, before, (), 61 * S)
    assert not judged.systemic
    assert "yard" not in judged.held


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


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "dark", *sorted(LOSSES)]), st.integers(0, 100)),
        max_size=6,
    ),
    st.integers(0, 200),
)
def test_nothing_is_held_for_ever(states: list[tuple[str | None, int]], now: int) -> None:
    """A loss is told by itself or as part of one for all, at the latest when the hold is over."""
    cameras = [Sight(str(n), fault, since * S) for n, (fault, since) in enumerate(states)]
    judged = run(cameras, now)
    for sight in cameras:
        if sight.name in judged.held and not judged.systemic:
            assert judged.due_ns is not None
            assert now * S < judged.due_ns <= sight.since_ns + HOLD_NS
        if sight.fault not in LOSSES:
            assert sight.name not in judged.held
