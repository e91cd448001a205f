"""Whoever may open the control socket may say anything in the video service's name."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatehouse import events
from gatehouse.control import reports
from gatehouse.control.reports import Report
from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError
from gatehouse.faults import Fault
from gatehouse.service import documents
from service.house import joined
from service.video_desk import GATE, Desk, row, said

_ROW = {"subject": GATE}
_TOLD = {"key": "k", "type": reports.GAP, "subject": GATE}
MALFORMED: list[Any] = [
    None,
    7,
    [],
    {},
    {"rows": None},
    {"rows": [{}]},
    {"rows": [{"subject": ""}]},
    {"rows": [{"subject": "camera/" + "x" * 40}]},
    {"rows": [{"subject": "button/gate", "stands": [{"fault": "open"}]}]},
    {"rows": [{"subject": GATE, "stands": [{"fault": "cameras-lost"}]}]},
    {"rows": [{"subject": "gateway", "stands": [{"fault": "clock"}]}]},
    {"rows": [{"subject": "gateway", "unknown": ["config"]}]},
    {"rows": [{"subject": GATE, "stands": [{"fault": "dark", "data": 7}]}]},
    {"rows": [_ROW] * 66},
    {"rows": [_ROW], "told": [{**_TOLD, "type": events.ALARM_RAISED}]},
    {"rows": [_ROW], "told": [{**_TOLD, "subject": "button/gate"}]},
    {"rows": [_ROW], "told": [{**_TOLD, "key": "x" * 201}]},
    {"rows": [_ROW], "told": [{**_TOLD, "key": str(n)} for n in range(51)]},
    {"rows": [_ROW], "status": []},
]


@pytest.mark.parametrize("report", MALFORMED, ids=range(len(MALFORMED)))
async def test_what_is_no_report_changes_nothing(report: Any) -> None:
    """Without it a mad video service could raise an alarm, or end a fault of the alarm's own."""
    desk = Desk(Fault(GATE, "dark", "camera"), Fault("gateway", "clock", "gateway"))
    with pytest.raises(ControlError) as refused:
        await desk.video.take({"do": "video", "report": report})
    assert refused.value.code == "malformed"
    assert len(str(refused.value)) < 500
    assert desk.video.malformed == 1
    assert len(desk.standing) == 2
    assert not desk.disk.told


async def test_what_is_no_report_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Without it a video service of another version would fill the journal."""
    desk = Desk()
    with caplog.at_level(logging.INFO, "gatehouse.service.video_reports"):
        for _ in range(5):
            with contextlib.suppress(ControlError):
                await desk.video.take({"do": "video"})
        await desk.video.take(said(row(GATE)))
    assert len(caplog.records) == 2
    assert desk.video.malformed == 5


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    "data",
    [{"text": "黑" * 1000}, _deep(4), _deep(100), {"n": 10**300}, {"x" * 2001: 1}],
    ids=["long", "deep", "deeper", "number", "key"],
)
async def test_details_that_are_too_much_are_left_out(data: dict[str, Any]) -> None:
    """Without it one camera's odd text could fail the outbox, whose next start reads it back."""
    desk = Desk()
    desk.disk.durable = desk.video.stored
    report = {
        "rows": [{"subject": GATE, "stands": [{"fault": "dark", "data": data}]}],
        "told": [{**_TOLD, "data": {"text": "黑" * 3000} if "text" in data else data}],
    }
    assert await desk.video.take({"report": report}) == {"received": ["k"]}
    fault, happened = desk.disk.told
    kept = data if "n" in data else {}
    assert fault.data == {**kept, "fault": "dark"}
    assert happened.data in ({**kept, "key": "k"}, {**data, "key": "k"})


@pytest.mark.parametrize(("characters", "kept"), [(24_000, True), (28_001, False)])
async def test_a_manifest_goes_with_its_happening(characters: int, kept: bool) -> None:
    """The district is to have the hashes of evidence, as far as that is bounded."""
    desk = Desk()
    desk.disk.durable = desk.video.stored
    data = {"manifest": "x" * characters}
    told = {"key": "k", "type": reports.EVIDENCE_READY, "subject": "gateway", "data": data}
    assert await desk.video.take({"report": {"rows": [], "told": [told]}}) == {"received": ["k"]}
    (happened,) = desk.disk.told
    assert happened.data == {**(data if kept else {}), "key": "k"}


async def test_details_cannot_pose_as_what_is_ours(tmp_path: Path) -> None:
    """Without it a detail named "fault" would end another fault, or one named "since" its time."""
    odd = {"fault": "open", "subject": "button/gate", "since": "never", "key": "other"}
    async with joined(tmp_path) as house:
        await house.rooms.video.take(said(row(GATE, "dark", **odd)))
        (shown,) = documents.status(house.rooms)["faults"]
        assert (shown["subject"], shown["fault"], shown["key"]) == (GATE, "dark", "other")
        assert shown["since"].endswith("Z")
        await house.durable()
    async with joined(tmp_path) as house:
        assert house.rooms.faults.stands(GATE, "dark")
        await house.rooms.video.take(said(row(GATE)))
        assert not len(house.rooms.faults)


async def test_a_report_through_the_socket(tmp_path: Path) -> None:
    """Without it the handler could be right and be reached by nobody."""
    async with joined(tmp_path) as house:
        path = tmp_path / "run" / "control.sock"
        server = ControlServer(path, house.requests())
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        request = reports.request(Report((row(GATE, "dark"),), (), {"cameras": 1}))
        writer.write(msgspec.json.encode(request) + b"\n")
        assert msgspec.json.decode(await reader.readline()) == {"ok": True, "received": []}
        writer.write(b'{"do": "video", "report": {"rows": 7}}\n')
        assert msgspec.json.decode(await reader.readline())["code"] == "malformed"
        writer.write(b'{"do": "status"}\n')
        status = msgspec.json.decode(await reader.readline())
        assert status["faults"][0]["fault"] == "dark"
        assert status["video"]["cameras"] == 1
        writer.close()
        await server.close()
