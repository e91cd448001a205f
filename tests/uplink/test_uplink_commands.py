"""Commands: what is carried out, what is refused, and that a flood costs nothing."""

import asyncio
import time
from typing import Any

import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gatehouse.uplink.commands import INBOX, REMEMBERED
from gatehouse.uplink.frames import Incoming
from uplink.desk import Desk, acknowledge
from uplink.fakes import TOPICS, Agent, until
from uplink.far_end import Mosquitto, Office, plain


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


def test_unset_clock_judges_not_how_far_ahead_an_expiry_is() -> None:
    """A Pi that woke in 1970 must not lose a person's acknowledgement; replays stay refused."""
    desk = Desk()
    desk.clock.offset_s, desk.clock.is_synced = -1e9, False
    assert desk.asks(acknowledge())["ok"]
    assert desk.asks(acknowledge())["reason"] == "replayed"


def test_unset_clock_refuses_what_is_expired() -> None:
    """A school that keeps its time without NTP must not carry out what was said last week."""
    desk = Desk()
    desk.clock.is_synced = False
    assert desk.asks(acknowledge() | {"expires": time.time() - 60})["reason"] == "expired"
    assert not desk.heard.acknowledged


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
