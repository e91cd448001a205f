"""Bundles as the service knows them: what is told of them, and what a damaged one holds."""

import errno
from pathlib import Path

import pytest

from evidence.bundle_killed import ALARM, first
from gatehouse.clock import SystemClock
from gatehouse.control import reports
from gatehouse.errors import ControlError
from gatehouse.evidence import bundle, plan
from gatehouse.evidence.shelf import Shelf
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.keeping import Keeping


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
    kept.trouble(OSError(number, "so"))
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
