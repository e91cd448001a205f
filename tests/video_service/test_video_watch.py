"""All cameras together: one cause is one fault, a reload touches what changed, and all ends."""

import asyncio
from pathlib import Path

import pytest

from gatehouse.clock import SystemClock
from gatehouse.control.reports import Report, Row, Standing, merged, read, request
from gatehouse.errors import ControlError
from gatehouse.video import together
from gatehouse.video.onvif import ClockReading
from gatehouse.video.verdict import LINK
from gatehouse.video_service import watch as module
from video_service.watch_rig import FULL, Clock, Rig, camera, watching

PLACES = ("gate", "yard", "hall")
CAMERAS = [camera(name) for name in PLACES]
LOST = Row("gateway", (Standing("cameras-lost", {"cameras": 3}),))


async def all_well(rig: Rig) -> None:
    """See all cameras well."""
    for name in PLACES:
        (await rig.eye(name)).well()
        (await rig.recorder(name)).say(True, "")


async def test_one_loss_is_held_and_then_told(tmp_path: Path) -> None:
    """Told at once, a switch without power would be as many faults as there are cameras."""
    clock = Clock()
    async with watching(CAMERAS, tmp_path, clock) as rig:
        await all_well(rig)
        (await rig.eye("gate")).lose()
        assert rig.stands() == []
        assert set(LINK) <= set(rig.row().unknown)
        assert rig.shown()["verdict"] == "stalled"
        clock.after(8.1)
        (await rig.eye("yard")).say(FULL)
        (await rig.eye("yard")).lose()
        assert rig.stands() == ["stalled"]
        assert rig.stands("camera/yard") == []
        assert rig.row("gateway") == Row("gateway")


async def test_the_hold_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost camera must be told though nothing else happens at any other."""
    monkeypatch.setattr(together, "HOLD_NS", 50_000_000)
    async with watching(CAMERAS, tmp_path, SystemClock("boot")) as rig:
        await all_well(rig)
        (await rig.eye("gate")).lose()
        await rig.until(lambda: rig.stands() == ["stalled"])


async def test_all_lost_at_once_is_one_fault(tmp_path: Path) -> None:
    """Twenty faults for one switch, and twenty ends, hide the one that is to be mended."""
    clock = Clock()
    async with watching(CAMERAS, tmp_path, clock) as rig:
        await all_well(rig)
        assert rig.row("gateway") == Row("gateway")
        for name in PLACES:
            (await rig.eye(name)).lose("unreachable")
            clock.after(2)
            (await rig.recorder(name)).say(False, "nothing comes")
        assert rig.row("gateway") == LOST
        for name in PLACES:
            assert rig.stands(f"camera/{name}") == []
            assert {*LINK, "not-recording"} <= set(rig.row(f"camera/{name}").unknown)
            assert rig.shown(name)["verdict"] == "unreachable"
        assert rig.watch.document()["uncovered"] == [f"place of {name}" for name in PLACES]
        clock.after(3600)
        (await rig.eye("yard")).see(3)
        assert rig.row("gateway") == Row("gateway")
        assert rig.stands() == []
        clock.after(59)
        (await rig.eye("hall")).see(3)
        assert [rig.stands(f"camera/{name}") for name in PLACES] == [[], [], []]
        clock.after(2)
        (await rig.eye("yard")).lose()
        assert [rig.stands(f"camera/{name}") for name in PLACES] == [["unreachable"], [], []]


async def test_before_all_were_looked_at_nobody_knows_of_a_common_cause(tmp_path: Path) -> None:
    """A restart during a power cut would else end the fault, and begin it again."""
    async with watching(CAMERAS, tmp_path) as rig:
        for name in PLACES:
            assert rig.row("gateway") == Row("gateway", (), ("cameras-lost",))
            (await rig.eye(name)).lose("unreachable")
        assert rig.row("gateway") == LOST


async def test_a_common_cause_at_the_start(tmp_path: Path) -> None:
    """One camera refuses at once, another answers never: both because their switch is starting."""
    clock = Clock()
    async with watching(CAMERAS, tmp_path, clock) as rig:
        for name in PLACES:
            (await rig.eye(name)).lose("unreachable")
            assert [rig.stands(f"camera/{each}") for each in PLACES] == [[], [], []]
            clock.after(9)
        assert rig.row("gateway") == LOST


async def test_a_camera_that_is_added_hides_no_loss(tmp_path: Path) -> None:
    """What was told before a reload must stand after it."""
    clock = Clock()
    async with watching(CAMERAS, tmp_path, clock) as rig:
        await all_well(rig)
        (await rig.eye("gate")).lose()
        clock.after(9)
        (await rig.eye("yard")).lose()
        assert rig.stands() == ["stalled"]
        await rig.watch.reload([*CAMERAS, camera("shed")])
        assert rig.stands() == ["stalled"]
        assert rig.stands("camera/yard") == []
        (await rig.eye("shed")).well()
        clock.after(9)
        (await rig.eye("shed")).lose()
        assert rig.stands("camera/yard") == ["stalled"]
        assert rig.row("gateway") == Row("gateway")


async def test_one_camera_alone_is_no_common_cause(tmp_path: Path) -> None:
    """A school with one camera must hear of that camera, at once."""
    async with watching([camera()], tmp_path) as rig:
        assert rig.row("gateway") == Row("gateway")
        (await rig.eye()).lose()
        assert rig.stands() == ["stalled"]
        assert rig.row("gateway") == Row("gateway")


async def test_what_is_told_is_understood(tmp_path: Path) -> None:
    """The alarm service refuses a report with a word it does not know, and with it all others."""
    async with watching([*CAMERAS, camera("csi", source="picamera2:0")], tmp_path) as rig:
        report = Report(merged(rig.watch.rows()), (), rig.watch.summary())
        assert read(request(report)) == report
        await all_well(rig)
        (await rig.eye("csi")).lose("refused")
        report = Report(merged(rig.watch.rows()), (), rig.watch.summary())
        assert read(request(report)) == report
        assert report.status == {
            "cameras": 4,
            "well": 3,
            "faulty": 1,
            "unknown": 0,
            "recording": 3,
        }


async def test_what_changes_is_told_once(tmp_path: Path) -> None:
    """A report for every picture would keep the alarm service busy for nothing."""
    async with watching([camera()], tmp_path) as rig:
        eye = await rig.eye()
        eye.well()
        eye.see(20)
        before = rig.changes
        eye.see(20)
        assert rig.changes == before
        eye.lose()
        assert rig.changes == before + 1


async def test_a_reload_touches_what_changed(tmp_path: Path) -> None:
    """Each camera that is touched for nothing has a gap in its recordings."""
    secret = tmp_path / "hall.cred"
    secret.write_text("admin:old")
    cameras = [camera("gate"), camera("yard"), camera("hall", credential=secret)]
    async with watching(cameras, tmp_path / "state") as rig:
        await all_well(rig)
        parts = {name: (await rig.eye(name), await rig.recorder(name)) for name in PLACES}
        await rig.watch.reload(cameras)
        assert rig.ends == []
        secret.write_text("admin:new")
        await rig.watch.reload([camera("gate"), camera("shed"), cameras[2]])
        assert parts["gate"] == (await rig.eye("gate"), await rig.recorder("gate"))
        assert sorted(rig.ends) == [
            f"{kind} {n}" for kind in ("Eye", "Recorder") for n in ("hall", "yard")
        ]
        rows = {row.subject: row for row in rig.watch.rows()}
        assert [*rows] == ["camera/gate", "camera/shed", "camera/hall", "gateway"]
        assert "stalled" not in rows["camera/gate"].unknown
        assert "stalled" in rows["camera/hall"].unknown
        assert (await rig.eye("hall")).credential == "admin:new"
        assert (await rig.recorder("shed")).running
        secret.unlink()
        await rig.watch.reload([cameras[2]])
        await rig.until(lambda: rig.stands("camera/hall") == ["refused"])
        assert not parts["gate"][0].running


async def test_relearn_asks_for_a_camera_that_is_there(tmp_path: Path) -> None:
    """A mistyped name must not look like something that was done."""
    async with watching(CAMERAS, tmp_path) as rig:
        rig.watch.relearn("gate")
        with pytest.raises(ControlError, match="no camera 'gaet'; there are: gate, yard, hall"):
            rig.watch.relearn("gaet")


async def test_clocks_are_told(tmp_path: Path) -> None:
    """A recording that is an hour off cannot be found on the day it is asked for."""
    async with watching(CAMERAS[:2], tmp_path) as rig:
        rig.told["yard.lan"] = ClockReading(0.2, 0.01, by_ntp=True)
        await rig.until(lambda: "clock-off" not in rig.row("camera/yard").unknown)
        assert "clock-off" in rig.row("camera/gate").unknown


async def test_a_child_that_does_not_end_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs in a dead disk must not keep the service from being started again."""
    monkeypatch.setattr(module, "END_S", 0.1)
    let_go = asyncio.Event()

    class Stubborn:
        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await let_go.wait()

    async with watching([camera()], tmp_path, recorder=lambda *_: Stubborn()) as rig:
        eye = await rig.eye()
    assert not eye.running
    let_go.set()
    await asyncio.wait(rig.watch._tasks.values())
