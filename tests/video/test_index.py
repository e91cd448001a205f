"""The index as others see it: questions of every kind, told gaps, and failures in our own words."""

from pathlib import Path

import pytest

from gatehouse.errors import RecordingsError
from gatehouse.video.answers import untold_gaps
from gatehouse.video.index import Index
from gatehouse.video.index_reader import Reader
from gatehouse.video.index_schema import Camera
from gatehouse.video.retention import Span
from gatehouse_sim.recordings import Hole, Tree, make
from video.trees import DAY, HOUR, MINUTE, NOW, Followed


def camera_of(followed: Followed) -> Camera:
    """Return the camera as the index knows it now."""
    camera = followed.index.camera("gate")
    assert camera is not None
    return camera


def test_gap_is_told_once_and_only_when_it_came_while_we_watched(tmp_path: Path) -> None:
    """An index made anew must not tell the district all gaps of the last 90 days again."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 1, holes=(Hole(12 * HOUR, HOUR),)))
    followed.look()
    assert untold_gaps(followed.index, camera_of(followed), 300_000) == []
    followed.now_ms = NOW + 20 * MINUTE
    followed.put(NOW + 19 * MINUTE)
    followed.put(NOW + 20 * MINUTE)
    followed.look()
    gap = Span(NOW, NOW + 19 * MINUTE)
    assert untold_gaps(followed.index, camera_of(followed), 300_000) == [gap]
    with followed.index.change(durable=True):
        followed.index.tell(followed.id, gap)
    assert untold_gaps(followed.index, camera_of(followed), 300_000) == []
    followed.put(NOW)  # the recorder brings one of the lost minutes after all
    followed.look()
    assert untold_gaps(followed.index, camera_of(followed), 300_000) == []


def test_gap_at_the_first_start_is_told_when_it_ends(tmp_path: Path) -> None:
    """A camera that was down when the box was switched on has a gap that nobody knows of yet."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW - HOUR, 1))
    followed.look()
    followed.now_ms = NOW + 2 * MINUTE
    followed.put(NOW + MINUTE)
    followed.look()
    expected = [Span(NOW - HOUR, NOW + MINUTE)]
    assert untold_gaps(followed.index, camera_of(followed), 300_000) == expected


def test_camera_that_moved_to_another_folder_begins_anew(tmp_path: Path) -> None:
    """Recordings of the old folder must not prove anything of the new one."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 0.1))
    followed.look()
    followed.scanner.root = tmp_path / "new-disk"
    followed.scanner.root.mkdir()
    followed.look()
    assert followed.runs() == []
    assert camera_of(followed).first_ms is None
    assert followed.index.totals(followed.id) == (0, 0)


def test_unset_clock_makes_no_camera_old(tmp_path: Path) -> None:
    """A recording of 1970 tells of a clock; the camera is still new, not short of 90 days."""
    followed = Followed(tmp_path)
    followed.put(HOUR)
    followed.put(NOW - HOUR)
    followed.look()
    assert camera_of(followed).first_ms == NOW - HOUR


def test_first_recording_is_remembered_when_it_is_gone(tmp_path: Path) -> None:
    """A recorder that keeps 20 days of 30 would else look like a new camera for ever."""
    followed = Followed(tmp_path)
    path = followed.put(NOW - 3 * DAY)
    followed.put(NOW - MINUTE)
    followed.look()
    path.unlink()
    followed.look(whole=True)
    assert followed.index.totals(followed.id)[0] == 1
    assert camera_of(followed).first_ms == NOW - 3 * DAY


def test_change_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """Rows and what must be settled for them belong together, whatever interrupts."""
    followed = Followed(tmp_path)
    followed.put(NOW - HOUR)
    followed.look()
    (row,) = list(followed.index.segments(followed.id))
    with pytest.raises(KeyboardInterrupt), followed.index.change():  # noqa: PT012  # both belong in
        followed.index.remove(followed.id, [row.key])
        raise KeyboardInterrupt
    assert list(followed.index.segments(followed.id)) == [row]
    assert camera_of(followed).dirty_from is None


def test_failures_say_what_was_tried(tmp_path: Path) -> None:
    """A technician must read which file it was, not an SQL error alone."""
    with pytest.raises(RecordingsError, match=r"cannot read .*no-such\.db"):
        Reader(tmp_path / "no-such.db")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RecordingsError, match="cannot open"):
        Index(tmp_path / "file" / "recordings.db")


def test_index_of_another_version_is_made_anew(tmp_path: Path) -> None:
    """An older or newer program's index is worth nothing here: the disk is."""
    path = tmp_path / "recordings.db"
    index = Index(path)
    with index.change():
        index.enter_camera("gate", "/srv/gate")
    index._db.execute("PRAGMA user_version = 99")
    index.close()
    assert Index(path).cameras() == []
