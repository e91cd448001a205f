"""What ``gatehouse recordings`` answers, from files on the disk to the words of the contract."""

from pathlib import Path

import pytest

from gatehouse.video.answers import Answer, Duty, answers
from gatehouse.video.index_reader import Reader
from gatehouse.video.retention import Disk
from gatehouse_sim.recordings import Hole, Tree, make
from video.trees import DAY, HOUR, MINUTE, NOW, SECOND, Followed

ROOMY = Disk(10**12, 9 * 10**11, 5)


def answer(followed: Followed, disk: Disk = ROOMY, *, days: int = 3, ours: bool = True) -> Answer:
    """Answer for the one camera."""
    reader = Reader(followed.index.path)
    duty = Duty("gate", "critical", days, "disk", ours)
    (found,) = answers(reader, [duty], {"disk": disk}, now_ms=followed.now_ms, gap_ms=300_000)
    reader.close()
    return found


def test_words_of_the_contract(tmp_path: Path) -> None:
    """Acceptance reads this document: its names and times are the contract's."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 5, holes=(Hole(DAY, 10 * MINUTE), Hole(2 * HOUR, MINUTE))))
    followed.look()
    document = answer(followed).document()
    assert document["name"] == "gate"
    assert document["area"] == "critical"
    assert document["required_days"] == 3
    assert document["proven_days"] == pytest.approx(1 - 10 / 1440, abs=0.001)
    assert document["oldest_unbroken"] == "2026-11-24T12:10:00Z"
    assert document["gaps"] == [
        {"from": "2026-11-24T12:00:00Z", "to": "2026-11-24T12:10:00Z", "seconds": 600.0}
    ]
    assert document["short_gaps"] == [{"day": "2026-11-25", "seconds": 60.0}]
    assert document["verdict"] == "short"
    assert document["days_until_short"] is None
    size = next(iter(followed.index.segments(followed.id))).size
    assert document["bytes_per_day"] == size * (1440 - 11)


def test_camera_that_holds_its_duty_is_ok(tmp_path: Path) -> None:
    """The plain good case must not be anything but ok."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 5))
    followed.look()
    assert answer(followed).verdict == "ok"


def test_new_camera_is_unknown_and_forecast_when_the_disk_is_too_small(tmp_path: Path) -> None:
    """On the first day a technician learns whether the disk will do for 90."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 1))
    followed.look()
    daily = answer(followed).bytes_per_day
    assert daily is not None
    assert answer(followed, days=90).verdict == "unknown"
    small = Disk(100 * daily, 25 * daily, 5)
    found = answer(followed, small, days=90)
    assert found.verdict == "forecast"
    assert found.days_left == pytest.approx(20, abs=0.1)


def test_before_the_first_scan_nothing_is_known(tmp_path: Path) -> None:
    """A half-read tree must not be called short."""
    followed = Followed(tmp_path)
    assert answer(followed).verdict == "unknown"
    make(followed.root, Tree(NOW, 5, holes=(Hole(DAY, HOUR),)))
    next(iter(followed.scanner.look()))
    assert answer(followed).verdict == "unknown"


def test_unreadable_folder_is_unknown(tmp_path: Path) -> None:
    """A disk that is away is a fault of its own, not a shortfall of the camera."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 5))
    followed.look()
    followed.root.rename(tmp_path / "away")
    followed.look()
    found = answer(followed)
    assert found.verdict == "unknown"
    assert found.amiss


def test_other_recorder_that_names_files_when_they_are_done(tmp_path: Path) -> None:
    """Segments of ten minutes that show up at their end leave no gap of ten minutes before now."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 5, segment_ms=10 * MINUTE))
    followed.now_ms = NOW + 9 * MINUTE + 50 * SECOND
    followed.look()
    assert answer(followed, ours=False).verdict == "ok"
    assert answer(followed).verdict == "short"
    followed.now_ms = NOW + 20 * MINUTE
    assert answer(followed, ours=False).verdict == "short"


def test_our_recorders_newest_second_is_no_gap(tmp_path: Path) -> None:
    """What is still in the recorder's hands must not make every answer short."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 5, own_files=True))
    followed.now_ms = NOW + 20 * SECOND
    followed.look()
    found = answer(followed)
    assert found.verdict == "ok"
    assert found.proof.gaps == ()
