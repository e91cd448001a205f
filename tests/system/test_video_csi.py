"""A camera on the ribbon cable, by the stand-in for picamera2, through the whole service."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gatehouse_sim.csi import STAND_IN, VARIABLE, Manners, behave
from gatehouse_sim.films import film_path, films
from gatehouse_sim.school import Plan, School, opened
from gatehouse_sim.video import verdicts
from system.seen import gatehouse
from system.video_seen import GOP, about, looks, played, told_of
from video.recording_rig import fragments, until

STALLED = [("camera.fault", "stalled"), ("camera.restored", "stalled")]


@dataclass(frozen=True)
class Ribbon:
    """A school with one camera on its ribbon cable."""

    school: School
    path: Path
    manners: Manners

    def loose(self, loose: bool) -> None:
        """Let the cable slip, or push it in again."""
        behave(self.path, replace(self.manners, loose=loose))

    def files(self) -> list[Path]:
        """Return the segments, by their names."""
        return sorted((self.school.place.recordings / "gate").glob("*/*.mp4"))

    async def grows(self, segments: int) -> int:
        """Wait until the newest of so many segments has a whole fragment; return how many."""
        await until(lambda: len(self.files()) >= segments and fragments(self.files()[-1]))
        return fragments(self.files()[-1])


@asynccontextmanager
async def ribbon(root: Path) -> AsyncIterator[Ribbon]:
    """Open a school whose camera is the stand-in's."""
    manners = Manners(str(film_path(await films(names=["normal"]), "normal")))
    behave(root / "csi.json", manners)
    (root / "recordings").mkdir()
    camera = f"""[[camera]]
name = "gate"
covers = ["校门"]
area = "critical"
source = "picamera2:0"
recordings = "{root / "recordings" / "gate"}"
"""
    environ = {VARIABLE: str(root / "csi.json"), "PYTHONPATH": str(STAND_IN)}
    async with opened(root, Plan(tls=False, more=camera, environ=environ), video=True) as school:
        yield Ribbon(school, root / "csi.json", manners)


async def test_it_is_watched_and_recorded(school_root: Path) -> None:
    """Without it the gatehouse's own camera would be the one that nobody watches or records."""
    async with ribbon(school_root) as rig:
        flushed = await rig.grows(1)
        (eye,) = await looks(rig.school, csi=1)
        os.kill(eye.pid, signal.SIGKILL)
        await rig.grows(2)
        await rig.school.video.cameras_until(lambda d: verdicts(d) == {"gate": "ok"})
        said = await gatehouse(rig.school, "cameras", "--json")
        (camera,) = said.json["cameras"]
        assert (camera["verdict"], camera["records"]) == ("ok", True)
        assert (camera["width"], camera["height"]) == (1920, 1080)
        assert said.json["uncovered"] == []
        assert await rig.school.video.stop() == 0
        first, second = map(played, rig.files())
        assert len(first.packets) >= GOP * flushed
        assert second.start.timestamp() > first.end - 1
        assert about(rig.school, "camera/gate") == []  # the camera was well


@pytest.mark.campaign
async def test_a_loose_cable(school_root: Path) -> None:
    """Without it a slipped cable, which raises no error, would be a camera that stands still."""
    async with ribbon(school_root) as rig:
        flushed = await rig.grows(1)
        rig.loose(True)
        await told_of(rig.school, "camera/gate", "camera.fault", "stalled")
        assert (await rig.school.video.cameras())["uncovered"] == ["校门"]
        rig.loose(False)
        await told_of(rig.school, "camera/gate", "camera.restored", "stalled")
        await rig.school.video.cameras_until(
            lambda d: verdicts(d) == {"gate": "ok"} and d["cameras"][0]["records"]
        )
        await rig.grows(2)
        assert await rig.school.video.stop() == 0
        first, *_, last = map(played, rig.files())
        assert len(first.packets) >= GOP * flushed
        assert last.start.timestamp() > first.end
        assert about(rig.school, "camera/gate") == STALLED
