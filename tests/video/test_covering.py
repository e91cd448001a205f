"""Which recordings cover a time, and how a clip is cut out of them."""

import os
from pathlib import Path

import pytest

from gatehouse.video import covering, cut
from gatehouse.video.covering import Recorded
from gatehouse.video.layout import own_path
from gatehouse_sim.recordings import film

START_MS = 1_795_671_223_000


def record(root: Path, start_ms: int, length_ms: int, late_ms: int = 400) -> Path:
    """Write a recording that really began so much after its name."""
    path = root / own_path(start_ms)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(film(length_ms))
    ends_ns = (start_ms + late_ms + length_ms) * 1_000_000
    os.utime(path, ns=(ends_ns, ends_ns))
    return path


def test_what_covers_a_time(tmp_path: Path) -> None:
    """A clip must not begin late for a name that is cut to the second, nor hide a hole."""
    paths = [
        record(tmp_path, START_MS - 60_000, 60_000),
        record(tmp_path, START_MS, 20_000),
        record(tmp_path, START_MS + 50_000, 60_000, late_ms=5_000_000),
        record(tmp_path, START_MS + 110_000, 60_000),
    ]
    (tmp_path / own_path(START_MS + 1000)).write_bytes(b"")
    begin_ms, end_ms = START_MS - 10_000, START_MS + 80_000
    found = covering.own(tmp_path, begin_ms, end_ms)
    assert [each.path for each in found] == paths[:3]
    assert found[0].start_ms == START_MS - 60_000 + 400
    assert found[2].start_ms == START_MS + 50_000, "it was copied: its own time says nothing"
    missing = [each for each in covering.holes(found, begin_ms, end_ms) if each[1] - each[0] > 500]
    assert missing == [(START_MS + 20_400, START_MS + 50_000)]


def test_over_midnight(tmp_path: Path) -> None:
    """A press just after midnight has its first half in yesterday's folder."""
    midnight_ms = 1_795_651_200_000
    paths = [
        record(tmp_path, midnight_ms - 60_000, 60_000),
        record(tmp_path, midnight_ms, 60_000),
    ]
    found = covering.own(tmp_path, midnight_ms - 20_000, midnight_ms + 20_000)
    assert [each.path for each in found] == paths


def test_nothing_is_there(tmp_path: Path) -> None:
    """A camera that never recorded must be no error."""
    assert covering.own(tmp_path / "no", START_MS, START_MS + 1000) == []
    whole = list(covering.holes([], START_MS, START_MS + 1000))
    assert whole == [(START_MS, START_MS + 1000)]


@pytest.mark.parametrize(
    ("asked_ms", "begins_ms", "skip_s"),
    [(2500, 2000, 1.98), (2000, 2000, 1.98), (500, 0, 0.0), (-3000, 0, 0.0), (99_000, 3000, 2.98)],
)
def test_a_clip_begins_at_a_keyframe(asked_ms: int, begins_ms: int, skip_s: float) -> None:
    """It must begin at the keyframe before, never after, and say where that is."""
    one = Recorded(Path("/a/it's.mp4"), START_MS, START_MS + 60_000, (0, 1000, 2000, 3000))
    found = cut.plan([one], START_MS + asked_ms, START_MS + 10_000)
    assert found.begins_ms == START_MS + begins_ms
    assert found.skip_s == pytest.approx(skip_s)
    assert rb"file 'file:/a/it'\''s.mp4'" in found.script


def test_a_hole_stays_one() -> None:
    """What was recorded twenty seconds later must be shown twenty seconds later."""
    one = Recorded(Path("/a"), START_MS, START_MS + 10_000, (0,))
    two = Recorded(Path("/b"), START_MS + 30_000, START_MS + 40_000)
    three = Recorded(Path("/c"), START_MS + 40_100, START_MS + 50_000)
    script = cut.plan([one, two, three], START_MS, START_MS + 50_000).script.decode()
    lengths = [line.split()[1] for line in script.splitlines() if line.startswith("duration")]
    assert lengths == ["30.000", "10.000", "9.900"]
