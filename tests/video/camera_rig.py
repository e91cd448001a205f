"""A camera whose pictures are made here, and the faults that it can have."""

from collections.abc import Callable, Iterable

import numpy as np

from gatehouse.video.baseline import Baseline, Light
from gatehouse.video.eye_messages import Opened
from gatehouse.video.picture import Grey
from gatehouse.video.verdict import Change, Health
from video.scenes import DAY_BYTES, NIGHT_BYTES, Scene, blurred, dice, key, shot, tone

SCENE = Scene(3)
FULL = Opened(1920, 1080, "h264")


class Camera:
    """A camera whose pictures are made here, and what is known of its health."""

    def __init__(self, baseline: Baseline | None = None, **told: object) -> None:
        self.health = Health(baseline or Baseline(), lines=1080, **told)  # type: ignore[arg-type]
        self.chance = dice(4)
        self.number = 0
        self.last = self.picture()
        self.health.hear(FULL)

    def picture(self, *, gain: float = 1, infrared: bool = False) -> Grey:
        """Take a picture of what it sees when all is well."""
        return shot(SCENE.seen(infrared=infrared), self.chance, gain=gain)

    def show(self, picture: Grey, *, p_bytes: int = DAY_BYTES, colour: float = 20) -> list[Change]:
        """Let it give one keyframe; return what that changed."""
        self.number += 1
        self.last = picture
        return list(self.health.hear(key(self.number, picture, p_bytes=p_bytes, colour=colour)))

    def well(self, times: int) -> list[Change]:
        """Let it give some keyframes by day, all well."""
        return [each for _ in range(times) for each in self.show(self.picture())]

    def night(self, times: int) -> list[Change]:
        """Let it give some keyframes by night, all well."""
        pictures = (self.picture(infrared=True) for _ in range(times))
        return [e for p in pictures for e in self.show(p, p_bytes=NIGHT_BYTES, colour=0.5)]


def learnt_camera() -> Camera:
    """Have a camera that knows its view by day."""
    camera = Camera()
    assert camera.well(20) == []
    assert camera.health.baseline.learnt == (Light.DAY,)
    return camera


Show = Callable[[Camera], list[Change]]
FAULTS: dict[str, tuple[str, Show]] = {
    "black": ("dark", lambda c: c.show(shot(tone(2), c.chance, noise=0.5), p_bytes=300)),
    "grey cover": ("covered", lambda c: c.show(shot(tone(120), c.chance, noise=0.7), p_bytes=900)),
    "brown hand": ("covered", lambda c: c.show(shot(tone(80), c.chance, noise=0.7), colour=12)),
    "cloth": (
        "covered",
        lambda c: c.show(
            shot(tone(50) + np.linspace(0, 80, 180)[:, None], c.chance, noise=0.6), p_bytes=900
        ),
    ),
    "out of focus": ("blurred", lambda c: c.show(shot(blurred(SCENE.seen(), 5), c.chance))),
    "far out of focus": (
        "blurred",
        lambda c: c.show(shot(blurred(SCENE.seen(), 15), c.chance, noise=0.7)),
    ),
    "pushed": ("moved", lambda c: c.show(shot(SCENE.seen(right=25, down=6), c.chance))),
    "turned": ("moved", lambda c: c.show(shot(SCENE.seen(turned=12), c.chance))),
    "frozen": ("frozen", lambda c: c.show(c.last, p_bytes=600)),
}


def words(changes: Iterable[Change]) -> list[tuple[str, bool]]:
    """Return faults and whether they began."""
    return [(each.fault, each.began) for each in changes]
