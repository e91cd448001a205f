"""What another recorder has becomes evidence that it cannot change."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from gatehouse.clock import SystemClock
from gatehouse.config import Camera
from gatehouse.video import covering
from gatehouse.video.covering import Recorded
from gatehouse.video_service import taking
from gatehouse.video_service.album import TAKE_S, Album
from gatehouse.video_service.asking import Seen
from gatehouse.video_service.clips import Clips, Pace, Wanted
from gatehouse.video_service.pictures_out import DEADLINE_S, PicturesOut
from video_service.watch_rig import Clock, S


@pytest.mark.parametrize("growing", [True, False])
def test_a_copy_stays_as_it_was(tmp_path: Path, growing: bool) -> None:
    """A recorder that fills a ring of files writes other footage into the same one."""
    source, fresh = tmp_path / "ch01.mp4", tmp_path / "fresh"
    source.write_bytes(b"film" * 2_000_000)
    fresh.write_bytes(b"left by a crash")
    assert taking.take(source, fresh, growing=growing, until=lambda: True) == taking.COPY
    with source.open("r+b") as again:
        again.write(b"else")
    assert fresh.read_bytes() == b"film" * 2_000_000


def test_what_takes_too_long_is_linked_and_said(tmp_path: Path) -> None:
    """A slow card must not lose what a link still holds; but a growing file has no hash yet."""
    source, fresh = tmp_path / "ch01.mp4", tmp_path / "fresh"
    source.write_bytes(b"film")
    assert taking.take(source, fresh, growing=False, until=lambda: False) == taking.LINK
    assert fresh.samefile(source)
    with pytest.raises(TimeoutError):
        taking.take(source, fresh, growing=True, until=lambda: False)
    assert not fresh.exists()
    assert source.exists()


async def test_a_file_that_went_costs_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a recorder that deletes its oldest file took the whole clip with it."""
    there = tmp_path / "b.mp4"
    there.write_bytes(b"film")
    found = [Recorded(tmp_path / "a.mp4", 0, 5000), Recorded(there, 5000, 10_000)]
    monkeypatch.setattr(covering, "others", lambda *_: found)
    clips = Clips(SystemClock("boot"), tmp_path / "index", _room, Pace(other_s=0.0))
    (tmp_path / "bundle").mkdir()
    camera = Camera("gate", "rtsp://x/y", "general", recordings=tmp_path)
    got = await clips.other(Wanted(camera, tmp_path / "bundle", 0, 10_000))
    assert [(item.file, item.source) for item in got.items] == [("clip-gate-2.mp4", "other")]
    assert [(each.why, "a.mp4" in each.text) for each in got.lacking] == [("damaged", True)]
    assert os.listdir(tmp_path / "bundle") == ["clip-gate-2.mp4"]  # noqa: PTH208  # names alone


async def test_what_could_not_be_read_is_said_also_where_the_room_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the manifest would say that room alone was lacking."""
    there = tmp_path / "b.mp4"
    there.write_bytes(b"film")
    found = [Recorded(tmp_path / "a.mp4", 0, 5000), Recorded(there, 5000, 10_000)]
    monkeypatch.setattr(covering, "others", lambda *_: found)

    async def only_for_none(need: int) -> bool:
        await asyncio.sleep(0)
        return not need

    clips = Clips(SystemClock("boot"), tmp_path / "index", only_for_none, Pace(other_s=0.0))
    (tmp_path / "bundle").mkdir()
    camera = Camera("gate", "rtsp://x/y", "general", recordings=tmp_path)
    got = await clips.other(Wanted(camera, tmp_path / "bundle", 0, 10_000))
    assert [each.why for each in got.lacking] == ["damaged", "disk-full"]


async def test_only_the_first_picture_may_be_of_a_frame_from_before_it_was_asked_for() -> None:
    """Without it a camera that stands still would give old frames as pictures of now."""
    asked: list[float] = []

    async def look(_camera: str, old_s: float) -> Seen:
        asked.append(old_s)
        return Seen(0, 0, "synced", b"whole", b"small")

    album = Album(look, SystemClock("boot"), 0.5)
    for at_once in (True, False):
        await album.picture("gate", at_once=at_once)
    assert asked == [TAKE_S, 0.5]


async def test_a_picture_that_is_too_old_to_help_is_not_offered() -> None:
    """Without it the line would carry what nobody wants to see any more."""
    clock, asked, last = Clock(), [], asyncio.Event()

    async def ask(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["number"])
        if request["number"] == 3:
            last.set()
        return {}

    out = PicturesOut(ask, clock)
    for number, age_s in enumerate((DEADLINE_S, DEADLINE_S - 1.0, 0.0), 1):
        out.offer("alarm", number, Path("picture.jpg"), age_s)
    clock.now_ns += 2 * S
    running = asyncio.create_task(out.run())
    await asyncio.wait_for(last.wait(), 60)
    assert asked == [3]
    running.cancel()


async def _room(_need: int) -> bool:
    await asyncio.sleep(0)
    return True
