"""What is asked of the evidence on the socket: releases, and single pictures."""

import os
from pathlib import Path

import pytest

from gatehouse.errors import ControlError
from gatehouse.video_service import snapshots
from gatehouse.video_service.album import Album
from gatehouse.video_service.asking import Seen
from gatehouse.video_service.beside import Beside
from video_service.evidence_rig import SMALL, gathering
from video_service.watch_rig import Clock, S


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a short name: a socket lies in it."""
    return tmp_path_factory.mktemp("e")


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarm": "../../etc", "by": "x", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "x", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "", "via": "site"},
        {"alarm": "01a21662-6194-75e6-b4f7-7745787c88f4", "by": "x\nERROR", "via": "site"},
        {"by": "x"},
    ],
)
async def test_what_is_no_release(root: Path, wrong: dict[str, str]) -> None:
    """A request must never reach a path that is no bundle."""
    async with gathering(root) as rig:
        await rig.until(lambda: rig.evidence.row().unknown == ())
        with pytest.raises(ControlError) as refused:
            await rig.evidence.handlers()["evidence-release"](wrong)
        assert ("printable" in str(refused.value)) == ("\n" in wrong["by"])


async def test_a_snapshot_is_limited_and_honest(root: Path) -> None:
    """The district may look, but not turn a gateway into a film."""
    async with gathering(root, ("gate", "yard")) as rig:
        take = rig.evidence.handlers()["snapshot"]
        answer = await take({"camera": "gate"})
        assert isinstance(answer, dict)
        assert (root / answer["path"]).read_bytes().startswith(SMALL)
        with pytest.raises(ControlError) as refused:
            await take({"camera": "gate"})
        assert refused.value.code == "busy"
        rig.eyes.away["yard"] = "2026-11-26T05:00:00.000000Z"
        with pytest.raises(ControlError, match="no picture since 2026-11-26T05:00:00"):
            await take({"camera": "yard"})
        for wrong in ({}, {"camera": "moon"}, {"camera": 3}, {"camera": "../x"}):
            with pytest.raises(ControlError, match="camera must be one of: gate, yard"):
                await take(wrong)


async def test_snapshots_fill_neither_the_hour_nor_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it one who asks and asks would take the line and the card from alarms."""
    monkeypatch.setattr(snapshots, "AN_HOUR", 4)
    monkeypatch.setattr(snapshots, "KEPT", 3)
    clock, begin_ns, paths = Clock(), Clock().now_ns, []

    async def look(_camera: str, _old_s: float) -> Seen:
        now = clock.reading()
        return Seen(now.monotonic_ns, now.unix_ns, "synced", b"whole", SMALL)

    album, disk = Album(look, clock, 0.0), Beside("t", 30.0)
    taker = snapshots.Snapshots(tmp_path, album, disk, clock, lambda: {"gate"})
    for now_s in (0, 5, 10, 15, 3600):
        clock.now_ns = begin_ns + now_s * S
        paths.append((await taker.take({"camera": "gate"}))["path"])
        os.utime(paths[-1], (now_s, now_s))  # several may be of one tick of the disk's clock
        if now_s == 15:
            clock.now_ns += 5 * S
            with pytest.raises(ControlError, match="an hour"):
                await taker.take({"camera": "gate"})
    assert [os.access(path, os.R_OK) for path in paths] == [False] * 2 + [True] * 3
