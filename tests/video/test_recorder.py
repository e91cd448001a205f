"""Recording: whatever is killed, what was flushed plays, and a new segment begins."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from gatehouse.video.recording_child import with_parent
from gatehouse.video.rtsp_eye_url import with_credential
from video.recording_rig import QUICK, Clock, fragments, gone, recording, segment, until
from video.sim_cameras import simulated

PASSWORD = "p'ass w:ö/r@d%1?#"  # noqa: S105  # of a camera that never was
LONG = replace(QUICK, segment_s=60)
PATIENT = replace(LONG, progress_s=30.0)
"""Where nothing hangs: what a loaded machine writes late must not be begun anew."""
SOON = replace(PATIENT, fault_s=4.0)
GAP_S = 3.0
"""Names are whole seconds; a second for the name and two for a busy machine."""


@pytest.mark.parametrize(
    "film", ["normal", pytest.param("normal-h265", marks=pytest.mark.campaign)]
)
async def test_segments_follow_one_another(film: str, tmp_path: Path) -> None:
    """Without it there would be nothing to show after an alarm."""
    async with (
        simulated({"gate": film}) as cameras,
        recording(cameras.url("gate"), tmp_path / "gate") as rig,
    ):
        await rig.records(3)
    assert rig.said == [(True, "")]
    segments = [segment(path) for path in rig.files()]
    for each in segments:
        assert each.path.parent.name == f"{each.start:%Y-%m-%d}"
        assert each.path.name == f"{each.start:%Y%m%dT%H%M%SZ}.mp4"
    for before, after in pairwise(segments):
        assert abs(after.start.timestamp() - before.end) <= GAP_S
    frames = sum(len(each.packets) for each in segments)
    seconds = segments[-1].end - segments[0].start.timestamp()
    assert frames == pytest.approx(25 * seconds, rel=0.35)


async def test_the_password_is_seen_by_nobody(tmp_path: Path) -> None:
    """What stands on a command line or in the environment any user of the machine may read."""
    async with simulated({"gate": "normal"}) as cameras:
        await cameras.password("gate", "admin", PASSWORD)
        url = with_credential(cameras.url("gate"), f"admin:{PASSWORD}")
        secret = url.partition("@")[0].rpartition(":")[2].encode()
        patient = replace(PATIENT, fault_s=3600.0)
        async with recording(url, tmp_path / "gate", timing=patient) as rig:
            await rig.records(1)
            for name in ("cmdline", "environ"):
                seen = shown(rig.pid, name)
                assert seen
                assert secret not in seen
                assert b"admin" not in seen
            await cameras.password("gate", "admin", "another")
            recorder = rig.recorder
            assert recorder is not None
            await until(lambda: "401" in recorder._why)  # the broken stream's words come first
            recorder._rings()  # its time is over
            assert rig.told() == [True, False]
            assert "401" in rig.said[-1][1]
            assert secret.decode() not in rig.said[-1][1]


def shown(pid: int, name: str) -> bytes:
    """Return what the kernel shows of a process."""
    return Path(f"/proc/{pid}/{name}").read_bytes()


def whole(path: Path) -> int:
    """Read a segment that was cut; it must play to its last flushed fragment. Return the frames."""
    packets = len(segment(path).packets)
    assert packets >= 25 * (fragments(path) - 1)
    return packets


async def test_ffmpeg_killed(tmp_path: Path) -> None:
    """What was flushed before a kill -9 must play, and the next segment begin by itself."""
    async with (
        simulated({"gate": "normal"}) as cameras,
        recording(cameras.url("gate"), tmp_path / "gate", timing=PATIENT) as rig,
    ):
        for files in (1, 2):
            await rig.records(files)
            flushed = fragments(rig.files()[-1])
            await until(lambda least=flushed: fragments(rig.files()[-1]) > least + 1)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            os.kill(rig.pid, signal.SIGKILL)
        await rig.records(3)
    segments = [segment(path) for path in rig.files()]
    assert [whole(each.path) >= 50 for each in segments[:2]] == [True] * 2
    for before, after in pairwise(segments):
        assert after.start.timestamp() - before.end > -1
    assert rig.said == [(True, "")]


def test_a_child_whose_parent_was_killed_at_its_start_does_nothing() -> None:
    """The kernel kills no child that asks for it too late: ffmpeg would record for ever."""
    for parent, said in ((os.getpid(), b"recorded\n"), (1, b"")):
        command = [*with_parent(parent), "nice", "echo", "recorded"]
        ended = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        assert ended.stdout == said


async def test_the_service_killed(tmp_path: Path) -> None:
    """An ffmpeg that outlived its service would record beside the next one, and never be ended."""
    parent = """
import asyncio, sys
from pathlib import Path
from gatehouse.clock import SystemClock
from gatehouse.video.recorder import Recorder
recorder = Recorder(sys.argv[1], Path(sys.argv[2]), lambda on, why: print(recorder.pid, flush=True),
                    clock=SystemClock())
asyncio.run(recorder.run())
"""
    async with simulated({"gate": "normal"}) as cameras:
        folder = tmp_path / "gate"
        service = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", parent, cameras.url("gate"), str(folder)),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert service.stdout is not None
            child = int(await service.stdout.readline())
            await until(lambda: any(fragments(path) > 1 for path in folder.glob("*/*.mp4")))
        finally:
            service.kill()
            await service.communicate()
        await gone(child)
        (path,) = folder.glob("*/*.mp4")
        assert whole(path) >= 25
        async with recording(cameras.url("gate"), folder) as rig:
            await rig.records(2)
        assert whole(path) >= 25


async def test_the_camera_killed(tmp_path: Path) -> None:
    """A camera that lost its power is a gap, told once, and recorded again when it is back."""
    async with (
        simulated({"gate": "normal"}) as cameras,
        recording(cameras.url("gate"), tmp_path / "gate", timing=SOON) as rig,
    ):
        await until(lambda: any(fragments(path) > 1 for path in rig.files()))
        await cameras.kill()
        await until(lambda: rig.told() == [True, False])
        (path,) = rig.files()
        assert whole(path) >= 25
        await cameras.start()
        await rig.records(2)
    assert rig.told() == [True, False, True]
    first, second = (segment(path) for path in rig.files())
    assert second.start.timestamp() - first.end >= SOON.fault_s - GAP_S


@pytest.mark.parametrize("who", ["camera", pytest.param("ffmpeg", marks=pytest.mark.campaign)])
async def test_nothing_moves(who: str, tmp_path: Path) -> None:
    """A camera or an ffmpeg that hangs looks alive; only that nothing is written shows it."""
    async with (
        simulated({"gate": "normal"}) as cameras,
        recording(cameras.url("gate"), tmp_path / "gate", timing=LONG) as rig,
    ):
        await rig.records(1)
        hung = rig.pid
        if who == "camera":
            await cameras.stall("gate")
        else:
            os.kill(hung, signal.SIGSTOP)
        await gone(hung)
        await cameras.resume("gate")
        await rig.records(2)
    assert whole(rig.files()[0])


async def test_the_clock_is_set(tmp_path: Path) -> None:
    """A segment across a step of the clock would have a wrong length, and hide or make a gap."""
    clock = Clock()
    async with (
        simulated({"gate": "normal"}) as cameras,
        recording(cameras.url("gate"), tmp_path / "gate", timing=LONG, clock=clock) as rig,
    ):
        await rig.records(1)
        before = rig.pid
        clock.offset_ns = 3_600_000_000_000
        await gone(before)
        await rig.records(2)
    assert rig.said == [(True, "")]


async def test_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    """Recordings must not fill the card below the place where their disk should be."""
    folder = tmp_path / "disk" / "gate"
    async with recording(
        "rtsp://127.0.0.1:9/none", folder, timing=replace(QUICK, fault_s=0.2)
    ) as rig:
        await until(lambda: bool(rig.said))
    assert rig.said == [(False, "FileNotFoundError: No such file or directory")]
    assert not folder.parent.exists()


async def test_a_camera_that_never_was(tmp_path: Path) -> None:
    """A camera that does not answer must be told as not recorded, in words of its reason."""
    async with recording("rtsp://admin:sesame@127.0.0.1:9/none", tmp_path) as rig:
        recorder = rig.recorder
        assert recorder is not None
        await until(lambda: "refused" in recorder._why)
        recorder._rings()  # its time is over
    ((records, why),) = rig.said
    assert not records
    assert "refused" in why
    assert "sesame" not in why


async def test_an_ffmpeg_that_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that opened a camera and wrote nothing must be replaced, and told when that goes on."""
    lazy = tmp_path / "bin" / "ffmpeg"
    lazy.parent.mkdir()
    lazy.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/started\nexec sleep 600\n")
    lazy.chmod(0o755)
    monkeypatch.setenv("PATH", f"{lazy.parent}:{os.environ['PATH']}")
    timing = replace(QUICK, progress_s=0.2, fault_s=0.5)
    started = tmp_path / "started"
    async with recording("rtsp://127.0.0.1:9/none", tmp_path / "gate", timing=timing) as rig:
        await until(lambda: started.exists() and len(started.read_text().split()) >= 2)
        await until(lambda: bool(rig.said))
        assert [(records, "camera" in why) for records, why in rig.said] == [(False, True)]
        await gone(int(started.read_text().split()[0]))
