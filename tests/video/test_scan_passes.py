"""Pass after pass: what each costs, what it finds that changed, and what a kill leaves."""

import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.video import scan
from gatehouse.video.index_reader import Reader
from gatehouse.video.layout import own_path
from gatehouse.video.retention import Span
from gatehouse_sim.recordings import Tree, film, make
from video.trees import DAY, HOLES, HOUR, MINUTE, NOW, SECOND, Followed, joined, rebuilt


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
