"""What the recording ffmpeg is told: names that destroy nothing, addresses that show nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.recorder import Recorder
from gatehouse.video.recording_child import redacted, script
from gatehouse.video.rtsp_eye_url import with_credential
from video.recording_rig import Clock

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def pattern(folder: Path, at: datetime) -> str:
    """Return the names that a child started at this time would use."""
    recorder = Recorder("rtsp://a/b", folder, lambda _on, _why: None, clock=Clock(at))
    return recorder._target()


def test_no_name_is_used_twice(tmp_path: Path) -> None:
    """Two starts in one second, or a clock set back, would have ffmpeg write over recordings."""
    plain = "%Y-%m-%d/%Y%m%dT%H%M%SZ.mp4"
    assert pattern(tmp_path, NOON) == plain
    today = tmp_path / "2026-11-25"
    assert (tmp_path / "2026-11-26").is_dir()
    (today / "20261125T115959Z.mp4").touch()
    assert pattern(tmp_path, NOON) == plain
    (today / "20261125T120000Z.mp4").touch()
    assert pattern(tmp_path, NOON) == plain.replace("Z.mp4", "Z-2.mp4")
    (today / "20261125T120000Z-2.mp4").touch()
    assert pattern(tmp_path, NOON) == plain.replace("Z.mp4", "Z-3.mp4")
    assert pattern(tmp_path, NOON + timedelta(seconds=1)) == plain
    (today / "20261125T130000Z.mp4").touch()
    assert pattern(tmp_path, NOON + timedelta(seconds=1)) == plain.replace("Z.mp4", "Z-2.mp4")
    assert pattern(tmp_path, NOON - timedelta(days=3)) == plain.replace("Z.mp4", "Z-3.mp4")


@given(st.text(min_size=1), st.text())
def test_any_credential_makes_one_line(user: str, password: str) -> None:
    """A password with a quote in it must not end the script's string, nor begin an option."""
    url = with_credential("rtsp://10.0.0.7:554/live?a=1", f"{user}:{password}")
    lines = script(url).decode().split("\n")
    assert lines[0] == "ffconcat version 1.0"
    assert lines[1].startswith("file 'rtsp://")
    assert lines[1].endswith("10.0.0.7:554/live?a=1'")
    assert lines[2] == "option rtsp_transport tcp"
    assert redacted(url) == "rtsp://10.0.0.7:554/live?a=1" or not user.partition(":")[0]


def test_an_address_of_two_lines_is_refused() -> None:
    """A line of its own could be an option of ffmpeg's."""
    with pytest.raises(ValueError, match="one line"):
        script("rtsp://a/b\nfile '/etc/passwd'")
    assert script("rtsp://a/it's").splitlines()[1] == rb"file 'rtsp://a/it'\''s'"
