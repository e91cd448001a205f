"""The watch with a real eye, on the stand-in for picamera2: what is joined by names must fit."""

import subprocess
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock
from gatehouse.video.verdict import LINK
from gatehouse.video_service.parts import eye_of
from gatehouse_sim.csi import STAND_IN, VARIABLE, Manners, behave
from video_service.watch_rig import camera, watching


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Make a film of two seconds, one keyframe a second."""
    path = tmp_path / "film.mp4"
    made = "testsrc2=size=640x360:rate=25:duration=2"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", made, *coded, path], check=True)
    return path


async def test_a_camera_of_this_pi(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its child must find the camera, be understood, and leave a recording behind."""
    behave(tmp_path / "csi.json", Manners(str(film)))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "csi.json"))
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    folder = tmp_path / "recordings"
    cameras = [camera(source="picamera2:0", recordings=folder)]
    async with watching(cameras, tmp_path, SystemClock("boot"), eye=eye_of) as rig:
        await rig.until(lambda: rig.shown()["records"])
        await rig.until(lambda: set(LINK).isdisjoint(rig.row().unknown))
        assert rig.row().stands == ()
        shown = rig.shown()
        assert (shown["width"], shown["height"]) == (1920, 1080)
        assert shown["last_frame"] is not None
    assert len(list(folder.glob("*/*.mp4"))) == 1


async def test_a_camera_that_is_not_there(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loose ribbon cable must be told in the words of the library."""
    behave(tmp_path / "csi.json", Manners(str(film), present=False))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "csi.json"))
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    cameras = [camera(source="picamera2:0", record=False)]
    async with watching(cameras, tmp_path, SystemClock("boot"), eye=eye_of) as rig:
        await rig.until(lambda: rig.stands() == ["unreachable"])
        assert "No camera number 0" in rig.shown()["text"]
