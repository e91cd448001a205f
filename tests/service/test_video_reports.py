"""What the video service reports becomes faults; whatever it says, it can do no more than that."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.control import reports
from gatehouse.control.reports import Row, Standing
from gatehouse.errors import ControlError
from gatehouse.faults import Fault
from gatehouse.service import documents
from gatehouse.service.video_reports import AT_ONCE, EVERY_S
from service.house import SCHOOL, joined
from service.video_desk import GATE, YARD, Desk, gap, row, said

CAMERAS = [f"camera/c{number}" for number in range(64)]


async def test_a_fault_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """Without it the district would hear of each fault every ten seconds, or never of its end."""
    desk = Desk()
    for _ in range(3):
        await desk.video.take(said(row(GATE, "dark", "not-recording", text="0.4"), row(YARD)))
    assert [event.data for event in desk.disk.told] == [
        {"text": "0.4", "fault": "dark"},
        {"text": "0.4", "fault": "not-recording"},
    ]
    assert {word for word, _, _ in desk.words()} == {"gatehouse.camera.fault"}
    for _ in range(3):
        await desk.video.take(said(row(GATE, "not-recording"), row(YARD)))
    assert desk.words() == [("gatehouse.camera.restored", GATE, "dark")]


async def test_each_fault_is_of_its_family() -> None:
    """Without it a district that looks for `retention.shortfall` would find `camera.fault`."""
    desk = Desk()
    gateway = row("gateway", "cameras-lost", "shortfall", "video-config")
    await desk.video.take(said(row(GATE, "shortfall", "forecast", "moved"), gateway))
    assert desk.words() == [
        ("gatehouse.retention.shortfall", GATE, "shortfall"),
        ("gatehouse.retention.forecast", GATE, "forecast"),
        ("gatehouse.camera.fault", GATE, "moved"),
        ("gatehouse.gateway.fault", "gateway", "cameras-lost"),
        ("gatehouse.retention.shortfall", "gateway", "shortfall"),
        ("gatehouse.gateway.fault", "gateway", "video-config"),
    ]
    await desk.video.take(said(row(GATE), row("gateway")))
    assert sorted({word for word, _, _ in desk.words()}) == [
        "gatehouse.camera.restored",
        "gatehouse.gateway.restored",
        "gatehouse.retention.restored",
    ]
    assert not desk.standing


_faults = st.frozensets(st.sampled_from(["dark", "stalled", "shortfall"]))
_said = st.tuples(_faults, _faults)
_reports = st.lists(st.dictionaries(st.sampled_from([GATE, YARD]), _said), max_size=8)


@settings(deadline=None, max_examples=150)
@given(_reports)
def test_what_stands_is_what_was_last_known(steps: list[dict[str, Any]]) -> None:
    """Without it a video service that has just started would end faults that it cannot judge."""

    async def run() -> None:
        ours = Fault("gateway", "clock", "gateway"), Fault("button/gate", "open", "line")
        desk = Desk(*ours)
        known: dict[str, frozenset[str]] = {}
        for step in steps:
            rows = [row(subject, *s, unknown=sorted(u)) for subject, (s, u) in step.items()]
            await desk.video.take(said(*rows))
            before = {(subject, each) for subject, held in known.items() for each in held}
            known = {
                subject: stands | (unknown & known.get(subject, frozenset()))
                for subject, (stands, unknown) in step.items()
            }
            now = {(subject, each) for subject, held in known.items() for each in held}
            assert desk.standing == now | {(fault.subject, fault.fault) for fault in ours}
            told = desk.words()
            assert {(subject, fault) for _, subject, fault in told} == before ^ now
            assert len(told) == len(before ^ now)

    asyncio.run(run())


async def test_a_camera_without_a_row_is_no_longer_watched() -> None:
    """Without it the fault of a camera that was sold would stand for ever."""
    desk = Desk(Fault(YARD, "frozen", "camera"), Fault(YARD, "shortfall", "retention"))
    await desk.video.take(said(row(GATE)))
    assert [event.data["reason"] for event in desk.disk.told] == ["removed", "removed"]
    assert not desk.standing


async def test_a_row_said_twice_is_one() -> None:
    """Without it a fault that two parts speak of would begin and end with every report."""
    desk = Desk()
    for _ in range(2):
        await desk.video.take(said(row(GATE, "shortfall"), row(GATE, "dark", unknown=["moved"])))
    assert desk.standing == {(GATE, "shortfall"), (GATE, "dark")}
    assert len(desk.disk.told) == 2


async def test_a_flapping_camera_fills_no_outbox_and_hides_no_other() -> None:
    """Without it a loose plug would push everything else out of the log, or out of sight."""
    desk = Desk()
    desk.disk.durable = desk.video.stored
    for turn in range(2000):
        await desk.video.take(said(row(GATE, *["dark"][: turn % 2]), row(YARD)))
    assert len(desk.disk.told) == AT_ONCE
    for turn in range(20):
        desk.loop.run(int(EVERY_S * 1e9))
        await desk.video.take(said(row(GATE, *["dark"][: turn % 2]), row(YARD, "frozen")))
    assert len(desk.disk.told) <= AT_ONCE + 20
    assert (YARD, "frozen") in desk.standing
    desk.loop.run(int(AT_ONCE * EVERY_S * 1e9))
    await desk.video.take(said(row(GATE, "dark"), row(YARD), told=[gap("k")]))
    assert desk.standing - {("gateway", "video")} == {(GATE, "dark")}


async def test_what_the_allowance_left_out_is_done_with_the_next_reports() -> None:
    """Without it a building without power would leave faults untold for good."""
    desk = Desk()
    all_at_once = said(*(Row(c, tuple(map(Standing, reports.CAMERA))) for c in CAMERAS))
    await desk.video.take(all_at_once)
    assert len(desk.standing) == AT_ONCE
    for _ in range(64 * len(reports.CAMERA) - AT_ONCE):
        desk.loop.run(int(EVERY_S * 1e9))
        await desk.video.take(all_at_once)
    assert len(desk.standing) == 64 * len(reports.CAMERA)


async def test_a_press_comes_in_between_the_faults_of_one_report() -> None:
    """Without it 64 cameras that fail at once would hold up a press for 600 events."""
    desk = Desk()
    desk.loop.look_ns = 300_000  # two or three deeds make a ms
    turns: list[int] = []

    async def others() -> None:
        while True:
            turns.append(len(desk.disk.told))
            await asyncio.sleep(0)

    task = asyncio.ensure_future(others())
    await desk.video.take(said(*(row(c, *reports.CAMERA) for c in CAMERAS)))
    task.cancel()
    assert len(desk.disk.told) == AT_ONCE
    assert max(b - a for a, b in itertools.pairwise(turns)) <= 5


async def test_two_senders_at_once_are_heard_one_after_the_other() -> None:
    """Without it a video service that was restarted would mix what it says with what it said."""
    desk = Desk()
    desk.loop.look_ns = 2_000_000
    first = asyncio.ensure_future(desk.video.take(said(*(row(c, "dark") for c in CAMERAS))))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(desk.video.take(said(*(row(c, "moved") for c in CAMERAS))))
    await asyncio.gather(first, second)
    assert desk.standing == {(camera, "moved") for camera in CAMERAS}


async def test_no_report_is_taken_once_the_service_ends() -> None:
    """Without it `gateway.stopped` would be followed by faults, and the stop look like a crash."""
    desk = Desk()
    desk.video.close()
    with pytest.raises(ControlError, match="ends"):
        await desk.video.take(said(row(GATE, "dark")))
    assert not desk.disk.told
    assert not desk.loop.waiting()


async def test_faults_of_the_video_service_end_with_the_last_camera(tmp_path: Path) -> None:
    """Without it a school that gave its cameras up would never be ready again."""
    async with joined(tmp_path) as house:
        house.voice.fault("video", True)
        gateway = row("gateway", "video-config", "shortfall", "cameras-lost")
        await house.rooms.video.take(said(row(GATE, "dark", "shortfall"), gateway))
        house.voice.fault("clock", True)
        await house.durable()
    async with joined(tmp_path, text=SCHOOL.partition("[[camera]]")[0]) as house:
        left = {(fault.subject, fault.fault) for fault in house.rooms.faults}
        assert left == {("gateway", "clock")}
        assert documents.status(house.rooms)["video"] is None
        ended = [e for e in await house.told() if e.data.get("reason") == "removed"]
        assert len(ended) == 5


async def test_birth_and_heartbeat_stay_within_a_message(tmp_path: Path) -> None:
    """Without it a building without power would cut the line to the district for good."""
    async with joined(tmp_path) as house:
        rows = [row(camera, *reports.CAMERA, text="x" * 500) for camera in CAMERAS]
        for some in range(0, len(rows), 8):
            await house.rooms.video.take(said(*rows[: some + 8]))
        assert len(documents.status(house.rooms)["faults"]) == AT_ONCE
        birth = documents.birth(house.rooms)
        beat = documents.heartbeat(house.rooms, None)
        for faults in (list(birth.faults), beat["faults"]):
            assert faults[-1]["count"] == AT_ONCE - len(faults) + 1
            assert len(msgspec.json.encode(faults)) <= 16 * 1024


async def test_how_far_recordings_reach_goes_into_the_heartbeat_alone(tmp_path: Path) -> None:
    """Without it the district could not see retention beside its duty, or a message be too long."""
    gate = {"camera": "gate", "area": "critical", "required_days": 90}
    proven = {**gate, "proven_days": 31.5, "verdict": "short"}
    report: dict[str, Any] = said(row(GATE), cameras=1)
    report["report"]["status"][reports.RETENTION_ROWS] = [proven, 7, {"x": "y" * 500}] * 100
    async with joined(tmp_path) as house:
        await house.rooms.video.take(report)
        beat = documents.heartbeat(house.rooms, None)
        assert beat["recordings"] == [proven] * 22
        assert len(msgspec.json.encode(beat)) < 32 * 1024
        assert reports.RETENTION_ROWS not in documents.status(house.rooms)["video"]


async def test_whoever_watches_the_status_hears_of_the_cameras() -> None:
    """Without it `status --watch` would show cameras as unknown for as long as all is well."""
    desk = Desk()
    for cameras, changes in ((0, 1), (0, 1), (2, 2), (2, 2), (1, 3)):
        await desk.video.take(said(row(GATE), cameras=cameras))
        assert desk.changes == changes
