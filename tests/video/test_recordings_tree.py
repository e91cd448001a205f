"""The simulated trees: what they promise is on the disk, the same each time, and playable."""

import subprocess
from pathlib import Path

import pytest

from gatehouse.video.segment import Measure, measure
from gatehouse_sim.recordings import LAYOUTS, Hole, Tree, film, make
from video.trees import DAY, HOUR, MINUTE, NOW


def length_of(data: bytes) -> Measure | None:
    """Measure these bytes as a file."""
    return measure(lambda at, count: data[at : at + count], len(data))


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_tree_has_what_it_says(tmp_path: Path, layout: str) -> None:
    """A test of retention against a tree that is not what it says would prove nothing."""
    tree = Tree(NOW, 0.5, layout=layout, holes=(Hole(3 * HOUR, HOUR),))
    count = make(tmp_path, tree)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert count == len(files) == 11 * 60
    spans = list(tree.segments())
    assert spans[0][0] == NOW - DAY // 2
    assert sum(length for _start, length in spans) == 11 * HOUR


def test_same_seed_same_tree(tmp_path: Path) -> None:
    """A failure found by a seed must be found again."""
    trees = [Tree(NOW, 2, random_holes=9, seed=seed) for seed in (1, 1, 2)]
    first, second, other = (list(tree.segments()) for tree in trees)
    assert first == second != other
    assert make(tmp_path, trees[0]) == len(first)


def test_film_is_as_long_as_it_says(tmp_path: Path) -> None:
    """The films are made by hand: ffprobe must find in them what our own reader finds."""
    path = tmp_path / "film.mp4"
    for length in (1000, 59_999, MINUTE):
        data = film(length)
        path.write_bytes(data)
        assert length_of(data) == Measure(length)
        command = "ffprobe -v quiet -show_entries packet=pts_time -of csv=p=0"
        shown = subprocess.run(
            [*command.split(), str(path)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert [float(time.strip(",")) for time in shown] == [0, length // 2 / 1000]


def test_overlaps_and_own_files(tmp_path: Path) -> None:
    """A recorder whose files overlap, each with its own time, as after a copy by rsync."""
    make(tmp_path, Tree(NOW, 0.01, overlap_ms=5000, own_files=True))
    path = min(tmp_path.rglob("*.mp4"))
    assert length_of(path.read_bytes()) == Measure(65_000)
    assert path.stat().st_nlink == 1
    start = NOW - round(0.01 * DAY)
    assert path.stat().st_mtime_ns == (start + 65_000) * 1_000_000
