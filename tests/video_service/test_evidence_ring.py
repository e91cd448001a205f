"""A CSI camera that nobody records: its ring is written around alarms, one file for many."""

import asyncio
import time
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock
from gatehouse.video_service import ring
from gatehouse.video_service.ring import Rings
from video_service.evidence_rig import FILM_S, make_film


async def test_one_file_for_many_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring is one: a second alarm must not cut off what the first one wants."""
    monkeypatch.setattr(ring, "MORE_S", 0.2)
    monkeypatch.setattr(ring, "CLOSED_S", 0.1)
    film = make_film(tmp_path / "film.mp4").read_bytes()
    orders: list[tuple[Path, float]] = []

    def keep(_camera: str, path: Path, after_s: float) -> bool:
        orders.append((path, after_s))
        path.write_bytes(film)
        return True

    rings = Rings(tmp_path / "rings", keep, SystemClock("boot"), preroll_s=0.2)
    now_ms = time.time_ns() // 1_000_000
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(rings.recorded("csi", now_ms + ms)) for ms in (0, 500)]
    (path, _), (again, after_s) = orders
    assert path == again
    for task in both:
        lent = task.result()
        assert lent is not None
        (recorded,) = lent.recorded
        assert recorded.end_ms - recorded.start_ms == FILM_S * 1000
        assert abs(recorded.end_ms - now_ms - after_s * 1000) < 10_000
        assert path.exists()
        lent.give_back()
    assert not path.exists()


async def test_no_ring(tmp_path: Path) -> None:
    """A camera whose eye is not there has no ring, and that is no error."""
    rings = Rings(tmp_path, lambda *_: False, SystemClock("boot"), preroll_s=0.2)
    assert await rings.recorded("csi", time.time_ns() // 1_000_000) is None


async def test_a_ring_that_cannot_be_read_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it each failure left a film of minutes on the disk until the next start."""
    written: list[Path] = []

    def keep(_camera: str, path: Path, _after_s: float) -> bool:
        path.write_bytes(b"ring")
        written.append(path)
        return True

    def fails(_path: Path) -> None:
        raise OSError(5, "bad block")

    monkeypatch.setattr(ring, "MORE_S", 0.0)
    monkeypatch.setattr(ring, "CLOSED_S", 0.0)
    monkeypatch.setattr(ring, "content", fails)
    rings = Rings(tmp_path, keep, SystemClock("boot"), preroll_s=0.0)
    with pytest.raises(OSError, match="bad block"):
        await rings.recorded("csi", 1)
    assert not written[0].exists()
