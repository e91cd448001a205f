"""A school with cameras: its configuration, hands before its cameras, the real video service."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatehouse import config, texts
from gatehouse.threads import off_loop
from gatehouse_sim import cli
from gatehouse_sim.cameras import lacking
from gatehouse_sim.school import Plan, School, opened, short_folder
from gatehouse_sim.school_cameras import SimCamera
from gatehouse_sim.video import verdicts

LIMIT_S = 60.0
CAMERAS = {
    "gate": SimCamera(area="critical", covers=("校门",), credential="admin:p'ass w:ö/r@d"),
    "yard": SimCamera(covers=("操场", "东门"), record=False, min_lines=180, onvif_port=8080),
    "hall": SimCamera(keeps=False),
}
PLAN = Plan(
    tls=False, gateway_lines='language = "en"', cameras=CAMERAS, shows=("normal", "covered")
)


@pytest.fixture
def root() -> Iterator[Path]:
    """Lend a short folder for a school."""
    root = short_folder()
    yield root
    shutil.rmtree(root, ignore_errors=True)
    texts.use("en")


@pytest.fixture
async def school(root: Path) -> AsyncIterator[School]:
    """Plan a school whose cameras do not run."""
    school = School(root, PLAN)
    yield school
    await school.cameras.close()
    await school.broker.close()


async def test_each_camera_is_configured_as_it_was_planned(school: School) -> None:
    """Without it a test of the video service would watch other cameras than it says."""
    gate, yard, hall = config.read(school.place.config).cameras
    assert (gate.area, gate.covers, gate.record) == ("critical", ("校门",), True)
    assert gate.source == school.cameras.url("gate")
    assert gate.recordings == school.place.recordings / "gate"
    assert gate.credential == school.place.root / "gate.cred"
    assert (yard.covers, yard.record, yard.min_lines) == (("操场", "东门"), False, 180)
    assert (yard.onvif_port, yard.credential) == (8080, None)
    assert (hall.recordings, hall.record) == (None, False)


async def test_a_hand_before_a_camera_says_what_it_does_not_find(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it who mistypes a camera's name, or has no demo running, would see a traceback."""
    place = str(school.place.config)
    assert cli.main(["cover", "gaet", "--config", place]) == 2
    assert "no camera gaet in the configuration; there are: gate, yard" in capsys.readouterr().err
    assert cli.main(["uncover", "gate", "--config", place]) == 3
    assert "no simulated cameras answer on" in capsys.readouterr().err


async def test_a_video_service_that_ends_says_why(root: Path) -> None:
    """Without it a test that cannot start the service would wait, and show nothing of its log."""
    async with opened(root, Plan(tls=False), agent=False) as school:
        school.place.config.write_text("[gateway\n")
        with pytest.raises(ChildProcessError, match="is not TOML"):
            await school.video.start()
        with pytest.raises(ProcessLookupError):
            await school.video.reload()
        assert await school.video.wait() == 2


async def test_the_video_service_watches_the_cameras_of_a_school(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it every test of the whole could fail at the stand-ins, and name the service."""
    if (lacks := await lacking()) is not None:
        pytest.skip(lacks)
    async with opened(root, PLAN, agent=False) as school:
        words = ["cover", "yard", "--config", str(school.place.config)]
        assert await off_loop(lambda: cli.main(words), name="cover", timeout_s=LIMIT_S) == 0
        assert capsys.readouterr().out == "yard: covered\n"
        await school.video.start()
        wanted = {"gate": "ok", "yard": "covered", "hall": "ok"}
        await school.video.cameras_until(lambda said: verdicts(said) == wanted)
        assert [each["name"] for each in (await school.video.recordings())["cameras"]] == [
            "gate",
            "yard",
        ]
        school.write_config(cameras=school.camera_sections(["gate"]))
        await school.video.reload()
        await school.video.cameras_until(lambda said: verdicts(said) == {"gate": "ok"})
        assert await school.video.stop() == 0
