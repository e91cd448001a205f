"""Evidence of a whole school, from the press to the zip: real services, simulated cameras."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from gatehouse_sim import clock
from gatehouse_sim.school import BUTTONS, GATEWAY, Plan, School
from gatehouse_sim.school_cameras import SimCamera
from system.ear import Ear, ear
from system.seen import gatehouse, pressed, told
from system.video_school import at_work, filmed

PLAN: Final = Plan(
    tls=False,
    buttons=BUTTONS.replace("relay = 26", 'relay = 26\ncameras = ["gate", "yard"]', 1),
    cameras={"gate": SimCamera(), "yard": SimCamera(keeps=False)},
    shows=("normal",),
)
WINDOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One alarm's bundle."""

    school: School
    alarm: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.school.place.state_dir / "evidence" / self.alarm

    async def verified(self) -> int:
        """Return the exit code of verify; it must speak of this bundle alone."""
        said = await gatehouse(self.school, "evidence", "verify", self.alarm[-6:], "--json")
        assert [each["alarm"] for each in said.json["bundles"]] == [self.alarm]
        return said.code

    async def ready(self) -> None:
        """Wait until the district was told that nothing will be added; prove, change, export."""
        (event,) = await told(self.school, "evidence.ready", alarm=self.alarm)
        said = await gatehouse(self.school, "evidence", "verify", self.alarm, "--json")
        (found,) = said.json["bundles"]
        assert (said.code, found["event"], found["manifest"]) == (0, "same", "same")
        assert found["files"] == len(event.event.data["manifest"]["items"])
        shown = await self.school.district.records.pictures(self.alarm)
        assert {each.camera for each in shown} == {"gate", "yard"}
        assert all(each.taken for each in shown), "the desk puts them into the order of time"
        out = self.school.place.root / "out.zip"
        said = await gatehouse(self.school, "evidence", "export", self.alarm, "--out", str(out))
        assert (said.code, said.err) == (0, "")
        with zipfile.ZipFile(out) as opened:
            for item in event.event.data["manifest"]["items"]:
                assert len(opened.read(f"evidence-{self.alarm}/{item['file']}")) == item["bytes"]
        await self._changed()
        said = await gatehouse(self.school, "evidence", "release", self.alarm, "--by", "王")
        assert (said.code, said.err) == (0, "")
        (event,) = await told(self.school, "evidence.released", alarm=self.alarm)
        assert (event.event.data["by"], event.event.data["via"]) == ("王", "site")

    async def _changed(self) -> None:
        """Change one byte of one picture: it must be found, by its name."""
        picture = self.folder / "01-gate.jpg"
        body = bytearray(picture.read_bytes())
        body[len(body) // 2] ^= 1
        picture.write_bytes(body)
        said = await gatehouse(self.school, "evidence", "verify")
        assert said.code == 1
        assert "01-gate.jpg" in said.out


def in_order(heard: Ear, alarm: str) -> list[int]:
    """Return the turns of an alarm's pictures as they came: two cameras, so two of each."""
    told_ = [each.partition("/") for each in heard.pictures()]
    return [(int(number) - 1) // 2 for of, _, number in told_ if of == alarm]


async def test_evidence_from_the_press_to_the_zip(school_root: Path) -> None:
    """Without it each half might work and the whole show nobody anything."""
    async with filmed(school_root, PLAN, video=False) as school, ear(school) as heard:
        now = school.place.root / "video-clock.json"
        school.video.environ["GATEHOUSE_SIM_CLOCK"] = str(now)
        await school.video.start()
        await at_work(school)
        evidence = Evidence(school, await pressed(school))
        await heard.until(4)
        assert in_order(heard, evidence.alarm)[:4] == [0, 0, 1, 1]
        assert await evidence.verified() == 0
        reply = await school.district.ask(GATEWAY, {"command": "snapshot", "camera": "yard"})
        assert reply.body["ok"], reply.body
        await heard.until(len(heard.pictures()) + 1)
        # The minute after the press is over for a video service that was away for it.
        await school.video.stop()
        clock.move(now, offset_s=2 * WINDOW_S)
        school.video.environ["GATEHOUSE_BOOTID"] = "another"  # within one, what passed is known
        await school.video.start()
        await evidence.ready()


@pytest.mark.campaign
async def test_evidence_of_a_whole_minute(school_root: Path) -> None:
    """Without it nothing would be known of a bundle from which nothing is missing."""
    async with filmed(school_root, PLAN) as school, ear(school) as heard:
        await at_work(school)
        evidence = Evidence(school, await pressed(school))
        await heard.until(22)
        turns = in_order(heard, evidence.alarm)
        assert turns == sorted(turns)
        await evidence.ready()
