"""What is usual for a camera: learnt, kept over a restart, followed slowly, learnt anew."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.baseline import Baseline, Daylight, Light, keep, load
from gatehouse.video.picture import measure
from video.scenes import Scene, dice, shot

SCENE = Scene(5)


def learnt(*, walkers: bool = False) -> Baseline:
    """Return a baseline that knows its camera by day."""
    baseline, chance = Baseline(), dice(1)
    for number in range(40):
        light = SCENE.seen()
        if walkers:
            left = number * 7 % 280
            light[60:140, left : left + 40] = 30
        picture = shot(light, chance)
        baseline[Light.DAY].learn(picture, measure(picture))
        baseline[Light.DAY].moving(40_000 + number)
    return baseline


def test_passers_by_are_not_learnt() -> None:
    """Who walked by while a camera was learnt must not be missed ever after."""
    baseline = learnt(walkers=True)
    reference = baseline[Light.DAY].reference
    assert reference is not None
    assert np.abs(reference.picture - SCENE.seen().clip(0, 255)).mean() < 1.5


def test_it_is_kept(tmp_path: Path) -> None:
    """After a restart a camera that was moved meanwhile must be found, not learnt."""
    path = tmp_path / "cameras" / "gate.baseline"
    baseline = learnt()
    keep(baseline.to_bytes(), path)
    keep(baseline.to_bytes(), path)
    again = load(path)
    assert again.learnt == (Light.DAY,)
    before, after = baseline[Light.DAY], again[Light.DAY]
    assert before.reference is not None
    assert after.reference is not None
    assert (before.reference.picture == after.reference.picture).all()
    assert (before.sharpness, before.p_bytes) == (after.sharpness, after.p_bytes)
    assert [each.name for each in path.parent.iterdir()] == ["gate.baseline"]


def test_an_empty_one_is_kept(tmp_path: Path) -> None:
    """A service that stops before anything was learnt must start again."""
    keep(Baseline().to_bytes(), tmp_path / "new.baseline")
    assert load(tmp_path / "new.baseline").learnt == ()


def test_a_missing_one_is_learnt_anew(tmp_path: Path) -> None:
    """A new camera has no file."""
    assert load(tmp_path / "none.baseline").learnt == ()


@given(st.data())
def test_a_damaged_one_is_learnt_anew(data: st.DataObject) -> None:
    """A worn card must not keep a camera from being watched."""
    whole = learnt_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    at = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255))
    for damaged in (whole[:cut], whole[:at] + bytes([value]) + whole[at + 1 :]):
        if damaged != whole:
            with pytest.raises(ValueError, match="damaged"):
                Baseline.from_bytes(damaged)


def learnt_bytes(kept: dict[str, bytes] = {}) -> bytes:  # noqa: B006  # made once for all examples
    """Return what is kept of a learnt one."""
    if "day" not in kept:
        kept["day"] = learnt().to_bytes()
    return kept["day"]


def test_the_light_is_followed() -> None:
    """Shadows and seasons change a view in hours; judged by the morning, evening would be moved."""
    baseline, chance = learnt(), dice(3)
    usual = baseline[Light.DAY]
    later = SCENE.seen()
    later[:, 160:] *= 0.5
    for _ in range(400):
        usual.follow(shot(later, chance))
    assert usual.reference is not None
    assert np.abs(usual.reference.picture - later.clip(0, 255)).mean() < 3


def test_forget() -> None:
    """After relearn nothing of the old view may count."""
    baseline = learnt()
    baseline.forget()
    assert baseline.learnt == ()
    assert baseline[Light.DAY].p_bytes is None
    assert baseline.other(Light.NIGHT) is None


def test_the_other_light_helps_out() -> None:
    """In the first night a camera out of focus is still known by its view of the day."""
    baseline = learnt()
    assert baseline.other(Light.NIGHT) is baseline[Light.DAY]
    assert baseline.other(Light.DAY) is baseline[Light.DAY]
    assert baseline.other(None) is baseline[Light.DAY]


@pytest.mark.parametrize(
    ("mean", "colour", "light"),
    [(120, 20, "day"), (120, 0.5, "night"), (30, 20, "night"), (30, None, "night"), (60, 3, "day")],
)
def test_day_or_night_at_first(mean: float, colour: float | None, light: str) -> None:
    """A camera that starts by night is judged by night at once."""
    daylight = Daylight()
    daylight.see(mean, colour)
    assert daylight.light == light
    assert daylight.settled


def test_dusk_does_not_flicker() -> None:
    """Between day and night the baseline must not change with every cloud or headlight."""
    daylight = Daylight()
    daylight.see(120, 20)
    for mean in (55, 65, 51, 69) * 10:
        daylight.see(mean, 10)
        assert daylight.light is Light.DAY
    for _ in range(10):
        daylight.see(40, 10)
        daylight.see(40, 10)
        assert not daylight.settled
        daylight.see(60, 10)
        assert daylight.light is Light.DAY
    for _ in range(3):
        daylight.see(40, 10)
    assert daylight.light is Light.NIGHT
    for mean in (55, 69, 60) * 10:
        daylight.see(mean, 10)
        assert daylight.light is Light.NIGHT


@given(st.lists(st.tuples(st.floats(0, 255), st.none() | st.floats(0, 60)), max_size=60))
def test_the_light_needs_three_in_a_row(seen: list[tuple[float, float | None]]) -> None:
    """Faster changes would compare a night with a day."""
    daylight, since, before = Daylight(), 3, None
    for mean, colour in seen:
        daylight.see(mean, colour)
        since += 1
        if daylight.light is not before:
            assert before is None or since >= 3
            since, before = 0, daylight.light
