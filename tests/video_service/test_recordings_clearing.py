"""Clean-up in the passes: what goes, what stays, and that every loss is counted."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse.control.reports import GATEWAY
from gatehouse.video.retention import Span
from gatehouse.video_service import recordings_passes
from gatehouse.video_service.clearing import UNDER_S
from gatehouse_sim.recordings import film
from video_service.recordings_rig import DAY, MINUTE, NOW, SIZE, Box, lost, standing, unknown


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Make a box without cameras."""
    return Box(tmp_path)


def test_oldest_beyond_the_floor_go_silently(box: Box) -> None:
    """Clean-up makes room with what is past its floor, and that is no loss to be told."""
    box.add(days=4)
    box.fill(5)
    passed = box.once()
    assert len(box.files()) == 4 * 24 - 5
    assert box.indexed() == box.files()
    assert passed.told == ()
    assert standing(passed.rows(), GATEWAY) == {}


def test_what_goes_under_its_floor_is_counted(box: Box) -> None:
    """Each recording that went before its time is in one event, once, and received once."""
    box.add(days=2)
    box.add("office", days=2, area="critical")
    box.fill(7)
    (told,) = box.once().told
    assert told.data == {
        "from": "2026-11-23T12:00:00Z",
        "to": "2026-11-23T19:00:00Z",
        "seconds": 7 * 3600.0,
        "segments": 7,
        "bytes": 7 * SIZE,
        "reason": "under-floor",
    }
    assert told.subject == "camera/gate"
    assert len(box.files()) == 48 - 7
    box.begin()
    assert box.once().told == (told,)
    box.clock.go(61)
    box.fill(2)
    passed = box.once(received=[told.key])
    assert [each.data["segments"] for each in passed.told] == [2]
    assert len(box.files("office")) == 48


def test_clean_up_at_most_once_a_minute(box: Box) -> None:
    """Every pass would else plan over all recordings again."""
    box.add(days=4)
    box.once()
    box.fill(5)
    box.clock.go(50)
    box.once()
    assert len(box.files()) == 96
    box.clock.go(11)
    box.once()
    assert len(box.files()) == 91


def test_what_goes_under_its_floor_goes_at_most_every_ten_minutes(box: Box) -> None:
    """Each time is an event of each camera: a small disk would else fill the district's log."""
    box.add(days=2)
    box.fill(2)
    assert lost(box.once().told) == 2
    box.others += 2 * SIZE
    box.clock.go(UNDER_S - 1)
    passed = box.once()
    assert len(box.files()) == 46
    assert standing(passed.rows(), GATEWAY) == {}
    box.clock.go(61)
    assert lost(box.once().told) == 4


def test_a_disk_that_fills_does_not_wait_for_ten_minutes(box: Box) -> None:
    """A recorder that finds no room would lose the picture of now for one of last month."""
    box.total = 200 * SIZE  # of which ten recordings' room shall be free
    box.add(days=2)
    box.fill(2)
    box.once()
    wanted = box.room(box.folder, box.retention.min_free_percent).wanted
    box.others += wanted * 6 // 10
    box.clock.go(61)
    assert lost(box.once().told) > 2


def test_stop_never_goes_under_a_floor(box: Box) -> None:
    """``on_full = "stop"`` keeps what is there, and the full disk is a fault that does not flap."""
    box.retention = replace(box.retention, on_full="stop")
    box.add(days=2)
    box.fill(5)
    found = standing(box.once().rows(), GATEWAY)["shortfall"]
    assert found["disks"][0]["lacking_bytes"] == 5 * SIZE - 1
    assert len(box.files()) == 48
    box.others -= 10 * SIZE
    box.clock.go(61)
    assert "shortfall" in standing(box.once().rows(), GATEWAY)
    for _ in range(10):
        box.clock.go(61)
        passed = box.once()
    assert "shortfall" not in standing(passed.rows(), GATEWAY)


def test_refusal_is_told(box: Box) -> None:
    """A plan to delete most of a camera is not carried out, and that is a fault."""
    box.add(days=2)
    box.fill(30)
    passed = box.once()
    assert standing(passed.rows(), GATEWAY)["clean-up-refused"] == {
        "cameras": [{"camera": "gate", "segments": 30, "of": 48}]
    }
    assert len(box.files()) == 48
    assert passed.told == ()


def test_held_recordings_stay(box: Box) -> None:
    """Evidence is never deleted, however full the disk is."""
    box.add(days=4)
    box.held["gate"] = (Span(NOW - 4 * DAY, NOW - 4 * DAY + MINUTE),)
    box.fill(3)
    before = sorted(box.files())
    box.once()
    assert sorted(box.files()) == [before[0], *before[4:]]


def test_the_last_minutes_stay(box: Box) -> None:
    """Without it the time before a press could go in the moment before the press is heard."""
    box.add()
    paths = [box.put(NOW - back * MINUTE, MINUTE) for back in range(12, 0, -1)]
    free = box.room(box.folder, box.retention.min_free_percent)
    box.others += free.free - free.wanted + 5 * len(film(MINUTE)) - 1
    box.once()
    assert [path.exists() for path in paths[:2]] == [False, True]
    assert all(path.exists() for path in paths[1:])


def test_nothing_is_deleted_before_all_of_a_disk_is_known(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a picture would take one camera's last days while another has what is past its floor."""
    box.add(days=2)
    box.add("yard", days=5)
    box.fill(5)
    monkeypatch.setattr(recordings_passes, "_SLICE_S", 0.0)
    while (passed := box.once()).scanning is not None:
        assert len(box.files()) + len(box.files("yard")) == 7 * 24
    box.once()
    assert passed.told == ()
    assert len(box.files()) == 48
    assert len(box.files("yard")) == 5 * 24 - 5


def test_folder_that_is_back_is_known_first(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that could not be read at the start counts again only when it was read wholly."""
    box.add(days=2)
    box.add("yard", days=5)
    box.root("yard").rename(box.folder / "away")
    box.once()
    (box.folder / "away").rename(box.root("yard"))
    box.fill(5)
    box.clock.go(61)
    monkeypatch.setattr(recordings_passes, "_SLICE_S", 0.0)
    while (passed := box.once()).scanning is not None:
        assert len(box.files()) + len(box.files("yard")) == 7 * 24
    assert passed.told == ()
    assert len(box.files()) == 48
    assert len(box.files("yard")) == 5 * 24 - 5


def test_disk_of_other_recorders_is_theirs(box: Box) -> None:
    """A video recorder runs its disk full and deletes itself: neither ours to clean nor a fault."""
    box.add(days=4, record=False)
    box.fill(20)
    passed = box.once()
    assert len(box.files()) == 96
    assert standing(passed.rows(), GATEWAY) == {}
    assert unknown(passed.rows(), GATEWAY) == set()


def test_uncounted_nothing_goes_under_a_floor(box: Box) -> None:
    """While the journal cannot be written, only what is past its floor goes."""
    box.add(days=2)
    box.add("yard", days=3)
    (box.folder / "state" / "video" / "deletions.new").mkdir(parents=True)
    box.fill(40)
    passed = box.once()
    assert len(box.files()) == 48
    assert len(box.files("yard")) == 49, "one is not past its floor by gap_seconds"
    assert passed.told == ()
    assert "shortfall" in standing(passed.rows(), GATEWAY)
    (box.folder / "state" / "video" / "deletions.new").rmdir()
    box.clock.go(61)
    assert lost(box.once().told) == 17


def test_disk_that_refuses_deletes(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that turned read-only is a fault, and loses nothing that would be told each minute."""
    box.add(days=2)
    box.fill(5)

    def unlink(*_args: object, **_named: object) -> None:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink)
        for _ in range(3):
            passed = box.once()
            assert passed.told == ()
            box.clock.go(61)
    text = standing(passed.rows(), GATEWAY)["recordings-unreadable"]["text"]
    assert "Read-only file system" in text
    assert lost(box.once().told) == 5


def test_folder_that_cannot_be_synced_is_counted_later(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was unlinked on a failing disk is counted when the disk says what is gone."""
    box.add(days=2)
    box.fill(5)
    real = os.fsync

    def fsync(handle: int) -> None:
        if "recordings" in Path(f"/proc/self/fd/{handle}").readlink().parts:
            raise OSError(5, "Input/output error")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        assert box.once().told == ()
        box.clock.go(61)
        box.others += 2 * SIZE
        assert box.once().told == ()
        assert len(box.files()) == 43, "nothing more goes before the first is counted"
    assert lost(box.once().told) == 5


def test_damaged_journal_is_begun_anew(box: Box) -> None:
    """What cannot be read must not keep the disk from being cleaned for ever."""
    box.add(days=2)
    path = box.folder / "state" / "video" / "deletions.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"next": 7, "entr')
    box.fill(3)
    assert lost(box.once().told) == 3


def test_losses_of_a_camera_that_is_gone_are_told(box: Box) -> None:
    """A camera taken out of the configuration does not take the count of its losses with it."""
    box.add(days=2)
    box.add("yard", days=1)
    box.fill(3)
    (told,) = box.once().told
    del box.cameras[0]
    box.begin()
    assert box.once().told == (told,)
