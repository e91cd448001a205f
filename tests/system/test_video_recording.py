"""Whatever is killed while it records, what was written plays, and what is missing is known."""

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gatehouse_sim.school import School
from gatehouse_sim.school_cameras import SimCamera
from gatehouse_sim.video import verdicts
from system.seen import gatehouse, told
from system.video_seen import looks, played, watched
from video.recording_rig import Segment, fragments, until

FRAME_S = 1 / 25
AGREE_S = 1.5
"""Names are cut to the second, and so are the times in the document."""
ALL = "[retention]\ngap_seconds = 1\n"
"""Every hole is a gap, but for one of up to a second (names tell no more)."""
SURE_S = 1.25
"""A hole of this length is a gap, however long its last frame is thought to be."""


@dataclass(frozen=True)
class Hole:
    """A time without a recording, in seconds since 1970."""

    begins: float
    ends: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.ends - self.begins

    def agrees(self, gap: dict[str, Any]) -> bool:
        """Whether a gap of the document is this one."""
        told = (unix(gap["from"]), unix(gap["to"]), gap["seconds"])
        seen = (self.begins, self.ends, self.seconds)
        return all(abs(one - other) < AGREE_S for one, other in zip(told, seen, strict=True))


class Tape:
    """The segments of one camera, in order, and what was on the disk before each kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.flushed: dict[Path, int] = {}

    def files(self) -> list[Path]:
        """Return the segments, by their names."""
        return sorted(self._folder.glob("*/*.mp4"))

    async def grows(self) -> None:
        """Wait until a segment that no kill has seen yet has a whole fragment."""

        def fresh() -> Path | None:
            new = (path for path in self.files() if path not in self.flushed)
            return next((path for path in new if fragments(path)), None)

        await until(fresh, f"a new segment beside {self.flushed}")
        path = fresh()
        assert path is not None
        self.flushed[path] = fragments(path)

    def played(self, *, but_last: bool = False) -> list[Segment]:
        """Play every segment to its end; none may lack what was whole before its writer died."""
        files = [path for path in self.files() if fragments(path)]
        found = [played(path) for path in (files[:-1] if but_last else files)]
        assert all(fragments(path) >= whole for path, whole in self.flushed.items())
        return found

    def holes(self) -> list[Hole]:
        """Return what is missing up to the last segment, by what can be played of the others."""
        found = self.played(but_last=True)  # that one grows while it is read
        starts = [each.start.timestamp() for each in [*found[1:], Segment(self.files()[-1], ())]]
        ends = [each.end + FRAME_S for each in found]
        return [Hole(*hole) for hole in zip(ends, starts, strict=True)]


def unix(text: str) -> float:
    """Read a time of the document."""
    return datetime.fromisoformat(text).timestamp()


async def kill_ffmpeg(school: School) -> None:
    """Kill the child that records."""
    (recorder,) = (c for c in await looks(school, gate=2) if c.part == "recorder")
    os.kill(recorder.pid, signal.SIGKILL)


async def kill_service(school: School) -> None:
    """Kill the video service, and start it as systemd would."""
    await school.video.kill()
    await school.video.start()


async def kill_cameras(school: School) -> None:
    """Take the power from the cameras, and give it back when that was seen."""
    await school.cameras.kill()
    await school.video.cameras_until(lambda d: verdicts(d) == {"gate": "unreachable"})
    await school.cameras.start()


KILLS: tuple[Callable[[School], Awaitable[None]], ...] = (kill_ffmpeg, kill_service, kill_cameras)


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.campaign)])
async def test_recording_goes_on_over_every_kill(school_root: Path, rounds: int) -> None:
    """Without it a crash would cost more than its seconds, or seconds that nobody knows of."""
    async with watched(school_root, {"gate": SimCamera()}, more=ALL) as school:
        tape = Tape(school.place.recordings / "gate")
        await tape.grows()
        await school.video.reload()  # a pass is made at once: what it finds first is no news
        await school.video.recordings_until(lambda d: d["cameras"][0]["segments"] > 0)
        for kill in KILLS * rounds:
            await kill(school)
            await tape.grows()
        await school.video.reload()
        holes = tape.holes()

        def past(document: dict[str, Any]) -> list[dict[str, Any]]:
            """Return its gaps but for the one that lasts until now."""
            (camera,) = document["cameras"]
            return [gap for gap in camera["gaps"] if unix(gap["to"]) <= holes[-1].ends]

        await school.video.recordings_until(lambda d: agree(past(d), holes))
        gaps = past((await gatehouse(school, "recordings", "--json")).json)
        assert agree(gaps, holes)
        assert len(gaps) >= rounds  # what is not over a second may be hidden by the names
        events = await told(school, "recording.gap", len(gaps))
        assert [{k: r.event.data[k] for k in ("from", "to", "seconds")} for r in events] == gaps
        assert await school.video.stop() == 0
        assert len(tape.played()) == len(holes) + 1


def agree(gaps: Sequence[dict[str, Any]], holes: Sequence[Hole]) -> bool:
    """Whether the document has all that is missing, and nothing else."""
    matched = [[hole for hole in holes if hole.agrees(gap)] for gap in gaps]
    found = {hole for each in matched for hole in each}
    missed = {hole for hole in holes if hole.seconds > SURE_S} - found
    return all(matched) and not missed and len(gaps) <= len(found)
