"""One camera under watch: what is told of it, and that nothing of it ends anything else."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.control.reports import CAMERA
from gatehouse.video import baseline as baselines
from gatehouse.video.baseline import Baseline, Light
from gatehouse.video.eye_messages import Beat, Failed, Message, Records
from gatehouse.video.verdict import LINK, PICTURE, Health
from gatehouse.video_service import memory, telling
from gatehouse.video_service import watching as module
from gatehouse.video_service.way import RECORDS_AGAIN_NS, Way
from video.scenes import key
from video_service.watch_rig import COVER, FULL, VIEW, Clock, S, camera, unknown, watching

SECRET = "admin:sesame"  # noqa: S105  # of a camera that never was


def health() -> Health:
    """Return what is known of a camera that was never seen."""
    return Health(Baseline(), lines=1080)


def test_a_camera_that_was_never_seen() -> None:
    """What stood before the service was started must stand until it is looked at."""
    row = telling.row(camera(), health(), Way(), held=False)
    assert (row.subject, row.stands, row.unknown) == ("camera/gate", (), unknown())
    others = telling.row(camera(record=False), health(), Way(), held=False)
    assert others.unknown == unknown("not-recording")


steps = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 60)), max_size=30)


@given(steps)
def test_the_way_explains_that_nothing_is_recorded(steps: list[tuple[bool, bool, int]]) -> None:
    """A camera that is unplugged is one fault; its recorder's is no second one."""
    way, now_ns, back_ns = Way(), 1000 * S, -RECORDS_AGAIN_NS
    for away, unrecorded, seconds in steps:
        now_ns += seconds * S
        before, was_away = way.unrecorded, way.away
        faults = [*["stalled"] * away, *["not-recording"] * unrecorded]
        way.follow(faults, now_ns)
        back_ns = now_ns if was_away and not away else back_ns
        if way.unrecorded and not before:
            assert not away
            assert now_ns >= back_ns + RECORDS_AGAIN_NS
        assert way.unrecorded <= unrecorded
        if unrecorded and not away and now_ns >= back_ns + RECORDS_AGAIN_NS:
            assert way.unrecorded


messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(lambda view: key(0, view), st.sampled_from([VIEW, COVER])),
    st.builds(Failed, st.sampled_from(["stalled", "unreachable", "refused", "ended"])),
    st.just(FULL),
    st.just(Beat(0, 1)),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(messages, st.integers(1, 6)), max_size=12), st.booleans(), st.booleans())
def test_a_row_says_of_each_fault_one_thing(
    said: list[tuple[Message, int]], held: bool, recorded: bool
) -> None:
    """One that both stands and is unknown, or a word of nobody's, would be refused or believed."""
    known, way = health(), Way()
    for number, (message, times) in enumerate(said):
        for _ in range(times):
            known.hear(message)
        known.declare("not-recording", not recorded)
        way.follow(known.faults, number * 10 * S)
        row = telling.row(camera(), known, way, held=held)
        stands = {each.fault for each in row.stands}
        assert stands.isdisjoint(row.unknown)
        assert stands | set(row.unknown) <= set(CAMERA)
        assert not held or set(LINK) <= set(row.unknown)


def test_places_that_nobody_sees() -> None:
    """The list of cameras is read for the places that are blind now, not for cameras."""
    shown = [
        {"covers": ["gate", "street"], "verdict": "covered"},
        {"covers": ["street"], "verdict": "low-resolution"},
        {"covers": ["yard"], "verdict": "unknown"},
        {"covers": ["hall", "gate"], "verdict": "dark"},
    ]
    assert telling.uncovered(shown) == ["gate", "yard", "hall"]


async def test_a_camera_that_is_well(tmp_path: Path) -> None:
    """The technician reads it from this list, and the district from the row."""
    async with watching([camera()], tmp_path) as rig:
        eye, recorder = await rig.eye(), await rig.recorder()
        assert rig.shown()["verdict"] == "unknown"
        eye.say(FULL)
        eye.see(3)
        assert rig.shown()["verdict"] == "unknown"
        eye.see(5)
        eye.say(Beat(990 * S, 25))
        recorder.say(True, "")
        rig.watch._watched["gate"].tell_clock(False, {})
        assert rig.row().stands == ()
        assert set(rig.row().unknown) <= {"frozen", "moved", "blurred"}
        shown = rig.shown()
        assert shown.pop("last_frame") == "1970-01-06T00:16:30.000000Z"
        assert shown == {
            "name": "gate",
            "area": "critical",
            "covers": ["place of gate"],
            "verdict": "ok",
            "faults": [],
            "text": None,
            "width": 1920,
            "height": 1080,
            "fps": 25.0,
            "records": True,
        }
        assert rig.watch.document()["uncovered"] == []
        assert rig.watch.summary() == {
            "cameras": 1,
            "well": 1,
            "faulty": 0,
            "unknown": 0,
            "recording": 1,
        }


async def test_a_fault_is_told_with_its_words(tmp_path: Path) -> None:
    """A disk without room and a camera without power need different hands."""
    async with watching([camera()], tmp_path) as rig:
        (await rig.eye()).well()
        (await rig.recorder()).say(False, "No space left on device")
        (standing,) = rig.row().stands
        assert (standing.fault, standing.data) == (
            "not-recording",
            {"text": "No space left on device"},
        )
        assert rig.shown()["text"] == "No space left on device"
        assert rig.shown()["records"] is False
        assert rig.watch.document()["uncovered"] == []


async def test_nothing_is_recorded_of_a_camera_that_is_away(tmp_path: Path) -> None:
    """One cause, one fault; but what was told before goes on, and a recorder that fails is told."""
    clock = Clock()
    async with watching([camera()], tmp_path, clock) as rig:
        eye, recorder = await rig.eye(), await rig.recorder()
        eye.well()
        recorder.say(True, "")
        eye.lose()
        recorder.say(False, "nothing comes")
        assert rig.stands() == ["stalled"]
        assert "not-recording" in rig.row().unknown
        eye.see(3)
        assert rig.stands() == []
        assert "not-recording" in rig.row().unknown
        clock.after(91)
        recorder.say(False, "nothing comes")
        assert rig.stands() == ["not-recording"]
        eye.lose()
        assert rig.stands() == ["stalled", "not-recording"]


async def test_a_camera_of_this_pi_says_itself_that_it_records(tmp_path: Path) -> None:
    """It has no recorder: its eye's word is all there is, and its clock is ours."""
    async with watching([camera(source="picamera2:0")], tmp_path) as rig:
        eye = await rig.eye()
        eye.well()
        assert "clock-off" not in rig.row().unknown
        assert "not-recording" in rig.row().unknown
        eye.say(Records(False, "No space left on device"))
        assert rig.stands() == ["not-recording"]
        eye.say(Records(True))
        assert rig.stands() == []
        eye.lose()
        assert rig.shown()["records"] is False
        assert rig.stands() == ["stalled"]
        assert rig.recorders == []


@pytest.mark.parametrize("amiss", ["missing", "nonsense", "a folder", "two lines", "not text"])
async def test_a_credential_that_cannot_be_read(
    amiss: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The technician must hear of the file, and nobody of what it holds."""
    monkeypatch.setattr(module, "_CREDENTIAL_AGAIN_S", 0.05)
    path = tmp_path / "gate.cred"
    if amiss == "a folder":
        path.mkdir()
    elif amiss != "missing":
        wrong = {"nonsense": b"sesame", "two lines": b"a:sesame\nb:c", "not text": b"a:sesame\xff"}
        path.write_bytes(wrong[amiss])
    async with watching([camera(credential=path)], tmp_path / "state") as rig:
        await rig.until(lambda: rig.stands() == ["refused"])
        text = rig.shown()["text"]
        assert text.startswith(f"the credential file {path} cannot be read: ")
        assert "sesame" not in text
        assert rig.eyes == []
        if amiss == "a folder":
            path.rmdir()
        path.write_text(f"{SECRET}\r\n")
        eye, recorder = await rig.eye(), await rig.recorder()
        assert (eye.credential, recorder.credential) == (SECRET, SECRET)
        eye.well()
        assert rig.stands() == []


async def test_a_part_that_fails_is_started_again_alone(tmp_path: Path) -> None:
    """A mistake of ours in one camera must not end the watch over the others."""
    async with watching([camera("gate"), camera("yard")], tmp_path) as rig:
        gate, yard, recorder = await rig.eye(), await rig.eye("yard"), await rig.recorder()
        gate.well()
        yard.well()
        gate.fail(ValueError("rtsp://admin:sesame@gate/"))
        await rig.until(lambda: "stalled" in rig.shown()["faults"])
        assert rig.shown()["text"] == "eye of camera gate failed: ValueError"
        (await rig.eye()).see(3)
        assert rig.shown()["faults"] == []
        recorder.fail(ValueError("of ours"))
        await rig.until(lambda: rig.shown()["records"] is False)
        (await rig.recorder()).say(True, "")
        assert rig.shown()["records"]
        assert yard.running
        assert rig.shown("yard")["verdict"] == "ok"


async def test_what_was_learnt_is_kept(tmp_path: Path) -> None:
    """After each restart a camera that was moved would else be taken for the usual."""
    path = tmp_path / "video" / "baselines" / "gate.bin"
    async with watching([camera()], tmp_path) as rig:
        eye = await rig.eye()
        eye.well()
        eye.see(10)
    kept = baselines.load(path)
    assert kept.learnt == (Light.DAY,)
    async with watching([camera()], tmp_path) as rig:
        eye = await rig.eye()
        eye.say(FULL)
        eye.see(5)
        assert set(PICTURE) - set(rig.row().unknown) >= {"moved", "blurred"}
        rig.watch.relearn("gate")
        assert {"moved", "blurred"} <= set(rig.row().unknown)
    assert baselines.load(path).learnt == ()


async def test_a_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead card must not keep a camera from being watched, nor the service from ending."""
    healed = threading.Event()

    def hang(*_: Any) -> Any:
        healed.wait(60)

    for name in ("load", "keep"):
        monkeypatch.setattr(baselines, name, hang)
    monkeypatch.setattr(memory, "_DISK_S", 0.05)
    monkeypatch.setattr(module, "_LAST_S", 0.05)
    try:
        async with asyncio.timeout(60), watching([camera()], tmp_path) as rig:
            eye = await rig.eye()
            eye.well()
            eye.see(10)
            assert rig.shown()["verdict"] == "ok"
    finally:
        healed.set()
