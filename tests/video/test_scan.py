"""The disk into the index: what is found, and what is left alone."""

import os
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from gatehouse.video.index_schema import Flag
from gatehouse.video.layout import own_path
from gatehouse.video.retention import Span
from gatehouse_sim.recordings import LAYOUTS, Tree, film, make
from video.trees import HOLES, HOUR, MINUTE, NOW, SECOND, Followed, joined


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_holes_are_found_in_every_layout(followed: Followed, layout: str) -> None:
    """Gaps are right to the second, whoever recorded: that is what retention is proven by."""
    tree = Tree(NOW, 3, layout=layout, holes=HOLES, own_files=layout == "frigate")
    count = make(followed.root, tree)
    assert followed.look() == count
    expected = joined((start, start + length) for start, length in tree.segments())
    assert followed.runs() == expected
    assert len(expected) == 4
    assert followed.index.unknown(followed.id) == 0


def test_other_cameras_of_frigate_prove_nothing(followed: Followed) -> None:
    """Two cameras that share Frigate's tree must not lend each other their recordings."""
    make(followed.root, Tree(NOW, 0.1, layout="frigate"))
    followed.camera = "yard"
    yard = Followed(followed.folder, camera="yard")
    yard.scanner.root = yard.folder / "recordings" / "gate"
    assert yard.look() == 0
    assert yard.index.unknown(yard.id) == 144


def test_local_names_by_the_zone(tmp_path: Path) -> None:
    """A recorder with China's time must not be eight hours off."""
    followed = Followed(tmp_path, zone=timezone(timedelta(hours=8)))
    (followed.root / "2026-11-25").mkdir(parents=True)
    (followed.root / "2026-11-25" / "19-00-00.mp4").write_bytes(film(MINUTE))
    followed.look()
    assert followed.runs() == [Span(NOW - HOUR, NOW - HOUR + MINUTE)]


def test_damage_of_every_kind(followed: Followed) -> None:
    """A card that lost power leaves empty, torn and foreign files: none of them covers any time."""
    whole = film(MINUTE)
    for minute in range(10):
        followed.put(NOW - (30 - minute) * MINUTE)
    followed.put(NOW - 20 * MINUTE, data=b"")
    followed.put(NOW - 19 * MINUTE, data=b"no film, but as long as one: " * 30)
    followed.put(NOW - 18 * MINUTE, data=film(40 * SECOND) + whole[-150:-40])
    followed.put(NOW - 17 * MINUTE)
    followed.look()
    assert followed.row(NOW - 20 * MINUTE) == (NOW - 20 * MINUTE, Flag.EMPTY)
    assert followed.row(NOW - 19 * MINUTE)[1] & Flag.DAMAGED
    assert followed.row(NOW - 18 * MINUTE)[0] == NOW - 18 * MINUTE + 40 * SECOND
    assert followed.row(NOW - 18 * MINUTE)[1] & Flag.CUT
    assert followed.runs() == [
        Span(NOW - 30 * MINUTE, NOW - 20 * MINUTE),
        Span(NOW - 18 * MINUTE, NOW - 18 * MINUTE + 40 * SECOND),
        Span(NOW - 17 * MINUTE, NOW - 16 * MINUTE),
    ]


def test_overlaps_duplicates_and_clock_steps(followed: Followed) -> None:
    """A clock set back gives times twice: they count once, and the file's own time shows it."""
    for minute in range(10):
        followed.put(NOW - (30 - minute) * MINUTE, 90 * SECOND)
    copy = followed.root / "copy" / Path(own_path(NOW - 30 * MINUTE)).name
    copy.parent.mkdir()
    copy.write_bytes(film(MINUTE))
    stepped = followed.put(NOW - 15 * MINUTE)
    os.utime(stepped, ns=((NOW + HOUR) * 1_000_000,) * 2)
    sound = followed.put(NOW - 13 * MINUTE)
    os.utime(sound, ns=((NOW - 12 * MINUTE) * 1_000_000,) * 2)
    followed.look()
    assert followed.row(NOW - 15 * MINUTE)[1] & Flag.TIME
    assert not followed.row(NOW - 13 * MINUTE)[1] & Flag.TIME
    assert followed.runs()[0] == Span(NOW - 30 * MINUTE, NOW - 19 * MINUTE - 30 * SECOND)
    assert len(followed.runs()) == 3


def test_what_is_no_recording_is_counted_and_left(followed: Followed) -> None:
    """Names that say nothing are shown to a person; links lead nowhere; nothing stops the scan."""
    outside = followed.folder / "outside"
    outside.mkdir()
    (outside / "20261125T100000Z.mp4").write_bytes(film(MINUTE))
    followed.put(NOW - HOUR)
    root = followed.root
    (root / "20261125T100000Z.mp4").symlink_to(outside / "20261125T100000Z.mp4")
    (root / "2026-11-20").symlink_to(outside, target_is_directory=True)
    (root / "notes.txt").write_text("keep")
    (root / "gate.mp4").write_bytes(b"x")
    os.mkfifo(root / "20261125T100100Z.mp4")
    (root / "lost+found").mkdir()
    (root / "20261125T100200Z.mp4").mkdir()
    Path(os.fsdecode(os.fsencode(root) + b"/20261125\xff100000.mp4")).write_bytes(b"x")
    os.mkdir(os.fsencode(root) + b"/\xff\xfe")  # noqa: PTH102  # a name that is no text
    assert followed.look() == 1
    assert followed.index.unknown(followed.id) == 7
    assert followed.names() == {own_path(NOW - HOUR)}


def test_folder_that_cannot_be_read_is_a_fault(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk with errors must be told, and must not make its recordings be forgotten."""
    make(followed.root, Tree(NOW, 2))
    followed.look()
    known = followed.runs()
    real = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "2026-11-24":
            raise PermissionError(13, "Permission denied")
        return real(path)

    (followed.root / "2026-11-24" / "new").mkdir()
    monkeypatch.setattr(os, "scandir", scandir)
    followed.look()
    camera = followed.index.camera("gate")
    assert camera is not None
    assert camera.amiss == "cannot read 2026-11-24: Permission denied"
    assert followed.runs() == known
    monkeypatch.undo()
    followed.look(whole=True)
    camera = followed.index.camera("gate")
    assert camera is not None
    assert camera.amiss is None


def test_disk_that_is_away_forgets_nothing(followed: Followed) -> None:
    """A disk pulled out for a minute must not cost a scan of two million files, nor be a gap."""
    make(followed.root, Tree(NOW, 0.5))
    followed.look()
    known = followed.runs()
    followed.root.rename(followed.folder / "away")
    followed.look()
    camera = followed.index.camera("gate")
    assert camera is not None
    assert "No such file" in str(camera.amiss)
    assert followed.runs() == known
    (followed.folder / "away").rename(followed.root)
    followed.look()
    assert followed.runs() == known


def test_folder_that_was_never_there(tmp_path: Path) -> None:
    """Before the disk is first mounted nothing is known, and that is said."""
    followed = Followed(tmp_path)
    followed.root.rmdir()
    assert followed.look() == 0
    camera = followed.index.camera("gate")
    assert camera is not None
    assert camera.scanned_ms is None
    assert camera.amiss


def test_recording_that_grows_is_followed(followed: Followed) -> None:
    """The newest recording reaches as far as it is written, and ends where it was closed."""
    whole = film(MINUTE)
    followed.put(NOW - MINUTE)
    path = followed.put(NOW, data=whole[:-60])
    followed.now_ms = NOW + 40 * SECOND
    followed.look()
    assert followed.runs() == [Span(NOW - MINUTE, NOW + 30 * SECOND)]
    assert followed.row(NOW)[1] & Flag.OPEN
    path.write_bytes(whole)
    followed.now_ms = NOW + 70 * SECOND
    followed.look()
    assert followed.runs() == [Span(NOW - MINUTE, NOW + MINUTE)]
    followed.put(NOW + 65 * SECOND, 5 * SECOND)
    followed.look()
    assert not followed.row(NOW)[1] & Flag.OPEN
    assert followed.runs() == [
        Span(NOW - MINUTE, NOW + MINUTE),
        Span(NOW + 65 * SECOND, NOW + 70 * SECOND),
    ]


def test_recorder_that_writes_its_head_last(followed: Followed) -> None:
    """Another recorder's MP4 cannot be shown before it is closed: till then its time counts."""
    path = followed.put(NOW - 10 * MINUTE, data=b"\0\0\0\x18ftypisom" + bytes(500))
    os.utime(path, ns=(NOW * 1_000_000,) * 2)
    followed.look()
    assert followed.runs() == [Span(NOW - 10 * MINUTE, NOW)]
    followed.put(NOW)
    followed.now_ms = NOW + 10 * MINUTE
    followed.look()
    assert followed.row(NOW - 10 * MINUTE)[1] & Flag.DAMAGED
    assert followed.runs() == [Span(NOW, NOW + MINUTE)]


def test_check_finds_what_was_taken_for_granted(followed: Followed) -> None:
    """A recording that ended early hides among its neighbours until it was measured."""
    for minute in range(200):
        length = 35 * SECOND if minute == 100 else MINUTE
        followed.put(NOW - (200 - minute) * MINUTE, length)
    followed.look()
    assert followed.runs() == [Span(NOW - 200 * MINUTE, NOW)]
    while followed.scanner.check_some(30):
        pass
    assert followed.runs() == [
        Span(NOW - 200 * MINUTE, NOW - 100 * MINUTE + 35 * SECOND),
        Span(NOW - 99 * MINUTE, NOW),
    ]
    assert all(row.end_ms is not None for row in followed.index.segments(followed.id))
