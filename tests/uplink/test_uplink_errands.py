"""Errands: what the video service is asked for, and that nothing waits for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatehouse.errors import ControlError, NotRunningError
from gatehouse.uplink.errands import AT_ONCE, WAITING, RefusedError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.messages import Command
from uplink.desk import Desk, acknowledge
from uplink.fakes import TOPICS, Agent, until
from uplink.far_end import Mosquitto, Office, plain


def later(desk: Desk, said: dict[str, Any]) -> None:
    """Give a command whose answer comes later."""
    body = msgspec.json.encode(said)
    desk.commands.arrived(Incoming(TOPICS.command, body, correlation=b"l"))
    assert desk.commands.next_reply() is None


async def answer(desk: Desk) -> dict[str, Any]:
    """Wait for the answer of such a command."""
    async with asyncio.timeout(60):
        await desk.stirred.wait()
    desk.stirred.clear()
    reply = desk.commands.next_reply()
    assert reply is not None
    assert reply[1] == b"l"
    said: dict[str, Any] = msgspec.json.decode(reply[0])
    return said


@contextlib.asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    """Let errands be done."""
    task = asyncio.create_task(desk.errands.run())
    yield
    task.cancel()
    await asyncio.wait((task,))


def snapshot(number: int, camera: str = "gate") -> dict[str, Any]:
    """Return a command for a picture."""
    return acknowledge(number, command="snapshot", camera=camera)


async def test_a_snapshot_becomes_a_picture_under_the_commands_id() -> None:
    """Without it an officer who wants to see the gate would see nothing."""
    desk = Desk()
    desk.heard.video.answers["snapshot"] = {"ok": True, "path": "/e/s/gate.jpg", "taken": "now"}
    async with working(desk):
        later(desk, snapshot(1))
        assert await answer(desk) == {"id": "c1", "ok": True}
    assert desk.heard.video.asked == [{"do": "snapshot", "camera": "gate"}]
    assert desk.pictures == [("c1", 1, "/e/s/gate.jpg")]


async def test_one_snapshot_of_a_camera_in_five_seconds() -> None:
    """Without it a script at the district would have a narrow line carry pictures alone."""
    desk = Desk()
    desk.heard.video.answers["snapshot"] = {"path": "/e/s/gate.jpg"}
    async with working(desk):
        later(desk, snapshot(1))
        assert desk.asks(snapshot(2))["reason"] == "one snapshot of a camera in 5 s"
        later(desk, snapshot(3, "yard"))
    assert desk.commands.refusals == {"one snapshot of a camera in 5 s": 1}


async def test_no_command_waits_for_the_video_service() -> None:
    """Without it an acknowledgement would come to the lamp after a camera's time-out."""
    desk = Desk()
    desk.heard.video.free.clear()
    async with working(desk):
        for number in range(AT_ONCE + WAITING):
            later(desk, acknowledge(number, command="release-evidence"))
            await asyncio.sleep(0)
        assert desk.asks(acknowledge(50)) == {"id": "c50", "ok": True}
        said = desk.asks(acknowledge(51, command="release-evidence"))
        assert said["reason"] == "too many commands wait for the video service"
        for _ in range(AT_ONCE + WAITING):
            reply = desk.commands.next_reply()
            if reply is None:
                async with asyncio.timeout(60):
                    desk.stirred.clear()
                    await desk.stirred.wait()
                reply = desk.commands.next_reply()
            assert reply is not None
            assert b"the video service does not answer" in reply[0]
    assert desk.commands.refusals["the video service does not answer"] == AT_ONCE + WAITING


async def test_evidence_is_let_go_in_a_persons_name() -> None:
    """Without it nobody could tell later who at the district let evidence be deleted."""
    desk = Desk()
    desk.heard.video.answers["evidence-release"] = {"ok": True}
    async with working(desk):
        later(desk, acknowledge(1, command="release-evidence"))
        assert (await answer(desk))["ok"]
        later(desk, acknowledge(2, command="release-evidence", by=None))
        assert (await answer(desk))["ok"]
    assert desk.heard.video.asked == [
        {"do": "evidence-release", "alarm": "A", "by": by, "via": "district"}
        for by in ("王", "district")
    ]


@pytest.mark.parametrize(
    ("outcome", "reason", "counted"),
    [
        (NotRunningError("gone"), "the video service does not answer", None),
        (ConnectionResetError(), "the video service does not answer", None),
        (
            ControlError("no picture since 08:00"),
            "the video service refused: no picture since 08:00",
            "the video service refused",
        ),
        (ControlError("x" * 999), f"the video service refused: {'x' * 160}", None),
        (ZeroDivisionError(), "failed", None),
    ],
)
async def test_what_the_video_service_does_not_do_is_refused_with_its_reason(
    outcome: Exception, reason: str, counted: str | None
) -> None:
    """Without it the district would wait for a picture that never comes."""
    desk = Desk()
    desk.heard.video.answers["snapshot"] = outcome
    async with working(desk):
        later(desk, snapshot(1))
        assert await answer(desk) == {"id": "c1", "ok": False, "reason": reason}
    if counted:
        assert desk.commands.refusals == {counted: 1}
    assert [told for told, _ in desk.heard.refused] == [reason]


async def test_an_answer_that_fails_takes_nobody_along() -> None:
    """Without it a mistake in sending a reply would end the uplink, and with it the service."""
    desk = Desk()
    desk.heard.video.answers["evidence-release"] = {"ok": True}

    def failing(_refused: RefusedError | None) -> None:
        raise ZeroDivisionError

    async with working(desk):
        for number in range(AT_ONCE + 1):
            said = acknowledge(number, command="release-evidence")
            desk.errands.begin(msgspec.convert(said, Command), failing)
        later(desk, acknowledge(50, command="release-evidence"))
        assert await answer(desk) == {"id": "c50", "ok": True}


async def test_snapshot_on_a_broker_beside_a_hanging_one(
    mosquitto: Mosquitto, office: Office, tmp_path: Path
) -> None:
    """Without it the reply of a slow errand might never be sent: nothing else wakes the line."""
    file = tmp_path / "snapshots" / "gate.jpg"
    file.parent.mkdir()
    file.write_bytes(b"\xff\xd8\xff picture")
    async with Agent(plain(mosquitto.port), evidence=tmp_path) as agent:
        await until(lambda: office.on(TOPICS.state))
        video = agent.heard.video
        video.answers["snapshot"] = {"path": str(file)}
        video.free.clear()
        await office.say(TOPICS.command, snapshot(1))
        await office.say(TOPICS.command, acknowledge(2))
        await until(lambda: office.on(TOPICS.reply))
        assert office.on(TOPICS.reply) == [{"id": "c2", "ok": True}]
        video.free.set()
        await until(lambda: office.pictures() == ["c1/1"])
        await until(lambda: {"id": "c1", "ok": True} in office.on(TOPICS.reply))
