"""What was shown not to stand: only that may be told as ended."""

import pytest

from gatehouse.video.baseline import Baseline
from gatehouse.video.eye_messages import Failed, Opened
from gatehouse.video.in_a_row import END
from gatehouse.video.verdict import LINK, PICTURE
from video.camera_rig import FAULTS, Camera, learnt_camera

LEARNT = {"frozen", "blurred", "moved"}


def well(camera: Camera) -> set[str]:
    """Return what is known to be well."""
    return set(camera.health.well)


def test_nothing_is_well_before_it_was_seen() -> None:
    """A service that was just started would else end every fault that stands."""
    camera = Camera()
    assert well(camera) == set()
    camera.well(2)
    assert well(camera) == set()
    camera.well(1)
    assert well(camera) == set(LINK)
    camera.well(1)
    assert well(camera) == {*LINK, "dark", "covered", "low-resolution"}


def test_what_takes_learning_is_well_when_it_was_learnt_and_judged() -> None:
    """Beside no reference nobody knows whether a camera was moved, or always was so soft."""
    camera = learnt_camera()
    assert "moved" not in well(Camera(Baseline.from_bytes(camera.health.baseline.to_bytes())))
    camera.well(END)
    assert well(camera) == {*LINK, *PICTURE}
    again = Camera(Baseline.from_bytes(camera.health.baseline.to_bytes()))
    again.well(END + 1)
    assert well(again) == {*LINK, *PICTURE}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_begins_is_not_well_until_it_has_ended(name: str) -> None:
    """What both stands and is well would be told as both."""
    word, show = FAULTS[name]
    camera = learnt_camera()
    camera.well(END)
    assert word in well(camera)
    for _ in range(2):
        show(camera)
    assert word in well(camera)  # a bird is no fault
    for _ in range(3):
        show(camera)
    assert word in camera.health.faults
    assert word not in well(camera)
    for _ in range(END):
        assert well(camera).isdisjoint(camera.health.faults)
        camera.well(1)
    camera.well(1)
    assert word in well(camera)


def test_a_hand_before_the_lens_proves_nothing_else() -> None:
    """Whether a covered camera was moved nobody knows, so what was told before must stand."""
    camera = Camera(learnt_camera().health.baseline)
    _, cover = FAULTS["grey cover"]
    for _ in range(20):
        cover(camera)
    assert well(camera) == {*LINK, "dark", "low-resolution"}


def test_one_link_fault_excludes_the_others() -> None:
    """A camera that stalls is not refused: that it was, has ended."""
    camera = Camera()
    camera.health.hear(Failed("stalled"))
    assert well(camera) == set(LINK) - {"stalled"}
    camera.health.hear(Failed("refused"))
    camera.health.hear(Failed("refused"))
    assert well(camera) == set(LINK) - {"refused"}
    camera.well(2)
    assert well(camera) == set(LINK) - {"refused"}
    camera.well(1)
    assert well(camera) == set(LINK)


def test_a_stream_that_ended_once_proves_nothing() -> None:
    """It may be the first of many: nothing is known of the way yet."""
    camera = Camera()
    camera.health.hear(Failed("ended"))
    assert well(camera) == set()


def test_a_small_picture_is_not_well() -> None:
    """A camera set to a low resolution while we were away must not be told as mended."""
    camera = Camera()
    camera.health.hear(Opened(640, 360, "h264"))
    camera.well(3)
    assert "low-resolution" not in {*well(camera), *camera.health.faults}
    camera.well(1)
    assert "low-resolution" in camera.health.faults


def test_what_is_declared_is_known() -> None:
    """The recorder and the camera's clock say it themselves."""
    camera = Camera()
    camera.health.declare("clock-off", False)
    assert well(camera) == {"clock-off"}
    camera.health.declare("clock-off", True)
    assert well(camera) == set()
    camera.health.declare("clock-off", False)
    assert well(camera) == {"clock-off"}


def test_relearn_ends_what_stood_and_knows_nothing_else() -> None:
    """A person says that it is no fault; the rest is judged beside what is learnt now."""
    camera = learnt_camera()
    camera.well(END)
    _, push = FAULTS["pushed"]
    for _ in range(5):
        push(camera)
    camera.health.relearn()
    assert well(camera) & LEARNT == {"moved"}
    for _ in range(25):
        push(camera)
    assert well(camera) == {*LINK, *PICTURE}
