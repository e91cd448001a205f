"""Whatever a camera shows: faults come in pairs, and never faster than the rule."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.video.baseline import Baseline
from gatehouse.video.eye_messages import Beat, Failed, Key, Message, Opened
from gatehouse.video.verdict import FAULTS, LINK, Health
from video.scenes import Scene, blurred, dice, key, shot, tone

SCENE = Scene(2)
CHANCE = dice(8)
VIEWS = {
    "normal": shot(SCENE.seen(), CHANCE),
    "night": shot(SCENE.seen(infrared=True), CHANCE),
    "black": shot(tone(1), CHANCE, noise=0.5),
    "covered": shot(tone(90), CHANCE, noise=0.7),
    "blurred": shot(blurred(SCENE.seen(), 9), CHANCE),
    "moved": shot(SCENE.seen(right=30), CHANCE),
    "noise": shot(tone(128), CHANCE, noise=60),
}
keys = st.builds(
    lambda view, p_bytes, colour: key(0, VIEWS[view], p_bytes=p_bytes, colour=colour),
    st.sampled_from(sorted(VIEWS)),
    st.sampled_from([0, 500, 50_000]),
    st.sampled_from([0.5, 20.0, None]),
)
sizes = st.sampled_from([(1920, 1080), (640, 360)])
others = st.one_of(
    st.builds(lambda size: Opened(size[0], size[1], "h264"), sizes),
    st.builds(Failed, st.sampled_from([*LINK, "ended"])),
    st.just(Beat(0, 1)),
)
runs = st.lists(
    st.tuples(st.one_of(keys, keys, keys, others), st.integers(1, 8)), min_size=1, max_size=30
).map(lambda runs: [message for message, times in runs for _ in range(times)])


@settings(max_examples=25, deadline=None)
@given(runs)
def test_faults_come_in_pairs(said: list[Message]) -> None:
    """The district counts on it: begun once, ended once, and never begun again in between."""
    health = Health(Baseline(), lines=1080)
    health.hear(Opened(1920, 1080, "h264"))
    for number in range(18):
        assert health.hear(key(number, shot(SCENE.seen(), CHANCE))) == ()
    standing: set[str] = set()
    turns: dict[str, list[int]] = {fault: [] for fault in FAULTS}
    seen = 0
    for message in said:
        seen += isinstance(message, Key)
        for change in health.hear(message):
            assert change.began != (change.fault in standing)
            standing ^= {change.fault}
            turns[change.fault].append(seen)
        assert set(health.faults) == standing
        assert health.verdict == next((f for f in FAULTS if f in standing), "ok")
    for fault, at in turns.items():
        if fault not in LINK:  # three keyframes at least speak for every turn
            assert all(after - before >= 3 for before, after in pairwise(at))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["unreachable", "refused", "stalled", "ended", "key"]), max_size=80)
)
def test_one_link_fault_at_a_time(said: list[str]) -> None:
    """A camera cannot be both away and refuse us; and only three pictures in a row end it."""
    health = Health(Baseline(), lines=1080)
    picture = key(0, VIEWS["normal"])
    in_a_row = 0
    for word in said:
        in_a_row = in_a_row + 1 if word == "key" else 0
        before = [fault for fault in LINK if fault in health.faults]
        health.hear(picture if word == "key" else Failed(word))
        after = [fault for fault in LINK if fault in health.faults]
        assert len(after) <= 1
        if before and not after:
            assert in_a_row == 3
