"""Evidence of presses in a whole school: real cameras' streams, real recorders, real services."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gatehouse.control import reports
from gatehouse.evidence.manifest import CLIP, PICTURE
from gatehouse.evidence.plan import unix_ms
from gatehouse_sim.school import GATEWAY, School
from gatehouse_sim.school_cameras import SimCamera
from system.evidence_seen import (
    COUNTER,
    buttons,
    counted,
    off_s,
    ready,
    seen_school,
    shelf,
    small,
    until,
    whole,
)
from system.seen import press, told

NEAR_S = 5.0
"""A counter begins up to a second late, and a loaded machine shows its frames later still."""


async def test_pictures_at_once_and_on_after_a_kill(school_root: Path) -> None:
    """Two buttons at once, and the video service killed: what was taken stays, the rest is told."""
    said = buttons(gate=("gate", "yard"), office=("yard",))
    cameras = {"gate": COUNTER, "yard": SimCamera()}
    async with seen_school(school_root, cameras, said) as school:
        press(school, "gate")
        press(school, "office")
        before = await until(
            school,
            lambda found: len(found) == 2 and all(len(small(each, "yard")) > 1 for each in found),
        )
        await school.video.kill()
        await school.video.start()
        after = await until(
            school,
            lambda found: all(
                len(each.items) > len(old.items) for each, old in zip(found, before, strict=True)
            ),
        )
        for old, new in zip(before, after, strict=True):
            assert new.items[: len(old.items)] == old.items
            assert new.event == old.event
            whole(school, new)
            for each in small(new, "gate"):
                assert each.bytes <= 60_000
                picture = shelf(school).place(new.alarm) / each.file
                ((_, counter),) = counted(picture)
                assert off_s(counter, unix_ms(each.begins) / 1000) < NEAR_S
        alarms = school.district.events(GATEWAY, "gatehouse.alarm.raised")
        assert {each.alarm for each in after} == {record.event.id for record in alarms}


@pytest.mark.campaign
async def test_the_moment_before_the_press(school_root: Path) -> None:
    """The counter in the picture proves that the clip holds 30 s before and 60 s after."""
    async with seen_school(school_root, {"gate": COUNTER}, buttons(gate=("gate",))) as school:
        await asyncio.sleep(35)  # what is before the press must be recorded
        press(school, "gate")
        (manifest,) = await ready(school, 1)
        assert manifest.lacking == ()
        assert len(small(manifest, "gate")) == 11
        whole(school, manifest)
        (clip,) = [each for each in manifest.items if each.kind == CLIP]
        shown = counted(shelf(school).place(manifest.alarm) / clip.file)
        pressed_s = unix_ms(str(manifest.event["time"])) / 1000
        begins_s = unix_ms(clip.begins) / 1000
        assert begins_s <= pressed_s - 30
        assert begins_s + shown[-1][0] >= pressed_s + 59
        for at_s, counter in shown:
            assert off_s(counter, begins_s + at_s) < NEAR_S
        (record,) = await told(school, "evidence.ready", 1)
        assert record.event.data["alarm"] == manifest.alarm
        assert record.event.data["manifest"]["items"]


async def away_before(school: School) -> None:
    """Let the camera be dead when it is pressed."""
    await school.cameras.away("gate")
    await school.video.cameras_until(lambda d: d["cameras"][0]["verdict"] != "ok")
    press(school, "gate")


async def away_during(school: School) -> None:
    """Let it die two pictures after the press."""
    press(school, "gate")
    await until(school, lambda found: found and len(small(found[0], "gate")) >= 2)
    await school.cameras.away("gate")


async def away_after(school: School) -> None:
    """Let it die when all pictures are taken, and the clip's time is not over."""
    press(school, "gate")
    await until(school, lambda found: found and len(small(found[0], "gate")) == 11)
    await school.cameras.away("gate")


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("dies", "least", "most"), [(away_before, 0, 0), (away_during, 2, 4), (away_after, 11, 11)]
)
async def test_a_camera_that_dies(
    school_root: Path, dies: Callable[[School], Awaitable[None]], least: int, most: int
) -> None:
    """No picture may be shown that is not of its time, and what lacks must be said."""
    cameras = {"gate": COUNTER, "yard": SimCamera()}
    async with seen_school(school_root, cameras, buttons(gate=("gate", "yard"))) as school:
        await dies(school)
        (manifest,) = await ready(school, 1)
        taken = small(manifest, "gate")
        assert least <= len(taken) <= most
        lost = [each for each in manifest.lacking if each.kind == PICTURE]
        assert sum(each.count for each in lost) == 11 - len(taken), lost
        assert all(each.camera == "gate" and each.since is not None for each in lost)
        assert "gate" in {each.camera for each in manifest.lacking if each.kind == CLIP}
        assert len(small(manifest, "yard")) == 11
        assert "clip-yard.mp4" in {each.file for each in manifest.items}
        whole(school, manifest)
        for each in taken:
            ((_, counter),) = counted(shelf(school).place(manifest.alarm) / each.file)
            assert off_s(counter, unix_ms(each.begins) / 1000) < NEAR_S


@pytest.mark.campaign
async def test_three_buttons_at_once_with_eight_cameras(school_root: Path) -> None:
    """The worst minute of a school must cost no picture, and no alarm its way."""
    names = tuple(f"c{number}" for number in range(8))
    said = buttons(gate=names[:4], office=names[2:6], hall=names[4:])
    async with seen_school(school_root, {name: SimCamera() for name in names}, said) as school:
        for button in ("gate", "office", "hall"):
            press(school, button)
        found = await ready(school, 3)
        for manifest in found:
            whole(school, manifest)
            for name in manifest.cameras:
                assert len(small(manifest, name)) == 11, manifest.lacking
                assert f"clip-{name}.mp4" in {each.file for each in manifest.items}
        records = await told(school, "evidence.ready", 3)
        assert {record.event.data["alarm"] for record in records} == {e.alarm for e in found}


@pytest.mark.campaign
async def test_held_released_and_told(school_root: Path) -> None:
    """A release must be an event, and end what holds the recordings."""
    async with seen_school(school_root, {"gate": SimCamera()}, buttons(gate=("gate",))) as school:
        press(school, "gate")
        (manifest,) = await ready(school, 1)
        asked = {"do": "evidence-release", "alarm": manifest.alarm, "by": "李老师", "via": "site"}
        assert (await school.video.ask(asked))["already"] is False
        (record,) = await told(school, "evidence.released", 1)
        assert record.event.type == reports.EVIDENCE_RELEASED
        assert record.event.data["by"] == "李老师"
        await school.video.kill()
        await school.video.start()
        await school.video.cameras_until(lambda d: d["cameras"][0]["last_frame"])
        assert (await school.video.ask(asked))["already"] is True
