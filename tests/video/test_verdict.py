"""One camera over time: a fault begins once and ends once, a camera that is well has none."""

import pytest

from gatehouse.video.baseline import Baseline, Light
from gatehouse.video.eye_messages import Opened
from gatehouse.video.verdict import Change, Health
from video.camera_rig import FAULTS, FULL, SCENE, Camera, learnt_camera
from video.scenes import DAY_BYTES, NIGHT_BYTES, hour, key, shot

WITHIN = 5


@pytest.fixture
def camera() -> Camera:
    """Have a camera that knows its view by day."""
    return learnt_camera()


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_begins_and_ends_once(camera: Camera, name: str) -> None:
    """A fault found late leaves a gate unwatched; one told twice or never ended is not believed."""
    word, show = FAULTS[name]
    begun = [change for _ in range(WITHIN) for change in show(camera)]
    assert [(each.fault, each.began) for each in begun] == [(word, True)]
    assert camera.health.verdict == word
    assert [change for _ in range(100) for change in show(camera)] == []
    ended = camera.well(WITHIN)
    assert [(each.fault, each.began) for each in ended] == [(word, False)]
    assert camera.health.verdict == "ok"
    assert camera.well(50) == []


@pytest.mark.parametrize("name", FAULTS)
def test_two_pictures_make_no_fault(camera: Camera, name: str) -> None:
    """A bird, a car's headlights or a torn frame are no fault of the camera."""
    _, show = FAULTS[name]
    for _ in range(10):
        assert show(camera) + show(camera) + camera.well(1) == []


@pytest.mark.parametrize("name", [n for n, (word, _) in FAULTS.items() if word != "frozen"])
def test_ends_that_are_none(camera: Camera, name: str) -> None:
    """A glimpse between the fingers does not mean that the hand is gone."""
    _, show = FAULTS[name]
    assert len([change for _ in range(WITHIN) for change in show(camera)]) == 1
    for _ in range(10):
        assert camera.well(3) + show(camera) == []


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in range(2, 12))]
)
def test_an_hour_without_a_fault(seed: int) -> None:
    """A false fault is ignored once, and then so is the true one."""
    health = Health(Baseline(), lines=1080)
    health.hear(FULL)
    changes: list[tuple[int, Change]] = []
    for number, each in enumerate(hour(seed)):
        changes += [(number, change) for change in health.hear(each)]
    assert changes == []
    assert set(health.baseline.learnt) == {Light.DAY, Light.NIGHT}


def test_night_is_judged_by_night() -> None:
    """Infrared shows another picture: judged by the day's, every dusk would be a fault."""
    camera = Camera()
    assert camera.well(20) + camera.night(30) + camera.well(20) + camera.night(20) == []
    moved = [
        change
        for _ in range(WITHIN)
        for change in camera.show(
            shot(SCENE.seen(infrared=True, right=25), camera.chance), colour=0.5
        )
    ]
    assert [each.fault for each in moved] == ["moved"]


def test_moved_only_beside_a_reference() -> None:
    """A camera that was never seen in its place cannot have left it."""
    camera = Camera()
    for right in (0, 30, -30, 10) * 3:
        assert camera.show(shot(SCENE.seen(right=right), camera.chance)) == []


def test_nothing_is_learnt_while_a_fault_stands(camera: Camera) -> None:
    """By night a camera that was moved by day must not come to seem in its place."""
    _, push = FAULTS["pushed"]
    assert [each.fault for _ in range(WITHIN) for each in push(camera)] == ["moved"]
    for _ in range(40):
        picture = shot(SCENE.seen(infrared=True, right=25, down=6), camera.chance)
        assert camera.show(picture, p_bytes=NIGHT_BYTES, colour=0.5) == []
    assert camera.health.baseline.learnt == (Light.DAY,)
    assert camera.health.verdict == "moved"


def test_relearn(camera: Camera) -> None:
    """After a camera was moved on purpose its fault must end, and its new place be watched."""
    _, push = FAULTS["pushed"]
    assert [each.fault for _ in range(WITHIN) for each in push(camera)] == ["moved"]
    assert [(c.fault, c.began) for c in camera.health.relearn()] == [("moved", False)]
    assert [change for _ in range(30) for change in push(camera)] == []
    assert camera.health.baseline.learnt == (Light.DAY,)
    assert [each.fault for each in camera.well(WITHIN)] == ["moved"]


@pytest.mark.parametrize(
    ("lines", "size", "low"),
    [
        (1080, (1920, 1080), False),
        (1080, (1080, 1920), False),
        (1080, (1280, 720), True),
        (720, (1280, 720), False),
        (720, (704, 576), True),
        (480, (704, 576), False),
    ],
)
def test_low_resolution(lines: int, size: tuple[int, int], low: bool) -> None:
    """A face is not known again in 704 x 576; how many lines are needed the owner says."""
    health = Health(Baseline(), lines=lines)
    health.hear(Opened(*size, "h264"))
    camera = Camera()
    found = [c for n in range(WITHIN) for c in health.hear(key(n, camera.picture()))]
    assert [each.fault for each in found] == ["low-resolution"] * low
    if low:
        assert found[0].data == {"width": size[0], "height": size[1], "required": lines}
        health.hear(Opened(lines * 2, lines, "h264"))
        ended = [c for n in range(WITHIN) for c in health.hear(key(n, camera.picture()))]
        assert [(each.fault, each.began) for each in ended] == [("low-resolution", False)]


def test_a_quiet_scene_is_not_frozen(camera: Camera) -> None:
    """An empty yard costs few bytes, but a sensor has noise; else the bytes are as usual."""
    for _ in range(20):
        assert camera.show(camera.picture(), p_bytes=900) == []
    still = Camera()
    picture = still.picture()
    for _ in range(60):
        assert still.show(picture, p_bytes=DAY_BYTES) == []
