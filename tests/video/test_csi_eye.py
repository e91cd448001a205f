"""The child for CSI cameras, on the stand-in for picamera2 with its bad habits."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from gatehouse.video import eye_messages as say
from gatehouse_sim.csi import STAND_IN, VARIABLE, Manners, behave


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film of two seconds, one keyframe a second."""
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    made = "testsrc2=size=640x360:rate=25:duration=2"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", made, *coded, path], check=True)
    return path


@dataclass
class Child:
    """A looking child, and what it has said."""

    process: subprocess.Popen[bytes]
    heard: list[say.Message] = field(default_factory=list)
    _decoder: say.Decoder = field(default_factory=say.Decoder)

    def hear(self, kind: type[say.Message], count: int = 1) -> say.Message:
        """Read until so many messages of a kind were said; return the last."""
        assert self.process.stdout is not None
        while sum(isinstance(message, kind) for message in self.heard) < count:
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, f"it ended after {[type(m).__name__ for m in self.heard]}"
            self.heard += self._decoder.feed(data)
        return [message for message in self.heard if isinstance(message, kind)][-1]

    def order(self, **what: object) -> None:
        """Say something on its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()


@contextmanager
def looking(manners: Path, *argv: str, number: int = 0) -> Iterator[Child]:
    """Start a child on the camera whose manners are in that file."""
    command = [sys.executable, "-m", "gatehouse.video.csi_eye", str(number), *argv]
    environ = os.environ | {VARIABLE: str(manners), "PYTHONPATH": str(STAND_IN)}
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Child(process)
        finally:
            process.kill()


@pytest.fixture
def manners(tmp_path: Path, film: Path) -> Path:
    """Return the file that says how the camera behaves; well, at first."""
    path = tmp_path / "csi.json"
    behave(path, Manners(str(film)))
    return path


def test_it_says_what_it_sees(manners: Path) -> None:
    """The parent knows a camera by these messages alone."""
    with looking(manners) as child:
        opened = child.hear(say.Opened)
        key = child.hear(say.Key, 3)
    assert (opened.width, opened.height, opened.codec) == (1920, 1080, "h264")  # type: ignore[union-attr]
    assert isinstance(key, say.Key)
    assert len(key.grey) == say.GREY_BYTES
    assert len(set(key.grey)) > 10
    assert key.frames == 25
    assert key.p_bytes > 0


def test_a_loose_cable_is_found_though_nothing_raises(manners: Path, film: Path) -> None:
    """picamera2 hangs for ever there; a child that hangs with it would look like a quiet night."""
    with looking(manners) as child:
        child.hear(say.Key)
        behave(manners, Manners(str(film), loose=True))
        failed = child.hear(say.Failed)
        assert isinstance(failed, say.Failed)
        assert failed.fault == say.STALLED
        assert "cable" in failed.text
        assert child.process.wait(timeout=60) == 1


def test_a_camera_that_another_process_holds_names_the_reason(manners: Path) -> None:
    """The reason lies in the error's cause; without it a technician reads "did not complete"."""
    with looking(manners) as first:
        first.hear(say.Opened)
        with looking(manners) as second:
            failed = second.hear(say.Failed)
    assert isinstance(failed, say.Failed)
    assert failed.fault == say.UNREACHABLE
    assert "Device or resource busy" in failed.text


def test_no_camera_at_all(manners: Path) -> None:
    """A camera that is not there must be told, not crash the child without a word."""
    with looking(manners, number=3) as child:
        failed = child.hear(say.Failed)
    assert isinstance(failed, say.Failed)
    assert failed.fault == say.UNREACHABLE
    assert "No camera number 3" in failed.text


def test_a_killed_child_frees_the_camera_and_leaves_a_segment_that_plays(
    manners: Path, tmp_path: Path
) -> None:
    """After kill -9 all that was flushed must play, and the next child must get the camera."""
    for _ in range(2):
        with looking(manners, "--recordings", str(tmp_path / "rec")) as child:
            child.hear(say.Key, 4)
            child.process.kill()
    segments = sorted((tmp_path / "rec").glob("????-??-??/????????T??????Z.mp4"))
    assert len(segments) == 2
    for segment in segments:
        with av.open(str(segment)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) >= 25
        assert packets[0].is_keyframe
        assert packets[0].pts == 0


def test_it_says_that_it_records(manners: Path, tmp_path: Path) -> None:
    """Without it nobody would know of a camera that is watched and not recorded."""
    with looking(manners, "--recordings", str(tmp_path / "rec")) as child:
        assert child.hear(say.Records) == say.Records(True)
    assert len(list((tmp_path / "rec").glob("*/*.mp4"))) == 1


def test_it_says_why_it_does_not_record(manners: Path, tmp_path: Path) -> None:
    """A disk that is not mounted must be told, and not be made up for on the card."""
    folder = tmp_path / "disk" / "rec"
    with looking(manners, "--recordings", str(folder)) as child:
        said = child.hear(say.Records)
    assert isinstance(said, say.Records)
    assert not said.records
    assert "No such file or directory" in said.text
    assert not folder.parent.exists()


def test_its_parents_end_is_its_end(manners: Path) -> None:
    """A child that outlives the service would hold the camera against the next one."""
    with looking(manners) as child:
        child.hear(say.Opened)
        assert child.process.stdin is not None
        child.process.stdin.close()
        child.process.stdin = None
        assert child.process.wait(timeout=60) == 0


def test_a_picture_is_taken_while_it_looks(manners: Path) -> None:
    """Evidence of an alarm begins with a picture at once."""
    with looking(manners) as child:
        child.hear(say.Key)
        asked_ns = time.monotonic_ns()
        child.order(do="picture", number=7, old_s=3.0)
        picture = child.hear(say.Picture)
        assert isinstance(picture, say.Picture)
    assert picture.number == 7
    assert asked_ns < picture.at_ns < time.monotonic_ns()
    for jpeg in (picture.whole, picture.small):
        with av.open(io.BytesIO(jpeg), "r") as shown:
            frame = next(shown.decode(video=0))
            assert (frame.width, frame.height) == (640, 360)
            assert frame.to_ndarray(format="gray").std() > 20


@pytest.mark.campaign
def test_the_ring_holds_what_was_before_the_order(manners: Path, tmp_path: Path) -> None:
    """Thirty seconds before a press must be at hand, whether anybody records or not."""
    kept = tmp_path / "kept.mp4"
    with looking(manners) as child:
        child.hear(say.Key, 45)
        child.order(do="keep", path=str(kept), after_s=2)
        child.hear(say.Key, 45 + 46)
    with av.open(str(kept)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        last = packets[-1]
        assert last.pts is not None
        assert last.time_base is not None
        assert last.pts * last.time_base > 35


@pytest.mark.campaign
def test_a_second_order_makes_the_same_file_longer(manners: Path, tmp_path: Path) -> None:
    """A second alarm in the same minute must not cut off what the first one wants."""
    kept = tmp_path / "kept.mp4"
    with looking(manners) as child:
        child.hear(say.Key, 3)
        child.order(do="keep", path=str(kept), after_s=1)
        child.hear(say.Key, 5)
        child.order(do="keep", path=str(kept), after_s=5)
        child.hear(say.Key, 5 + 48)
    with av.open(str(kept)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert packets[-1].pts is not None
        assert packets[-1].time_base is not None
        assert 8 < packets[-1].pts * packets[-1].time_base < 13
