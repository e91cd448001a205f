"""Bundles as the service knows them: what is told of them, and what a damaged one holds."""

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evidence.bundle_killed import ALARM, first
from gatehouse.clock import SystemClock
from gatehouse.control import reports
from gatehouse.errors import ControlError
from gatehouse.evidence import bundle, bundles, plan, room, verify
from gatehouse.evidence.manifest import Item
from gatehouse.evidence.shelf import Release, Shelf, Told
from gatehouse.video_service import binder
from gatehouse.video_service.asking import Seen
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.keeping import ALL, Keeping

OTHER = "01a21662-6194-75e6-b4f7-7745787c88f5"


def keeping(root: Path) -> Keeping:
    """Return what keeps the bundles of a folder; nothing is read yet."""
    made = Keeping(Shelf(root), Beside("t", 30.0), SystemClock("boot"), lambda: None)
    made.limit, made.cameras = 10**10, 1
    return made


@pytest.mark.parametrize(
    ("number", "stands", "unknown"),
    [
        (errno.ENOSPC, reports.EVIDENCE_FULL, reports.EVIDENCE_FAILED),
        (errno.EDQUOT, reports.EVIDENCE_FULL, reports.EVIDENCE_FAILED),
        (errno.EROFS, reports.EVIDENCE_FAILED, reports.EVIDENCE_FULL),
        (errno.ETIMEDOUT, reports.EVIDENCE_FAILED, reports.EVIDENCE_FULL),
    ],
)
async def test_what_a_disk_does_is_told(
    tmp_path: Path, number: int, stands: str, unknown: str
) -> None:
    """Also before anything could be read: a card that is full at the first start is a fault."""
    kept = keeping(tmp_path)
    assert set(kept.row().unknown) == {reports.EVIDENCE_FAILED, reports.EVIDENCE_FULL}
    kept.trouble(ALL, OSError(number, "so"))
    assert [each.fault for each in kept.row().stands] == [stands]
    assert kept.row().unknown == (unknown,)
    with pytest.raises(ControlError, match="still being read"):
        await kept.release(ALARM, "Li", "site")
    await kept.load()
    assert (kept.row().stands, kept.row().unknown) == ((), ())


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", b'{"version": 2}'])
async def test_a_damaged_bundle_holds_all_cameras(tmp_path: Path, damage: bytes) -> None:
    """What cannot be read may be what an inquiry wants: nothing of its time may go."""
    folder = tmp_path / ALARM
    bundle.begin(folder, plan.ready(first()))
    (folder / "manifest.json").write_bytes(damage)
    kept = keeping(tmp_path)
    for loaded in (False, True):  # clean-up may ask before the bundles were read
        if loaded:
            await kept.load()
        (span,) = kept.held("whatever")
        assert span.from_ms < int(ALARM.replace("-", "")[:12], 16) < span.to_ms
    (stands,) = kept.row().stands
    assert (stands.fault, stands.data) == (reports.EVIDENCE_FAILED, {"damaged": [ALARM]})
    assert not await kept.release(ALARM, "Li", "site")
    assert kept.row().stands == ()
    assert not kept.held("whatever")
    (told,) = kept.told()
    assert told.type == reports.EVIDENCE_RELEASED


async def test_what_was_told_is_not_told_again_by_the_next_start(tmp_path: Path) -> None:
    """Each ready bundle is one event, whatever is started anew in between."""
    bundle.begin(tmp_path / ALARM, plan.ready(first()))
    kept = keeping(tmp_path)
    await kept.load()
    (told,) = kept.told()
    again = keeping(tmp_path)
    await again.load()
    assert again.told() == (told,)
    await again.received([told.key])
    assert again.told() == ()
    last = keeping(tmp_path)
    await last.load()
    assert last.told() == ()


@pytest.mark.parametrize("left", [True, False])
async def test_what_went_by_hand_makes_room_once(tmp_path: Path, left: bool) -> None:
    """Without it an administrator who made room by hand would be the end of all clips."""
    for alarm in (ALARM, OTHER):
        place = tmp_path / alarm
        bundle.begin(place, plan.ready(msgspec.structs.replace(first(), alarm=alarm)))
        (place / "film").write_bytes(b"x" * 100_000)
        Shelf(tmp_path).release(Release(alarm, "Li", "site", "2026-11-26T05:00:00.000000Z"))
        Shelf(tmp_path).tell(alarm, Told(ready=True, released=True))
    kept = keeping(tmp_path)
    await kept.load()
    kept.limit = 60_000
    (tmp_path / ALARM).rename(tmp_path / (f".gone-{ALARM}" if left else "moved"))
    assert await kept.has_room(50_000)
    assert not (tmp_path / f".gone-{ALARM}").exists()
    assert Shelf(tmp_path).read() == []


class _Slow:
    """A disk that writes, but does not say so in time, as often as it is told to."""

    late = 1

    async def do(self, work: Callable[[], None]) -> None:
        """Write, and be late."""
        work()
        if self.late and getattr(work, "func", None) is bundle.add:
            self.late -= 1
            raise TimeoutError(errno.ETIMEDOUT, "slow")


async def test_what_a_slow_disk_wrote_late_is_no_tampering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a card that hung for a while would leave files that verify calls added."""
    monkeypatch.setattr(binder, "AGAIN_S", 0.01)
    shelf, slow = Shelf(tmp_path), _Slow()
    nothing: Any = lambda *_: None  # noqa: E731  # what nobody here hears
    outside = binder.Outside(slow.do, nothing, nothing, nothing)
    bound = binder.Binder(shelf.place(ALARM), first(), outside, begun=False)
    bound.picture("gate", 0, Seen(0, 0, "synced", b"\xff\xd8\xffwhole", b"\xff\xd8\xffsmall"))
    bound.close()
    await asyncio.wait_for(bound.run(), 30)
    found = bundles.read(tmp_path, ALARM)
    assert found.manifest is not None
    assert [each.why for each in found.manifest.lacking] == ["damaged"]
    assert verify.check(found) == []


@pytest.mark.parametrize("name", ["manifest.json", "released.json", "01-gate.jpg"])
@pytest.mark.parametrize("link", [True, False])
async def test_one_odd_bundle_does_not_stop_the_others(
    tmp_path: Path, name: str, link: bool
) -> None:
    """Without it a link to nowhere, or a folder, in one bundle would be the end of all evidence."""
    for alarm in (ALARM, OTHER):
        bundle.begin(tmp_path / alarm, plan.ready(msgspec.structs.replace(first(), alarm=alarm)))
    odd = tmp_path / ALARM / name
    odd.unlink(missing_ok=True)
    if link:
        odd.symlink_to("nowhere")
    else:
        odd.mkdir()
    kept = keeping(tmp_path)
    await kept.load()
    assert {each.alarm: each.release for each in kept.shelf.read()} == {ALARM: None, OTHER: None}
    assert len(kept.held("gate")) == 2


async def test_no_picture_is_taken_where_there_is_no_room_for_it(tmp_path: Path) -> None:
    """Without it pictures would take the room of the outbox, which lies on the same disk."""
    kept = keeping(tmp_path)
    await kept.load()
    big = (
        Item(
            file="a.mp4",
            kind="clip",
            camera="gate",
            sha256="0" * 64,
            bytes=1000,
            begins="",
            ends="",
            clock="synced",
        ),
    )
    kept.written(msgspec.structs.replace(first(), items=big))
    kept._free = room.SPARE + 1
    assert kept.fits()
    kept._free = room.SPARE
    assert not kept.fits()
    kept._free, kept.limit = room.SPARE + 1, 1000
    assert not kept.fits()
