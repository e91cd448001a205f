"""Clean-up: what goes is forgotten, whenever it is killed, and nothing else is touched."""

import os
import signal
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest

from gatehouse.errors import RecordingsError
from gatehouse.video import cleanup
from gatehouse.video.cleanup import Done, carry_out, finish, keeping
from gatehouse.video.index import Index
from gatehouse.video.layout import own_path
from gatehouse.video.plan import Deletion, Plan, plan
from gatehouse.video.retention import Disk, Span
from gatehouse_sim.recordings import Tree, make
from video import cleaner
from video.trees import DAY, HOUR, NOW, Followed


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """Follow a camera of four days, a recording an hour."""
    followed = Followed(tmp_path)
    make(followed.root, Tree(NOW, 4, segment_ms=HOUR))
    followed.look()
    return followed


def plan_for(followed: Followed, count: int, held: tuple[Span, ...] = ()) -> Plan:
    """Plan to free so many recordings under a floor of a day."""
    camera = followed.index.camera("gate")
    assert camera is not None
    size = next(iter(followed.index.segments(camera.id))).size
    keep = keeping(
        followed.index, camera, area="general", floor_ms=DAY, now_ms=followed.now_ms, held=held
    )
    disk = Disk(10**6, 50_000 - count * size, 5)
    return plan([keep], disk, now_ms=followed.now_ms, gap_ms=300_000, on_full="stop")


def carry(followed: Followed, made: Plan) -> Done:
    """Carry a plan out."""
    return carry_out(followed.index, made, zone=UTC, now_ms=followed.now_ms)


def on_disk(followed: Followed) -> set[str]:
    """Return the recordings that are there."""
    return {str(path.relative_to(followed.root)) for path in followed.root.rglob("*.mp4")}


def agree(followed: Followed) -> None:
    """Index and disk say the same, and nothing is begun."""
    assert followed.names() == on_disk(followed)
    assert followed.index.intents(followed.id) == []
    before = followed.runs()
    followed.look(whole=True)
    assert followed.runs() == before
    assert followed.names() == on_disk(followed)


def test_oldest_go_and_are_forgotten(followed: Followed) -> None:
    """The plain case: the oldest recordings are gone from the disk, the index and the stretches."""
    done = carry(followed, plan_for(followed, 40))
    assert done.segments == 40
    assert done.amiss is None
    assert min(followed.names()) == own_path(NOW - 56 * HOUR)
    assert followed.runs() == [Span(NOW - 56 * HOUR, NOW)]
    assert followed.index.totals(followed.id)[0] == 56
    agree(followed)


def test_empty_day_folders_go_along(followed: Followed) -> None:
    """A box must not gather ten years of empty folders; one with a stranger's file stays."""
    (followed.root / "2026-11-22" / "notes.txt").write_text("keep")
    carry(followed, plan_for(followed, 40))
    assert sorted(path.name for path in followed.root.iterdir()) == [
        "2026-11-22",
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
    ]
    assert (followed.root / "2026-11-22" / "notes.txt").exists()


def test_gap_of_our_own_making_is_not_told(followed: Followed) -> None:
    """What clean-up took between two held ranges is no failure of the recorder."""
    held = (Span(NOW - 4 * DAY, NOW - 4 * DAY + 1),)
    carry(followed, plan_for(followed, 10, held))
    assert len(followed.runs()) == 2
    (old, new) = followed.runs()
    assert followed.index.is_told(followed.id, Span(old.to_ms, new.from_ms))


@pytest.mark.parametrize("step", [*range(1, 13), 20, 26, 27, 28, 29, 30, 31, 32, 33, 40])
def test_killed_at_any_step(followed: Followed, step: int) -> None:
    """After kill -9 in the middle of a clean-up the next start brings index and disk together."""
    before = on_disk(followed)
    followed.index.close()
    tests = Path(cleaner.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "video.cleaner", str(followed.folder), str(NOW), str(step)],
        check=False,
        cwd=tests,
        timeout=60,
    )
    assert done.returncode in {-signal.SIGKILL, 0}
    followed.index = Index(followed.index.path)
    followed.open()
    finish(followed.index, now_ms=NOW)
    agree(followed)
    assert on_disk(followed) <= before
    cleaner.clean(followed.folder, NOW, 3000)
    agree(followed)


@pytest.mark.parametrize("name", ["unlink", "fsync", "rmdir"])
def test_disk_that_fails(followed: Followed, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A disk that answers with errors is told, and index and disk agree when it is well again."""
    real, left = getattr(os, name), 3

    def fail(*args: object, **named: object) -> object:
        nonlocal left
        left -= 1
        if left < 0 or name != "unlink":
            raise OSError(5, "Input/output error")
        return real(*args, **named)

    made = plan_for(followed, 40)
    monkeypatch.setattr(os, name, fail)
    done = carry(followed, made)
    assert done.amiss is None if name == "rmdir" else "Input/output error" in str(done.amiss)
    monkeypatch.undo()
    finish(followed.index, now_ms=NOW)
    agree(followed)


def test_index_that_fails_deletes_nothing(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an intent on the disk no file goes."""
    made, before = plan_for(followed, 10), on_disk(followed)

    def fail(*_args: object) -> None:
        raise RecordingsError("cannot write to the index: disk I/O error")

    monkeypatch.setattr(Index, "intend", fail)
    with pytest.raises(RecordingsError):
        carry(followed, made)
    assert on_disk(followed) == before


def test_nothing_outside_the_folder_is_touched(followed: Followed) -> None:
    """A link put in a folder's place leads out of the house; what lies there is not ours."""
    made = plan_for(followed, 40)
    outside = followed.folder / "outside"
    (followed.root / "2026-11-21").rename(outside)
    (followed.root / "2026-11-21").symlink_to(outside, target_is_directory=True)
    there = sorted(path.name for path in outside.iterdir())
    first = min((followed.root / "2026-11-22").iterdir())
    first.unlink()
    first.symlink_to(outside / there[0])
    done = carry(followed, made)
    assert sorted(path.name for path in outside.iterdir()) == there
    assert first.is_symlink()
    assert done.kept == 13
    assert done.segments == 27


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("../outside", "20261121T120000Z.mp4"),
        ("2026-11-22/../../outside", "20261121T120000Z.mp4"),
        ("2026-11-22", "../../outside/20261121T120000Z.mp4"),
        ("2026-11-22", "notes.txt"),
        ("2026-11-22", "20261122T000000Z.mp4"),
    ],
)
def test_index_that_lies_does_no_harm(followed: Followed, folder: str, name: str) -> None:
    """The index is a file too: whatever stands in it, only a recording in its folder can go."""
    outside = followed.folder / "recordings" / "outside"
    outside.mkdir()
    (outside / "20261121T120000Z.mp4").write_bytes(b"x")
    (followed.root / "2026-11-22" / "notes.txt").write_text("x")
    recording = followed.root / "2026-11-22" / "20261122T000000Z.mp4"
    recording.unlink()
    recording.mkdir()
    with followed.index.change():
        number = followed.index.enter_folder(followed.id, folder).id
    (deletion, *_) = plan_for(followed, 3).deletions
    piece = deletion.piece._replace(key=(deletion.piece.start_ms, number, name))
    done = carry(followed, Plan((Deletion(piece, "past-floor"),)))
    assert done.segments == 0
    assert (outside / "20261121T120000Z.mp4").exists()
    assert (followed.root / "2026-11-22" / "notes.txt").exists()
    assert recording.is_dir()


def test_recording_that_is_gone_already(followed: Followed) -> None:
    """Somebody was faster: that is no fault, and the index forgets it too."""
    made = plan_for(followed, 5)
    (
        followed.root / followed.index.path_of(next(iter(followed.index.segments(followed.id))))
    ).unlink()
    done = carry(followed, made)
    assert done.segments == 5
    agree(followed)


def test_disk_away_leaves_the_intents(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start without the disk nothing is known to be gone: the intents wait for it."""
    key = next(iter(followed.index.segments(followed.id))).key
    with followed.index.change():
        followed.index.intend(followed.id, [key])
    followed.root.rename(followed.folder / "away")
    finish(followed.index, now_ms=NOW)
    assert followed.index.intents(followed.id) == [key]
    (followed.folder / "away").rename(followed.root)
    monkeypatch.setattr(cleanup, "BATCH", 2)
    finish(followed.index, now_ms=NOW)
    agree(followed)
