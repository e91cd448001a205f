"""Evidence around presses, with cameras and an alarm service that a test moves."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import av
import pytest

from gatehouse.clock import SystemClock
from gatehouse.config import Retention
from gatehouse.control import reports
from gatehouse.events import Mode, encode
from gatehouse.evidence import bundle
from gatehouse.evidence.manifest import CLIP, PICTURE, Manifest
from gatehouse.evidence.plan import unix_ms
from gatehouse.evidence.room import MB
from gatehouse.video_service import alarms, pictures_out
from gatehouse.video_service.recordings import Recordings
from video_service.evidence_rig import LIMIT_S, SMALL, WINDOW, Rig, gathering, make_film


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one recording."""
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a short name: a socket lies in it."""
    return tmp_path_factory.mktemp("e")


def sound(rig: Rig, manifest: Manifest) -> None:
    """See that every file is there as the manifest says, and nothing else."""
    folder = rig.shelf.place(manifest.alarm)
    for item in manifest.items:
        content = (folder / item.file).read_bytes()
        assert (bundle.sha256_of(content), len(content)) == (item.sha256, item.bytes)
    named = {item.file for item in manifest.items}
    extra = {path.name for path in folder.iterdir()} - named
    assert extra <= {"manifest.json", "released.json", "told.json"}


def pictures(manifest: Manifest, camera: str = "gate") -> list[int]:
    """Return the numbers of a camera's pictures."""
    return [
        item.number
        for item in manifest.items
        if item.kind == PICTURE and item.camera == camera and item.number is not None
    ]


def read(path: str) -> bytes:
    """Read a file."""
    return Path(path).read_bytes()


def lacks(manifest: Manifest) -> list[tuple[str, str, str, int]]:
    """Return what lacks: camera, kind, why, how many."""
    return sorted((each.camera, each.kind, each.why, each.count) for each in manifest.lacking)


async def test_a_press_has_pictures_and_the_time_before_it(root: Path, film: Path) -> None:
    """Who answers an alarm must see what was before it, during it and after it."""
    async with gathering(root, ("gate", "yard")) as rig:
        held = [rig.record(name, -6.0, film) for name in ("gate", "yard")]
        alarm = rig.desk.alarm()
        manifest = await rig.ready(alarm.id)
        assert lacks(manifest) == []
        assert manifest.event_sha256 == bundle.sha256_of(encode(alarm))
        assert sorted(pictures(manifest, "gate") + pictures(manifest, "yard")) == [1, 2, 3, 4, 5, 6]
        for item in manifest.items:
            if item.kind == PICTURE:
                assert unix_ms(item.begins) >= unix_ms(alarm.time)
        clips = {item.camera: item for item in manifest.items if item.kind == CLIP}
        for name in ("gate", "yard"):
            assert unix_ms(clips[name].begins) <= unix_ms(alarm.time) - 3000
            assert unix_ms(clips[name].ends) >= unix_ms(alarm.time) + 800
            path = rig.shelf.place(alarm.id) / clips[name].file
            with av.open(str(path)) as clip:
                shown = [frame.time for frame in clip.decode(video=0)]
            said_s = (unix_ms(clips[name].ends) - unix_ms(clips[name].begins)) / 1000
            assert len(shown) == pytest.approx(said_s * 25, abs=3)
        assert {each.path for each in manifest.held} == {str(path) for path in held}
        sound(rig, manifest)
        paths = [path for _, _, path in rig.desk.pictures]
        assert len(paths) == 6
        assert all(read(path).startswith(SMALL) for path in paths)
        (told,) = rig.evidence.told()
        assert (told.type, told.data["pictures"], told.data["clips"]) == (
            reports.EVIDENCE_READY,
            6,
            2,
        )
        assert told.data["manifest"]["alarm"] == alarm.id
        body = (rig.shelf.place(alarm.id) / "manifest.json").read_bytes()
        assert told.data["manifest_sha256"] == bundle.sha256_of(body)


async def test_walk_tests_and_buttons_without_cameras_have_none(root: Path) -> None:
    """A walk test of a whole school would fill the disk with pictures of a technician."""
    async with gathering(root) as rig:
        rig.desk.alarm(mode=Mode.TEST)
        rig.desk.alarm("bare")
        rig.desk.alarm("unknown")
        drill = rig.desk.alarm(mode=Mode.DRILL)
        await rig.ready(drill.id)
        assert [each.alarm for each in rig.shelf.read()] == [drill.id]


async def test_a_camera_that_goes_and_comes_back(root: Path) -> None:
    """An old picture must never be shown as new, nor a dead camera pass unseen."""
    async with gathering(root, ("gate", "yard")) as rig:
        rig.eyes.away["yard"] = "2026-11-26T05:00:00.000000Z"
        rig.eyes.goes["gate"] = (1, "2026-11-26T05:30:00.000000Z")
        alarm = rig.desk.alarm()
        manifest = await rig.ready(alarm.id)
        assert pictures(manifest) == [1]
        assert {(e.camera, e.since, e.count) for e in manifest.lacking if e.kind == PICTURE} == {
            ("yard", "2026-11-26T05:00:00.000000Z", 3),
            ("gate", "2026-11-26T05:30:00.000000Z", 2),
        }
        assert ("gate", CLIP, "no-recording", 1) in lacks(manifest)


async def test_an_alarm_of_while_nobody_listened(root: Path, film: Path) -> None:
    """What was recorded must be kept also when the video service was being started again."""
    async with gathering(root) as rig:
        rig.record("gate", -10.0, film)
        await rig.stop()
        missed, old = rig.desk.alarm(age_s=3.0), rig.desk.alarm(age_s=4000.0)
        await rig.start()
        manifest = await rig.ready(missed.id)
        assert lacks(manifest) == [("gate", PICTURE, "not-in-time", 3)]
        assert [item.file for item in manifest.items] == ["clip-gate.mp4"]
        assert rig.manifest(old.id) is None, "nobody knows whether that was handled"
        sound(rig, manifest)


async def test_a_clock_that_was_ahead_is_not_waited_for(root: Path) -> None:
    """Without it a bundle of a clock that is set back since would be gathered for years."""
    async with gathering(root) as rig:
        ahead = rig.desk.alarm(age_s=-86_400.0)
        manifest = await rig.ready(ahead.id)
        assert {(camera, why) for camera, _, why, _ in lacks(manifest)} == {
            ("gate", "not-in-time"),
            ("gate", "no-recording"),
        }


async def test_ended_in_the_middle_it_goes_on(root: Path, film: Path) -> None:
    """A restart in the middle must lose no more than the pictures whose time passed."""
    async with gathering(root) as rig:
        rig.record("gate", -6.0, film)
        alarm = rig.desk.alarm()
        await rig.until(lambda: (found := rig.manifest(alarm.id)) and found.items)
        await rig.stop()
        left = rig.manifest(alarm.id)
        assert left is not None
        (rig.shelf.place(alarm.id) / "clip-gate.mp4.new").write_bytes(b"half")
        (rig.shelf.place(alarm.id) / "02-gate.jpg").write_bytes(b"unnamed")
        already = len(rig.desk.pictures)
        await asyncio.sleep(WINDOW.every_s * WINDOW.pictures)  # time passes
        await rig.start()
        manifest = await rig.ready(alarm.id)
        assert manifest.items[: len(left.items)] == left.items
        taken = len(pictures(manifest))
        assert ("gate", PICTURE, "not-in-time", 3 - taken) in lacks(manifest)
        assert [item.kind for item in manifest.items].count(CLIP) == 1
        sound(rig, manifest)
        await rig.until(lambda: len(rig.desk.pictures) >= already + taken)


async def test_many_presses_at_once_share_the_pictures(root: Path) -> None:
    """Twenty presses in a second must not take twenty times the pictures of one."""
    async with gathering(root) as rig:
        alarms = [rig.desk.alarm() for _ in range(20)]
        for alarm in alarms:
            manifest = await rig.ready(alarm.id)
            assert len(pictures(manifest)) == 3
            sound(rig, manifest)
        assert len(rig.eyes.taken) < 10


async def test_pictures_are_offered_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alarm service that was busy, or was started anew, must have the pictures nevertheless."""
    monkeypatch.setattr(pictures_out, "AGAIN_S", 0.2)
    monkeypatch.setattr(alarms, "AGAIN_S", 0.2)
    async with gathering(root) as rig:
        rig.desk.busy = True
        alarm = rig.desk.alarm()
        await rig.ready(alarm.id)
        assert rig.desk.pictures == []
        rig.desk.busy = False
        await rig.until(lambda: {number for _, number, _ in rig.desk.pictures} == {1, 2, 3})
        await rig.desk.stop()
        rig.desk.pictures.clear()
        await rig.desk.start()
        await rig.until(lambda: {number for _, number, _ in rig.desk.pictures} == {1, 2, 3})
        rig.desk.alarm()
        await rig.until(lambda: rig.eyes.most_bytes == 9000)  # what the line bears, by the answers


async def test_held_until_released_and_only_then_it_goes(root: Path, film: Path) -> None:
    """Clean-up must never take what an inquiry may want; and what was released must make room."""
    async with gathering(root) as rig:
        rig.record("gate", -6.0, film)
        alarm = rig.desk.alarm()
        await rig.ready(alarm.id)
        (span,) = rig.evidence.held("gate")
        assert span.from_ms < unix_ms(alarm.time) - 3000
        assert span.to_ms > unix_ms(alarm.time) + 800
        assert not rig.evidence.held("yard")
        keeping = rig.evidence._keeping  # room is made before a clip
        assert not await keeping.has_room(4000 * MB)
        release = rig.evidence.handlers()["evidence-release"]
        asked = {"alarm": alarm.id, "by": "李老师", "via": "site"}
        assert await release(asked) == {"alarm": alarm.id, "already": False}
        assert await release(asked) == {"alarm": alarm.id, "already": True}
        assert not rig.evidence.held("gate")
        told = {each.key: each for each in rig.evidence.told()}
        assert told[f"evidence-released/{alarm.id}"].data == {**asked}
        assert not await keeping.has_room(4000 * MB), "not before the district knows"
        rig.evidence.received(told)
        await rig.until(lambda: not rig.evidence.told())
        assert await keeping.has_room(4000 * MB)
        assert rig.shelf.read() == []


async def test_without_room_there_are_pictures_and_a_fault(root: Path, film: Path) -> None:
    """Held evidence must never give way to new; who is responsible must hear of it before."""
    async with gathering(root) as rig:
        rig.record("gate", -6.0, film)
        rig.room(100)
        first = rig.desk.alarm()
        await rig.ready(first.id)
        big = rig.shelf.place(first.id)
        keeping = rig.evidence._keeping  # as if clips had been large
        kept = keeping._kept
        assert kept is not None
        kept[first.id] = replace(kept[first.id], bytes=90 * MB)
        assert [s.fault for s in rig.evidence.row().stands] == [reports.EVIDENCE_FULL]
        second = rig.desk.alarm()
        manifest = await rig.ready(second.id)
        assert lacks(manifest) == [("gate", CLIP, "disk-full", 1)]
        assert manifest.held, "the recording itself is held"
        assert len(pictures(manifest)) == 3
        assert big.exists()


async def test_another_recorders_files_are_taken_over(root: Path, film: Path) -> None:
    """Where another recorder writes, its files are the evidence, whatever it does with them."""
    async with gathering(root, record=False) as rig:
        first = rig.record("gate", -9.0, film)
        later = rig.record("gate", 3.5, film)
        os.utime(later)
        alarm = rig.desk.alarm()
        recordings = Recordings(
            rig.config.cameras,
            Retention(),
            state_dir=root / "state",
            clock=SystemClock("boot"),
            changed=rig.changed.set,
            held=rig.evidence.held,
        )
        task = asyncio.create_task(recordings.run())
        try:
            async with asyncio.timeout(LIMIT_S):
                manifest = await rig.ready(alarm.id)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert lacks(manifest) == []
        (clip,) = [item for item in manifest.items if item.kind == CLIP]
        assert (clip.file, clip.source) == ("clip-gate-1.mp4", "other")
        first.write_bytes(b"another time")  # a ring of files is written again
        sound(rig, manifest)
