"""Pictures between the services: what is taken from the video service, and what it is asked."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from gatehouse.control import protocol
from gatehouse.control.server import ControlServer
from gatehouse.errors import ControlError, NotRunningError
from gatehouse.service import documents, pictures
from service.house import joined


async def test_a_picture_is_queued_and_shown_in_the_status(tmp_path: Path) -> None:
    """Without it nobody could see that pictures wait, or that some were dropped."""
    async with joined(tmp_path) as house:
        take = house.requests()["picture"]
        path = str(tmp_path / "state" / "evidence" / "a" / "01-gate.small.jpg")
        request = {"do": "picture", "alarm": "a", "number": 1, "path": path, "deadline_s": 600}
        assert await take(request) == {"queued": True, "most_bytes": 30_000}
        assert await take(request) == {"queued": True, "most_bytes": 30_000}
        assert documents.status(house.rooms)["pictures"] == {"queued": 1, "sent": 0, "dropped": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarm": None},
        {"alarm": "a/b"},
        {"alarm": "+"},
        {"number": "1"},
        {"number": True},
        {"number": 0},
        {"number": 100},
        {"path": 7},
        {"path": "/etc/passwd"},
        {"path": "a/01-gate.small.jpg"},
        {"path": "{folder}/" + "x" * 60_000},
        {"deadline_s": "soon"},
        {"deadline_s": -1},
        {"deadline_s": 10**400},
    ],
)
async def test_what_is_no_picture_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Without it a mistake of the video service would be found on the wire, or never."""
    async with joined(tmp_path) as house:
        path = str(tmp_path / "state" / "evidence" / "a" / "01-gate.small.jpg")
        right = {"do": "picture", "alarm": "a", "number": 1, "path": path}
        if isinstance(long := wrong.get("path"), str):
            wrong = {"path": long.replace("{folder}", str(Path(path).parent))}
        with pytest.raises(ControlError) as refused:
            await house.requests()["picture"](right | wrong)
        assert refused.value.code == protocol.MALFORMED
        assert house.rooms.uplink.pictures.counts.queued == 0


async def test_the_video_service_is_asked_beside_the_loop(tmp_path: Path) -> None:
    """Without it a video service that hangs would hold up a press."""
    with pytest.raises(NotRunningError):
        await pictures.ask_video(tmp_path, {"do": "snapshot", "camera": "gate"})
    goes_on = asyncio.Event()

    async def snapshot(request: dict[str, Any]) -> dict[str, Any]:
        await goes_on.wait()  # the loop turns meanwhile, or this would never be set
        return {"path": f"/{request['camera']}.jpg"}

    async def no(_request: dict[str, Any]) -> dict[str, Any]:
        raise ControlError("unknown alarm")

    server = ControlServer(tmp_path / "video.sock", {"snapshot": snapshot, "evidence-release": no})
    await server.start()
    try:
        asking = asyncio.create_task(
            pictures.ask_video(tmp_path, {"do": "snapshot", "camera": "gate"})
        )
        goes_on.set()
        assert (await asking)["path"] == "/gate.jpg"
        with pytest.raises(ControlError, match="unknown alarm"):
            await pictures.ask_video(tmp_path, {"do": "evidence-release", "alarm": "a"})
    finally:
        await server.close()


async def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    """Without it a mad video service would fill the alarm's memory, and get it killed."""

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x" * 65_536)
                await writer.drain()

    async with await asyncio.start_unix_server(endless, tmp_path / "video.sock"):
        with pytest.raises(ControlError) as refused:
            await pictures.ask_video(tmp_path, {"do": "snapshot", "camera": "gate"})
    assert refused.value.code == protocol.TOO_LONG
