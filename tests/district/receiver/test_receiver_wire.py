"""The receiver on a real mosquitto: answering, silence, restarts, and those who mean it harm."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from district.receiver.gateway_words import birth
from gatehouse import events
from gatehouse_district.errors import AnswerError, DistrictStoreError
from gatehouse_district.model import Presence, Stage
from gatehouse_district.receiver import answering, answers
from gatehouse_district.receiver.link import Letter, Link
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from sim.paho_gateway import LIMIT_S, PahoGateway, Writer, connected

GW = "gw-1"
OWN = f"gatehouse/v1/{GW}/"
NOT_AUTHORISED = 0x87
JPEG = b"\xff\xd8\xff\xe0picture"
T = TypeVar("T")


async def until(receiver: Receiver, ask: Callable[[], Awaitable[T]]) -> T:
    """Wait until what is asked is there; woken by the receiver's own news."""
    async with asyncio.timeout(LIMIT_S * 3):
        while True:
            revision = receiver.news.revision
            if found := await ask():
                return found
            await receiver.news.newer(revision)


async def stage(receiver: Receiver, id_: str, wanted: Stage) -> None:
    """Wait until an alarm has got so far."""

    async def there() -> bool:
        alarm = await receiver.records.alarm(id_)
        return alarm is not None and alarm.stage is wanted

    await until(receiver, there)


async def command(gateway: PahoGateway) -> tuple[dict[str, Any], bytes]:
    """Return the next command and its correlation data."""
    while True:
        message = await gateway.next()
        if message.topic.endswith("/command"):
            said: dict[str, Any] = json.loads(message.payload)
            return said, message.properties.CorrelationData  # type: ignore[union-attr]  # paho sets it


async def raised(gateway: PahoGateway, writer: Writer) -> events.Event:
    """Raise an alarm and wait for its receipt."""
    alarm = writer.write(location="南门")
    await gateway.publish(writer.topic, events.encode(alarm))
    assert await gateway.receipted(1) == [alarm.id]
    return alarm


async def test_an_answer_is_said_until_it_is_confirmed(
    receiver: Receiver, gateway: PahoGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a guard would wait for an answer that got lost on its way."""
    monkeypatch.setattr(answering, "AGAIN_S", 0.05)
    first, second = [await raised(gateway, writer) for writer in [Writer(GW)] for _ in range(2)]
    await receiver.answering.acknowledge(second.id, " 王老师 ")
    said, correlation = await command(gateway)
    again, _ = await command(gateway)
    assert again == said
    assert (said["command"], said["alarm"], said["by"]) == ("acknowledge", second.id, "王老师")
    await gateway.reply(GW, {"id": "x", "ok": False, "reason": "unknown alarm"}, b"another")
    await gateway.reply(GW, {"id": said["id"], "ok": True}, correlation)
    for each in (first, second):
        await stage(receiver, each.id, Stage.ACKNOWLEDGED)
    with pytest.raises(AnswerError, match="王老师"):
        await receiver.answering.acknowledge(second.id, "Li")


async def test_a_refused_answer_may_be_given_again(
    receiver: Receiver, gateway: PahoGateway
) -> None:
    """Without it the desk would show an answer that the gateway did not take."""
    alarm = await raised(gateway, Writer(GW))
    for reason, wanted in (("unknown alarm", Stage.RECEIVED), (None, Stage.ACKNOWLEDGED)):
        await receiver.answering.acknowledge(alarm.id, "Wang")
        said, correlation = await command(gateway)
        reply = {"id": said["id"], "ok": reason is None, "reason": reason}
        await gateway.reply(GW, reply, correlation)
        await stage(receiver, alarm.id, wanted)
        shown = await receiver.records.alarm(alarm.id)
        assert shown is not None
        assert shown.refused == (reason or "")


@pytest.mark.parametrize("reason", ["expired", "replayed"])
async def test_an_answer_nobody_knows_the_end_of_gets_a_new_id(
    receiver: Receiver, gateway: PahoGateway, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Without it one that waited too long would be refused, and a lost refusal pass as done."""
    monkeypatch.setattr(answering, "AGAIN_S", 0.05)
    alarm = await raised(gateway, Writer(GW))
    await receiver.answering.acknowledge(alarm.id, "Wang")
    old, correlation = await command(gateway)
    await gateway.reply(GW, {"id": old["id"], "ok": False, "reason": reason}, correlation)
    while (new := await command(gateway))[0]["id"] == old["id"]:
        await stage(receiver, alarm.id, Stage.ANSWERING)
    assert {**new[0], "id": 0, "expires": 0} == {**old, "id": 0, "expires": 0}
    await gateway.reply(GW, {"id": new[0]["id"], "ok": True}, new[1])
    await stage(receiver, alarm.id, Stage.ACKNOWLEDGED)


async def test_an_answer_goes_on_after_a_restart(
    broker: Broker, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a restart of the district would leave a guard without the answer she was given."""
    path = tmp_path / "district.db"
    async with Receiver(broker.url, path) as receiver:
        alarm = await raised(gateway, Writer(GW))
        await receiver.answering.acknowledge(alarm.id, "Wang")
        said, _ = await command(gateway)
    async with Receiver(broker.url, path) as receiver:
        again, correlation = await command(gateway)
        assert again == said
        await stage(receiver, alarm.id, Stage.ANSWERING)
        await gateway.reply(GW, {"id": said["id"], "ok": True}, correlation)
        await stage(receiver, alarm.id, Stage.ACKNOWLEDGED)
        waiting = await receiver.store.do(lambda keeper: answers.waiting(keeper.db))
        assert waiting == []


async def test_a_gateway_that_is_born_is_told_at_once(
    receiver: Receiver, gateway: PahoGateway
) -> None:
    """Without it an answer would wait for its turn though the gateway is back."""
    alarm = await raised(gateway, Writer(GW))
    await receiver.answering.acknowledge(alarm.id, "Wang")
    said, _ = await command(gateway)
    await gateway.publish(f"{OWN}state", json.dumps(birth()))
    again, _ = await command(gateway)
    assert again == said


async def test_a_snapshot_is_asked_for_once_and_its_picture_comes_under_its_id(
    receiver: Receiver, gateway: PahoGateway
) -> None:
    """Without it nobody could look into a gatehouse from the district."""
    with pytest.raises(AnswerError, match="no gateway"):
        await receiver.answering.snapshot(GW, "yard", "Wang")
    await gateway.publish(f"{OWN}state", json.dumps(birth()))

    async def born() -> bool:
        return await receiver.records.gateway(GW) is not None

    await until(receiver, born)
    with pytest.raises(AnswerError, match="no camera"):
        await receiver.answering.snapshot(GW, "moon", "Wang")
    id_ = await receiver.answering.snapshot(GW, "yard", "Wang")
    said, _ = await command(gateway)
    assert (said["id"], said["command"], said["camera"]) == (id_, "snapshot", "yard")
    await gateway.publish(f"{OWN}up/picture/{id_}/1", JPEG)

    async def there() -> bytes | None:
        return await receiver.records.picture(id_, 1)

    assert await until(receiver, there) == JPEG


async def test_evidence_is_released_once(receiver: Receiver, gateway: PahoGateway) -> None:
    """Without it a gateway's disk would fill with evidence that nobody needs any more."""
    alarm = await raised(gateway, Writer(GW))
    await receiver.answering.release_evidence(alarm.id, "Wang")
    said, correlation = await command(gateway)
    assert (said["command"], said["alarm"]) == ("release-evidence", alarm.id)
    with pytest.raises(AnswerError, match="already"):
        await receiver.answering.release_evidence(alarm.id, "Wang")
    await gateway.reply(GW, {"id": said["id"], "ok": True}, correlation)

    async def over() -> bool:
        return not await receiver.store.do(lambda keeper: answers.waiting(keeper.db))

    await until(receiver, over)


@pytest.mark.parametrize("by", ["", "  ", "x" * 65, "a\nb", "\u202e"])
async def test_an_answer_needs_a_name(receiver: Receiver, by: str) -> None:
    """Without it nobody would know who answered."""
    with pytest.raises(AnswerError, match="name"):
        await receiver.answering.acknowledge("x", by)


async def test_a_gateway_without_heartbeats_falls_silent_and_is_heard_again(
    receiver: Receiver, gateway: PahoGateway
) -> None:
    """Without it a hung gateway, whose broker holds its connection, would stand as present."""
    await gateway.publish(f"{OWN}state", json.dumps(birth(heartbeat_s=1)))

    async def silent() -> bool:
        found = await receiver.records.gateway(GW)
        return found is not None and found.presence is Presence.SILENT

    async def online() -> bool:
        return not await silent()

    await until(receiver, silent)
    await gateway.publish(f"{OWN}up/telemetry", b"{}")
    await until(receiver, online)


async def test_it_needs_no_broker_to_be_read(tmp_path: Path) -> None:
    """Without it nobody could look at the district while its broker is down."""
    receiver = Receiver("mqtt://127.0.0.1:1", tmp_path / "district.db")
    with pytest.raises(DistrictStoreError, match="not started"):
        _ = receiver.answering
    await receiver.start(wait=False)
    assert await receiver.records.gateways() == []
    assert not receiver.connected
    await receiver.stop()
    await receiver.stop()


async def test_nonsense_does_not_reach_the_others(
    broker: Broker, receiver: Receiver, gateway: PahoGateway
) -> None:
    """Without it a flood from one school would keep another school's alarm from the desk."""
    async with connected(broker.url, "gw-2") as other:
        leaves = ("up/alarm", "up/event", "state", "up/telemetry", "up/x", "up/picture/a/1")
        flood = [
            asyncio.create_task(other.publish(f"gatehouse/v1/gw-2/{leaves[n % 6]}", b"%d" % n))
            for n in range(3000)
        ]
        alarm = await raised(gateway, Writer(GW))
        await asyncio.gather(*flood)
    shown = await receiver.records.alarms()
    assert [each.id for each in shown] == [alarm.id]

    async def all_counted() -> bool:
        return sum((await receiver.records.refusals()).values()) == 3000

    await until(receiver, all_counted)


async def test_who_is_not_that_school_is_refused(tmp_path: Path) -> None:
    """Without it one stolen gateway could speak for every school, or choke the district."""
    authority = Authority.make(tmp_path / "authority", datetime.now(UTC))
    async with (
        Broker(tmp_path / "broker", authority.server()) as broker,
        Receiver(broker.url, tmp_path / "d.db", authority.client("district.receiver")) as receiver,
        connected(broker.url, GW, authority.client(GW)) as gateway,
    ):
        theirs = Writer("gw-2").write()
        foreign = "gatehouse/v1/gw-2/up/alarm"
        assert await gateway.publish(foreign, events.encode(theirs)) == NOT_AUTHORISED
        assert await gateway.publish(f"{OWN}up/alarm", events.encode(theirs)) == 0
        alarm = await raised(gateway, Writer(GW))
        assert [each.id for each in await receiver.records.alarms()] == [alarm.id]
        assert await receiver.records.refusals() == {"source": 1}


async def test_a_message_of_a_megabyte_is_not_read(tmp_path: Path) -> None:
    """Without it a broker that allows large messages would fill the receiver's memory."""
    body = b'{"id": "' + b"x" * (1 << 20) + b'"}'
    limit = ("max_packet_size 4000000",)
    async with (
        Broker(tmp_path / "broker", extra=limit) as broker,
        Receiver(broker.url, tmp_path / "district.db") as receiver,
        connected(broker.url, GW) as gateway,
    ):
        letters = deque([Letter.to("gatehouse/v1/gw-2/up/alarm", body)])
        harmful = Link(letters, lambda *_: None)
        await harmful.open(broker.url, None, "gw-2", clean=True, expiry_s=0)
        harmful.pump()
        alarm = await raised(gateway, Writer(GW))
        async with asyncio.timeout(LIMIT_S):
            await harmful.subscribe(("x",))  # answered after the PUBACK
        assert not harmful._under_way, "the broker did not take it"
        assert [each.id for each in await receiver.records.alarms()] == [alarm.id]
        again = await raised(gateway, Writer(GW, "another store"))
        assert len(await receiver.records.alarms()) == 2, again
        assert await receiver.records.refusals() == {}
        assert receiver.connected
        harmful.abort()
        await harmful.closed
