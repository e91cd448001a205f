"""SIGHUP: cameras come, change and go, and those that stay do not notice."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gatehouse_sim.school import School
from gatehouse_sim.school_cameras import SimCamera, credential_path
from system.video_seen import Child, about, looks, told_of, watched

RIGHT, WRONG = "admin:right", "admin:wrong"
CAMERAS = {
    "gate": SimCamera(),
    "hall": SimCamera(keeps=False, credential=RIGHT),
    "yard": SimCamera(keeps=False, credential=RIGHT),
    "lane": SimCamera(),
}
MISTAKE = "video-config"


async def test_only_what_changed_is_begun_anew(school_root: Path) -> None:
    """Without it a technician who adds a camera would make a hole in the recordings of all."""
    async with watched(school_root, CAMERAS, video=False) as school:
        for name in ("hall", "yard"):
            write_password(school, name, WRONG)
        write_cameras(school, "gate", "hall", "yard")
        await school.video.start()
        for name in ("hall", "yard"):
            await told_of(school, f"camera/{name}", "camera.fault", "refused")
        first = await looks(school, gate=2)

        break_the_file(school)
        await school.video.reload()
        told = await told_of(school, "gateway", "gateway.fault", MISTAKE)
        assert ['camera "gate".area' in each for each in told.event.data["mistakes"]] == [True]
        assert await shown(school) == ["gate", "hall", "yard"]
        assert await looks(school, gate=2, lane=0) == first

        write_password(school, "hall", RIGHT)
        write_cameras(school, "gate", "hall", "lane")
        await school.video.reload()
        await told_of(school, "gateway", "gateway.restored", MISTAKE)
        gone = await told_of(school, "camera/yard", "camera.restored", "refused")
        assert gone.event.data["reason"] == "removed"
        back = await told_of(school, "camera/hall", "camera.restored", "refused")
        assert "reason" not in back.event.data
        second = await looks(school, gate=2, hall=1, lane=2, yard=0)
        assert of("gate", second) == first
        assert await shown(school) == ["gate", "hall", "lane"]

        school.plan = replace(
            school.plan, cameras=CAMERAS | {"lane": replace(CAMERAS["lane"], area="critical")}
        )
        write_cameras(school, "gate", "hall", "lane")
        await school.video.reload()
        await school.video.cameras_until(
            lambda d: d["cameras"][2]["area"] == "critical" and d["cameras"][2]["last_frame"]
        )
        third = await looks(school, gate=2, hall=1, lane=2)
        assert of("lane", third).isdisjoint(of("lane", second))
        assert third - of("lane", third) == second - of("lane", second)
        for name in ("hall", "yard"):
            ended = ("camera.restored", "refused")
            assert about(school, f"camera/{name}") == [("camera.fault", "refused"), ended]
        told_config = [word for word, fault in about(school, "gateway") if fault == MISTAKE]
        assert told_config == ["gateway.fault", "gateway.restored"]
        assert about(school, "camera/gate") == about(school, "camera/lane") == []


def write_cameras(school: School, *names: str) -> None:
    """Write a configuration with these cameras."""
    school.write_config(cameras=school.camera_sections(names))


def write_password(school: School, name: str, credential: str) -> None:
    """Write what the service is given; the camera goes on asking for its own."""
    credential_path(school.place, name).write_text(credential + "\n", encoding="utf-8")


def break_the_file(school: School) -> None:
    """Write a configuration with a mistake, which lacks a camera and has a new one."""
    sections = school.camera_sections(["gate", "hall", "lane"])
    school.write_config(cameras=sections.replace('area = "general"', 'area = "nowhere"', 1))


async def shown(school: School) -> list[str]:
    """Return the cameras that are watched."""
    return [each["name"] for each in (await school.video.cameras())["cameras"]]


def of(camera: str, found: Iterable[Child]) -> set[Child]:
    """Return the children of one camera."""
    return {each for each in found if each.camera == camera}
