"""What a CSI camera's recording says of itself, on the stand-in's outputs."""

import errno
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehouse.video.csi_recording import Recording
from gatehouse_sim.csi import STAND_IN

FULL = OSError(errno.ENOSPC, "No space left on device")


class Splitter:
    """Takes each file without waiting for a keyframe."""

    def __init__(self) -> None:
        self.files = 0

    def split_output(self, _output: object) -> None:
        """Go on in another file."""
        self.files += 1


class Rig:
    """A recording whose keyframes and failures come when a test says so."""

    def __init__(self, folder: Path | None) -> None:
        self.said: list[tuple[bool, str]] = []
        self.recording = Recording(folder, lambda *_: None, lambda *said: self.said.append(said))
        self.splitter = self.recording._splitter = Splitter()

    def keys(self, first: int, last: int) -> list[tuple[bool, str]]:
        """Have a keyframe a second; return what was said meanwhile."""
        self.said.clear()
        for second in range(first, last + 1):
            self.recording.turn(1e9 + second, 0.0)
        return list(self.said)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the stand-in where picamera2 is looked for, and nothing of it for other tests."""
    monkeypatch.syspath_prepend(str(STAND_IN))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "picamera2"]:
        del sys.modules[name]


def test_it_is_said_once_what_is_proven(tmp_path: Path) -> None:
    """A file that was merely opened holds nothing yet; and what does not change is not news."""
    rig = Rig(tmp_path / "rec")
    assert rig.keys(0, 1) == []
    assert rig.keys(2, 200) == [(True, "")]
    assert rig.splitter.files == 4


def test_a_full_disk_does_not_flap(tmp_path: Path) -> None:
    """Each try opens a file and fails a second later: that is one fault, until one succeeds."""
    rig = Rig(tmp_path / "rec")
    rig.keys(0, 5)
    for again in (6, 22, 38):
        rig.recording._lost(FULL)
        said = rig.keys(again, again + 14)
        assert said == ([(False, str(FULL))] if again == 6 else [])
        rig.keys(again + 15, again + 15)
    assert rig.splitter.files == 4
    assert rig.keys(54, 60) == [(True, "")]


def test_without_a_folder_nothing_is_said() -> None:
    """A camera that is only watched would else be a fault."""
    rig = Rig(None)
    assert rig.keys(0, 100) == []
    assert rig.splitter.files == 0


def test_evidence_that_cannot_be_written_is_not_the_recording(tmp_path: Path) -> None:
    """Else a full evidence disk would be told as a camera that is not recorded."""
    rig = Rig(tmp_path / "rec")
    rig.keys(0, 5)
    rig.recording._not_kept(FULL)
    assert rig.keys(6, 30) == []
