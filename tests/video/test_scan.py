"""The disk into the index: what is found, what is left alone, and what a pass costs."""

import os
import sqlite3
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.video import scan
from gatehouse.video.index import Flag, Reader
from gatehouse.video.layout import own_path
from gatehouse.video.retention import Span
from gatehouse_sim.recordings import LAYOUTS, Hole, Tree, film, make
from video.trees import DAY, HOUR, MINUTE, NOW, SECOND, Followed, joined, rebuilt

HOLES = (
    Hole(2 * DAY, 20 * MINUTE),
    Hole(30 * HOUR, 30 * SECOND),
    Hole(5 * HOUR + 20 * SECOND, 310 * SECOND),
)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    """Follow an empty folder."""
    return Followed(tmp_path)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every folder that is read."""
    paths: list[str] = []
    real = os.scandir

    def scandir(path: str) -> object:
        paths.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return paths


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


def test_unchanged_folders_are_not_read(followed: Followed, reads: list[str]) -> None:
    """The cost of a pass grows with what is new: 60 days of the past are not read again."""
    make(followed.root, Tree(NOW, 60, segment_ms=HOUR))
    followed.now_ms += MINUTE
    followed.look()
    reads.clear()
    assert followed.look() == 0
    assert reads == []
    followed.put(NOW + MINUTE)
    followed.now_ms += MINUTE
    assert followed.look() == 1
    assert set(reads) == {"2026-11-25"}


def test_late_change_in_an_old_folder_is_found(followed: Followed) -> None:
    """A recording copied into last month, or deleted there, must not stay unknown for ever."""
    make(followed.root, Tree(NOW, 450, segment_ms=12 * HOUR))
    followed.look()
    old = NOW - 400 * DAY
    late = followed.put(old + 6 * HOUR)
    os.utime(late.parent, ns=((old + DAY) * 1_000_000,) * 2)
    passes = 0
    while not (late.exists() and own_path(old + 6 * HOUR) in followed.names()):
        followed.look()
        passes += 1
        assert passes <= 4
    late.unlink()
    followed.look(whole=True)
    assert own_path(old + 6 * HOUR) not in followed.names()


def test_folder_that_vanished_takes_its_segments_along(followed: Followed) -> None:
    """A day that another recorder deleted must not be proven any longer."""
    make(followed.root, Tree(NOW, 3))
    followed.look()
    for path in (followed.root / "2026-11-24").iterdir():
        path.unlink()
    (followed.root / "2026-11-24").rmdir()
    followed.look(whole=True)
    midnight = NOW - 12 * HOUR
    assert [run.to_ms for run in followed.runs()] == [midnight - DAY, NOW]
    assert followed.index.totals(followed.id)[0] == 2 * 1440


def test_flat_folder_is_read_in_parts(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of two million names must not be held in memory at once."""
    monkeypatch.setattr(scan, "HELD_NAMES", 40)
    make(followed.root, Tree(NOW, 0.2, layout="flat"))
    (followed.root / "notes.txt").write_text("keep")
    followed.look()
    gone = followed.root / Path(own_path(NOW - HOUR)).name
    gone.unlink()
    (followed.root / Path(own_path(NOW)).name).write_bytes(film(MINUTE))
    followed.now_ms += 2 * MINUTE
    assert followed.look() == 1
    assert followed.runs() == [
        Span(NOW - 288 * MINUTE, NOW - HOUR),
        Span(NOW - HOUR + MINUTE, NOW + MINUTE),
    ]
    assert followed.index.unknown(followed.id) == 1


def test_folder_that_is_dear_to_read_rests(
    followed: Followed, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    """A flat folder of another recorder changes each minute; reading it may cost 1 % at most."""
    make(followed.root, Tree(NOW, 0.1, layout="flat"))
    followed.look()

    def scandir(path: str, real: object = os.scandir) -> object:
        followed.at_s += 0.5 if len(reads) == 0 else 0.03
        return real(path)  # type: ignore[operator]

    monkeypatch.setattr(os, "scandir", scandir)
    reads.clear()
    followed.now_ms += 2 * MINUTE
    gone = own_path(NOW - HOUR).partition("/")[2]
    for second in range(60):
        name = own_path(NOW + second * SECOND).partition("/")[2]
        (followed.root / name).write_bytes(film(SECOND))
        followed.look()
        if second == 0:  # what does not sort behind all others waits until the folder has rested
            (followed.root / gone).unlink()
        if second == 30:
            assert own_path(NOW + 26 * SECOND).partition("/")[2] in followed.names()
            assert gone in followed.names()
        followed.at_s += 1
    assert len(reads) <= 60 // 3 + 6
    followed.at_s += 50
    followed.look()
    assert gone not in followed.names()
    assert followed.index.totals(followed.id)[0] == 144 + 60 - 1


def test_folder_replaced_by_a_link_is_not_followed(followed: Followed) -> None:
    """A link put in a folder's place leads out of the house, for what lies below it too."""
    outside = followed.folder / "outside"
    make(followed.root, Tree(NOW, 0.2, layout="dahua"))
    followed.look()
    (followed.root / "2026-11-25").rename(outside)
    (followed.root / "2026-11-25").symlink_to(outside, target_is_directory=True)
    (outside / "001" / "dav" / "11" / "11.59.00-12.00.00[R].avi").write_bytes(b"x")
    followed.look(whole=True)
    assert followed.names() == set()


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


def test_interrupted_first_scan_goes_on(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service killed in its first scan must neither begin from nothing nor leave anything out."""
    monkeypatch.setattr(scan, "BATCH", 100)
    count = make(followed.root, Tree(NOW, 3, holes=HOLES))
    for number, _progress in enumerate(followed.scanner.look()):
        if number == 20:
            break
    camera = followed.index.camera("gate")
    assert camera is not None
    assert camera.scanned_ms is None
    half = sum(1 for _row in followed.index.segments(followed.id))
    assert half
    followed.open()
    assert followed.look() == count - half
    assert len(followed.runs()) == 4


def test_files_come_and_go_during_the_scan(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder does not wait for us: what changed during a pass is right after the next."""
    monkeypatch.setattr(scan, "BATCH", 50)
    make(followed.root, Tree(NOW, 1))
    paths = sorted(followed.root.rglob("*.mp4"))
    for number, _progress in enumerate(followed.scanner.look()):
        if number % 5 == 0:
            paths[number * 7].unlink()
            followed.put(NOW + number * MINUTE)
    followed.look(whole=True)
    there = {str(path.relative_to(followed.root)) for path in followed.root.rglob("*.mp4")}
    assert followed.names() == there


def test_index_lost_or_damaged_is_made_anew(followed: Followed, tmp_path: Path) -> None:
    """The disk alone tells everything: the index is only its memory."""
    make(followed.root, Tree(NOW, 2, holes=HOLES))
    followed.look()
    known = followed.runs()
    followed.index.close()
    path = tmp_path / "state" / "recordings.db"
    for damage in (b"", b"no database at all" * 1000, None):
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage)
        again = Followed(tmp_path)
        again.look()
        assert again.runs() == known
        again.index.close()


def test_others_read_beside_the_scan(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands ask in their own process while the first scan is still running."""
    monkeypatch.setattr(scan, "BATCH", 100)
    make(followed.root, Tree(NOW, 1))
    seen = []
    for _progress in followed.scanner.look():
        reader = Reader(followed.index.path)
        with reader.at_one_moment():
            seen.append(sum(1 for _row in reader.segments(followed.id)))
        reader.close()
    assert seen == sorted(seen)
    assert seen[-1] == 1440
    with pytest.raises(sqlite3.OperationalError):
        Reader(followed.index.path)._db.execute("DELETE FROM segment")


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "put", "remove", "empty", "look", "check", "restart")),
        st.integers(0, 80),
        st.sampled_from((20, 50, 60, 60, 60, 61, 90, 400)),
    ),
    max_size=40,
)


@given(ACTIONS)
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_following_gives_what_a_rebuild_gives(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int, int]]
) -> None:
    """Whatever came and went in whatever order, the index says what the disk says."""
    followed = Followed(tmp_path_factory.mktemp("followed"))
    on_disk: dict[int, int] = {}
    for action, minute, seconds in actions:
        start = NOW - minute * MINUTE
        if action in {"put", "empty"} and start not in on_disk:
            on_disk[start] = seconds * SECOND if action == "put" else 0
            followed.put(start, on_disk[start], None if action == "put" else b"")
        elif action == "remove" and on_disk.pop(start, None) is not None:
            (followed.root / own_path(start)).unlink()
        elif action == "look":
            followed.look(whole=True)
        elif action == "check":
            followed.scanner.check_some(10)
        elif action == "restart":
            followed.open()
    followed.look(whole=True)
    while followed.scanner.check_some(100):
        pass
    anew = rebuilt(followed, tmp_path_factory.mktemp("rebuilt"))
    truth = joined((start, start + length) for start, length in on_disk.items())
    assert anew.runs() == truth
    assert followed.names() == {own_path(start) for start in on_disk}
    assert followed.index.totals(followed.id) == anew.index.totals(anew.id)
    assert followed.index.days(followed.id) == anew.index.days(anew.id)
    assert followed.runs() == truth
