"""Commands: what is carried out, what is refused, and that a flood costs nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gatehouse.errors import ControlError, NotRunningError
from gatehouse.uplink.commands import INBOX, REMEMBERED, Commands
from gatehouse.uplink.errands import AT_ONCE, WAITING, Errands
from gatehouse.uplink.frames import Incoming
from uplink.fakes import TOPICS, Agent, Heard, Mosquitto, MovedClock, Office, plain, until


class Desk:
    """Commands without a broker."""

    def __init__(self, **seen: float) -> None:
        self.heard = Heard()
        self.clock = MovedClock()
        self.remembered: dict[str, float] = {}
        self.stirred = asyncio.Event()
        hooks = self.heard.hooks()
        self.pictures: list[tuple[str, int, str]] = []
        self.errands = Errands(
            ask=hooks.video,
            cameras=("gate", "yard"),
            picture=lambda *picture: self.pictures.append(picture),
            clock=self.clock,
            timeout_s=0.2,
        )
        self.commands = Commands(
            clock=self.clock,
            acknowledge=hooks.acknowledge,
            selftest=hooks.selftest,
            errands=self.errands,
            stir=self.stirred.set,
            refused=hooks.refused,
            remember=self.remembered.__setitem__,
            seen=seen.items(),
        )

    def asks(self, said: dict[str, Any] | bytes) -> dict[str, Any]:
        """Give a command; return the reply."""
        body = said if isinstance(said, bytes) else msgspec.json.encode(said)
        self.commands.arrived(Incoming(TOPICS.command, body, correlation=b"c"))
        reply = self.commands.next_reply()
        assert reply is not None
        assert reply[1] == b"c"
        answer: dict[str, Any] = msgspec.json.decode(reply[0])
        return answer


def acknowledge(number: int = 1, **other: Any) -> dict[str, Any]:
    """Return a command that is in order, changed as asked."""
    said = {"command": "acknowledge", "alarm": "A", "by": "王", "expires": time.time() + 60}
    return {"id": f"c{number}"} | said | other


def test_acknowledge_is_carried_out_once() -> None:
    """A replayed acknowledgement would answer for a person who is not there any more."""
    desk = Desk()
    assert desk.asks(acknowledge()) == {"id": "c1", "ok": True}
    assert desk.asks(acknowledge()) == {"id": "c1", "ok": False, "reason": "replayed"}
    assert desk.heard.acknowledged == [("A", "王")]
    assert desk.heard.refused[0][0] == "replayed"
    assert "c1" in desk.remembered


def test_selftest_begins_once_at_a_time() -> None:
    """A platform that asks again and again must not have the gateway do nothing else."""
    desk = Desk()
    assert desk.asks(acknowledge() | {"command": "selftest"})["ok"]
    again = desk.asks(acknowledge(2) | {"command": "selftest"})
    assert again["reason"] == "a self-test is under way"
    assert desk.heard.selftests == ["c1", "c2"]


def test_replay_memory_survives_a_restart() -> None:
    """What was carried out before the restart is not carried out again."""
    assert Desk(c1=time.time() + 60).asks(acknowledge())["reason"] == "replayed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expires": 0}, "expired"),
        ({"expires": "2020-01-01T00:00:00Z"}, "expired"),
        ({"expires": 1e12}, "expires more than 24 h ahead"),
        ({"expires": "tomorrow"}, "malformed"),
        ({"expires": None}, "malformed"),
        ({"id": 5}, "malformed"),
        ({"id": ""}, "malformed"),
        ({"id": "x" * 200}, "malformed"),
        ({"alarm": {"a": 1}}, "malformed"),
        ({"by": None}, "acknowledge needs alarm and by"),
        ({"alarm": "unknown"}, "unknown alarm"),
        ({"command": "snapshot"}, "snapshot needs camera"),
        ({"command": "snapshot", "camera": "unknown"}, "unknown camera"),
        ({"command": "snapshot", "camera": "gate", "id": "a/b"}, "malformed"),
        ({"command": "release-evidence", "alarm": None}, "release-evidence needs alarm"),
        ({"command": "reset"}, "unknown command"),
        ({"command": "drill-start"}, "unknown command"),
        ({"command": "disarm"}, "unknown command"),
    ],
)
def test_refused_with_a_reason_and_counted(change: dict[str, Any], reason: str) -> None:
    """Nothing remote starts a drill, resets or disarms; and a refusal is never silent."""
    desk = Desk()
    reply = desk.asks(acknowledge() | change)
    assert not reply["ok"]
    assert reply["reason"] == reason
    assert desk.commands.refusals == {reason: 1}
    assert [told for told, _ in desk.heard.refused] == [reason]
    assert reason == "unknown alarm" or not desk.heard.acknowledged


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff", b"[]", b"[" * 9999, b"{}" + b" " * 20_000])
def test_garbage_is_malformed(garbage: bytes) -> None:
    """A mistake at the district must not end the connection."""
    assert Desk().asks(garbage) == {"id": None, "ok": False, "reason": "malformed"}


def test_unset_clock_judges_no_expiry() -> None:
    """A Pi that woke in 1970 must not lose a person's acknowledgement; replays stay refused."""
    desk = Desk()
    desk.clock.offset_s, desk.clock.is_synced = -1e9, False
    assert desk.asks(acknowledge())["ok"]
    assert desk.asks(acknowledge())["reason"] == "replayed"


def test_refusals_told_are_ten_a_minute() -> None:
    """A flood of bad commands must not fill the outbox with events about them."""
    desk = Desk()
    for _ in range(500):
        desk.asks(b"garbage")
    assert len(desk.heard.refused) == 10
    assert desk.commands.refusals["malformed"] == 500


def test_replay_memory_is_bounded() -> None:
    """A year of commands must not grow the memory."""
    desk = Desk(**{f"o{number}": float(number) for number in range(REMEMBERED)})
    desk.asks(acknowledge())
    assert len(desk.commands._seen) == REMEMBERED
    assert "c1" in desk.commands._seen


def test_too_many_waiting_are_dropped_and_counted() -> None:
    """Commands must not take the memory that receipts and alarms need."""
    desk = Desk()
    for number in range(INBOX + 5):
        body = msgspec.json.encode(acknowledge(number))
        desk.commands.arrived(Incoming(TOPICS.command, body))
    replies = 0
    while desk.commands.next_reply():
        replies += 1
    assert replies == INBOX
    assert desk.commands.refusals["dropped"] == 5


def later(desk: Desk, said: dict[str, Any]) -> None:
    """Give a command whose answer comes later."""
    body = msgspec.json.encode(said)
    desk.commands.arrived(Incoming(TOPICS.command, body, correlation=b"l"))
    assert desk.commands.next_reply() is None


async def answer(desk: Desk) -> dict[str, Any]:
    """Wait for the answer of such a command."""
    async with asyncio.timeout(15):
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
                async with asyncio.timeout(15):
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


async def test_reply_carries_the_correlation_data(mosquitto: Mosquitto, office: Office) -> None:
    """Without it the district cannot tell which of its questions was answered."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: office.on(TOPICS.state))
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own
        properties.CorrelationData = b"\x00\xffsame"
        await office.say(TOPICS.command, acknowledge(), properties=properties)
        await until(lambda: office.on(TOPICS.reply))
        assert office.on(TOPICS.reply) == [{"id": "c1", "ok": True}]
        raw = next(message for message in office.raw if str(message.topic) == TOPICS.reply)
        assert raw.properties is not None
        assert vars(raw.properties)["CorrelationData"] == b"\x00\xffsame"
        assert raw.qos == 1
        assert agent.outbox.commands.keys() == {"c1"}


async def test_receipts_pass_a_flood_of_commands(mosquitto: Mosquitto, office: Office) -> None:
    """A receipt dropped for commands would leave an alarm shown as not received."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: office.on(TOPICS.state))
        flood = asyncio.gather(
            *(office.say(TOPICS.command, acknowledge(number, expires=0)) for number in range(400))
        )
        alarms = [agent.press() for _ in range(5)]
        await until(lambda: set(alarms) <= set(agent.heard.received))
        await flood
        refusals = agent.uplink.refusals
        await until(lambda: refusals["expired"] + refusals["dropped"] == 400)
        assert len(agent.heard.refused) <= 10
        assert agent.uplink.link.connection == 1
