"""One picture: what each metric says of each kind of view, on both sides of its threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.picture import HEIGHT, WIDTH, Reference, change, measure, still
from video.scenes import Scene, blurred, dice, shot, tone

SCENES = [Scene(seed) for seed in range(1, 5)]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"scene{scene.seed}")
@pytest.mark.parametrize("noise", [0.5, 2.0, 8.0])
@pytest.mark.parametrize("infrared", [False, True], ids=["day", "night"])
def test_a_view_is_usable(scene: Scene, noise: float, infrared: bool) -> None:
    """A camera that is well must not be called blind, by day or by night, whatever its noise."""
    metrics = measure(shot(scene.seen(infrared=infrared), dice(), noise=noise))
    assert metrics.usable


@pytest.mark.parametrize(
    ("value", "noise", "black", "flat"),
    [
        (0, 0.5, True, True),
        (6, 0.8, True, True),
        (6, 3.0, False, False),
        (9, 0.8, False, True),
        (90, 0.7, False, True),
        (250, 0.7, False, True),
    ],
)
def test_one_tone(value: float, noise: float, black: bool, flat: bool) -> None:
    """Black is told from covered by its light, and both from noise that may be a night."""
    metrics = measure(shot(tone(value), dice(), noise=noise))
    assert (metrics.black, metrics.flat) == (black, flat)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"scene{scene.seed}")
def test_out_of_focus(scene: Scene) -> None:
    """A lens out of focus shows the same areas without edges; a hand before it does not."""
    usual = measure(shot(scene.seen(), dice()))
    for size in (7, 15):
        metrics = measure(shot(blurred(scene.seen(), size), dice(), noise=0.7))
        assert metrics.unfocused(usual.sharpness)
        assert metrics.shows_the_view(usual)
        assert metrics.shows_the_view(None)
    other = measure(shot(blurred(Scene(99).seen(), 15), dice(), noise=0.7))
    assert not other.shows_the_view(usual)
    slope = tone(60) + np.linspace(0, 90, WIDTH)
    hand = measure(shot(slope, dice(), noise=0.7))
    assert hand.unusable
    assert not hand.flat
    assert not hand.shows_the_view(usual)
    assert not measure(shot(tone(60) + np.linspace(0, 20, WIDTH), dice())).shows_the_view(None)


def test_noise_is_not_focus() -> None:
    """The usual picture must not be called out of focus for a little less noise."""
    usual = measure(shot(SCENES[0].seen(), dice(), noise=4))
    assert not measure(shot(SCENES[0].seen(), dice(), noise=0.5)).unfocused(usual.sharpness)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"scene{scene.seed}")
def test_a_reference_knows_its_place(scene: Scene) -> None:
    """Light, noise and people must not look like a camera that was moved."""
    reference = Reference.of(shot(scene.seen(), dice()))
    assert reference.shift(reference.picture).peak == pytest.approx(1, abs=0.02)
    light = scene.seen()
    light[60:140, 40:200] = 128
    for picture in (
        shot(scene.seen(), dice(5), noise=12),
        shot(scene.seen(), dice(6), gain=0.4),
        shot(light, dice(7)),
    ):
        shift = reference.shift(picture)
        assert shift.in_place
        assert not shift.moved


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: f"scene{scene.seed}")
@pytest.mark.parametrize(
    ("right", "down", "turned"), [(14, 0, 0), (-30, 10, 0), (0, -25, 0), (0, 0, 9), (20, 5, -12)]
)
def test_moved(scene: Scene, right: int, down: int, turned: float) -> None:
    """A camera that was pushed aside or turned watches the wrong place."""
    reference = Reference.of(shot(scene.seen(), dice()))
    shift = reference.shift(shot(scene.seen(right=right, down=down, turned=turned), dice(2)))
    assert shift.moved
    if not turned:
        assert shift.pixels == pytest.approx(np.hypot(right, down), abs=1)


def test_a_little_wind_is_not_moved() -> None:
    """A mast sways by some pixels; the threshold is 10."""
    reference = Reference.of(shot(SCENES[0].seen(), dice()))
    assert not reference.shift(shot(SCENES[0].seen(right=6, down=-4), dice(2))).moved


def test_another_place_is_moved() -> None:
    """A camera put up elsewhere shows nothing of its reference."""
    reference = Reference.of(shot(SCENES[0].seen(), dice()))
    assert reference.shift(shot(SCENES[1].seen(), dice(2))).moved


def test_still_needs_both() -> None:
    """Few bytes alone are a quiet night, little change alone is a camera that filters its noise."""
    picture = shot(SCENES[0].seen(), dice())
    again = shot(SCENES[0].seen(), dice(2))
    assert change(picture, picture) == 0
    assert change(picture, again) > 0.35
    assert still(1_000, 50_000, change(picture, picture))
    assert not still(1_000, 50_000, change(picture, again))
    assert not still(30_000, 50_000, change(picture, picture))


@given(st.integers(0, 2**32 - 1), st.integers(0, 255), st.integers(0, 255))
def test_no_picture_breaks_a_metric(seed: int, least: int, most: int) -> None:
    """A camera may send anything; a number that is none would hold the verdict for ever."""
    least, most = sorted((least, most))
    picture = dice(seed).integers(least, most + 1, (HEIGHT, WIDTH)).astype(np.uint8)
    metrics = measure(picture)
    shift = Reference.of(picture).shift(np.roll(picture, 20, axis=1))
    numbers = (metrics.mean, metrics.spread, metrics.sharpness, shift.peak, shift.pixels)
    assert np.isfinite(numbers).all()
    assert metrics.shows_the_view(metrics) in {True, False}
