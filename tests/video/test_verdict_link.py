"""The way to one camera, what else is said of it, and what is known at all."""

import pytest

from gatehouse.video.eye_messages import Failed, Key
from video.camera_rig import FAULTS, FULL, Camera, learnt_camera, words

WITHIN = 5


@pytest.fixture
def camera() -> Camera:
    """Have a camera that knows its view by day."""
    return learnt_camera()


@pytest.mark.parametrize("fault", ["unreachable", "refused", "stalled"])
def test_link_faults(camera: Camera, fault: str) -> None:
    """What the eye says of the way to the camera is told at once, and ended by pictures alone."""
    found = camera.health.hear(Failed(fault, "why"))
    assert words(found) == [(fault, True)]
    assert found[0].data == {"text": "why"}
    for _ in range(10):
        assert camera.health.hear(Failed(fault, "why")) == ()
        assert camera.health.hear(FULL) == ()
        assert camera.well(2) == []
    assert camera.health.hear(Failed(fault, "why")) == ()
    assert words(camera.well(3)) == [(fault, False)]


def test_a_stream_that_ends_once(camera: Camera) -> None:
    """A camera that changes its settings ends its stream; only one that stays away is a fault."""
    for _ in range(3):
        assert camera.health.hear(Failed("ended")) == ()
        assert camera.well(5) == []
    assert camera.health.hear(Failed("ended")) == ()
    assert camera.well(1) == []
    assert words(camera.health.hear(Failed("ended"))) == [("unreachable", True)]
    assert words(camera.well(3)) == [("unreachable", False)]
    assert camera.health.hear(Failed("ended")) == ()
    assert words(camera.health.hear(Failed("refused"))) == [("refused", True)]


def test_a_link_fault_keeps_its_name(camera: Camera) -> None:
    """A camera that fails in turn in two ways must not be an event at every attempt."""
    assert words(camera.health.hear(Failed("stalled"))) == [("stalled", True)]
    for _ in range(20):
        assert camera.health.hear(Failed("unreachable")) == ()
        assert camera.health.hear(Failed("stalled")) == ()


def test_a_camera_that_refuses_us_is_believed(camera: Camera) -> None:
    """Refused, the next attempt is a minute away: a second one to be sure would come too late."""
    assert words(camera.health.hear(Failed("stalled"))) == [("stalled", True)]
    assert words(camera.health.hear(Failed("refused"))) == [("stalled", False), ("refused", True)]
    for _ in range(20):
        assert camera.health.hear(Failed("unreachable")) == ()
        assert camera.health.hear(Failed("refused")) == ()


def test_blind_and_away(camera: Camera) -> None:
    """A camera that is covered and then unplugged is still covered when it comes back."""
    _, cover = FAULTS["grey cover"]
    assert words([c for _ in range(WITHIN) for c in cover(camera)]) == [("covered", True)]
    assert words(camera.health.hear(Failed("unreachable"))) == [("unreachable", True)]
    assert list(camera.health.faults) == ["unreachable", "covered"]
    assert words([c for _ in range(3) for c in cover(camera)]) == [("unreachable", False)]
    assert camera.health.verdict == "covered"


def known(camera: Camera) -> bool:
    """Whether enough was seen."""
    return camera.health.known


def test_what_stood_before_the_restart() -> None:
    """A restart of the service must not tell of a hand before the lens that it is gone."""
    camera = Camera(standing=["covered", "unreachable", "nonsense"])
    assert list(camera.health.faults) == ["covered"]
    assert not known(camera)
    _, cover = FAULTS["grey cover"]
    assert [c for _ in range(20) for c in cover(camera)] == []
    assert known(camera)
    assert words(camera.well(WITHIN)) == [("covered", False)]


def test_known_only_when_looked_at() -> None:
    """Right after a start nothing may be said to be well that was not looked at."""
    camera = Camera()
    camera.well(WITHIN)
    assert not known(camera)
    camera.well(1)
    assert known(camera)
    away = Camera()
    away.health.hear(Failed("unreachable"))
    assert known(away)


def test_declared_faults(camera: Camera) -> None:
    """What the recorder and ONVIF find belongs to the same camera, after what explains it."""
    assert words(camera.health.declare("not-recording", True, {"text": "disk"})) == [
        ("not-recording", True)
    ]
    assert camera.health.declare("not-recording", True) == ()
    camera.health.hear(Failed("unreachable"))
    assert list(camera.health.faults) == ["unreachable", "not-recording"]
    assert words(camera.health.declare("not-recording", False)) == [("not-recording", False)]
    assert camera.health.declare("clock-off", False) == ()


def test_the_last_keyframe_is_kept(camera: Camera) -> None:
    """The list of cameras shows when each was seen last."""
    assert isinstance(camera.health.last, Key)
    assert camera.health.opened == FULL
