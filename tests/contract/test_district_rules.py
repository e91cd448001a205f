"""The district's broker rules (contract section 3), on a real mosquitto with the very files."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatehouse_sim.authority import EXPIRED, Authority
from gatehouse_sim.broker import Broker
from gatehouse_sim.identity import Identity
from sim.paho_gateway import PahoGateway, connected

OURS, OTHER = "qd-sn-0042", "qd-sn-0043"
NOT_AUTHORISED = 0x87
NOBODY_LISTENS = 0x10


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Make the district's authority."""
    return Authority.make(tmp_path / "authority", datetime.now(UTC))


@pytest.fixture
async def broker(tmp_path: Path, authority: Authority) -> AsyncIterator[Broker]:
    """Start the district's broker."""
    async with Broker(tmp_path / "broker", authority.server()) as broker:
        yield broker


async def test_a_gateway_writes_its_own_prefix_only(broker: Broker, authority: Authority) -> None:
    """Without it one stolen gateway could raise alarms in the name of every school."""
    async with connected(broker.url, OURS, authority.client(OURS)) as gateway:
        for own in ("up/alarm", "up/event", "up/picture/a/1", "up/telemetry", "up/reply", "state"):
            assert await gateway.publish(f"gatehouse/v1/{OURS}/{own}", b"x") == NOBODY_LISTENS
        for foreign in (
            f"gatehouse/v1/{OTHER}/up/alarm",
            f"gatehouse/v1/{OTHER}/state",
            f"gatehouse/v1/{OTHER}/down/receipt",
            f"gatehouse/v1/{OURS}/down/receipt",
            f"gatehouse/v1/{OURS}/down/command",
            f"gatehouse/v1/{OURS}/state/more",
            f"gatehouse/v2/{OURS}/up/alarm",
            "anything",
            "$SYS/broker/version",
        ):
            assert await gateway.publish(foreign, b"x") == NOT_AUTHORISED, foreign


async def test_the_client_id_does_not_matter(broker: Broker, authority: Authority) -> None:
    """Without it the self-test, which connects under an id of its own, would be refused."""
    gateway = PahoGateway(f"{OURS}-selftest", authority.client(OURS))
    assert await gateway.connect(broker.url) == 0
    assert await gateway.publish(f"gatehouse/v1/{OURS}/up/event", b"x") == NOBODY_LISTENS
    own = await gateway.publish(f"gatehouse/v1/{OURS}-selftest/up/event", b"x")
    assert own == NOT_AUTHORISED
    await gateway.close()


async def test_a_gateway_reads_what_is_meant_for_it_only(
    broker: Broker, authority: Authority
) -> None:
    """Without it one school could read the others' commands and alarms."""
    receiver = PahoGateway("receiver", authority.client("district.receiver"))
    assert await receiver.connect(broker.url) == 0
    async with (
        connected(broker.url, OTHER, authority.client(OTHER)) as other,
        connected(broker.url, OURS, authority.client(OURS)) as gateway,
    ):
        for wanted in ("gatehouse/v1/+/up/#", f"gatehouse/v1/{OTHER}/#", "#", "$SYS/#"):
            await gateway.subscribe(wanted)  # granted by mosquitto 2.0.11, and then never served
        assert await other.publish(f"gatehouse/v1/{OTHER}/up/alarm", b"secret") < 0x80
        assert await other.publish(f"gatehouse/v1/{OTHER}/state", b"s", retain=True) < 0x80
        await receiver.publish(f"gatehouse/v1/{OTHER}/down/command", b"secret")
        await receiver.publish(f"gatehouse/v1/{OURS}/down/command", b"ours")
        await receiver.publish(f"gatehouse/v1/{OURS}/down/receipt", b"end")
        heard = set()
        while b"end" not in heard:
            heard.add((await gateway.next()).payload)
        assert heard == {b"ours", b"end"}
        assert (await other.next()).payload == b"secret"
    await receiver.close()


async def test_the_receiver_reads_all_and_answers_all(broker: Broker, authority: Authority) -> None:
    """Without it the district would hear nothing, or could not send a receipt."""
    receiver = PahoGateway("receiver", authority.client("district.receiver"))
    assert await receiver.connect(broker.url) == 0
    for wanted in ("gatehouse/v1/+/up/#", "gatehouse/v1/+/state"):
        assert await receiver.subscribe(wanted) == 1
    for name in (OURS, OTHER):
        async with connected(broker.url, name, authority.client(name)) as gateway:
            for leaf in ("up/alarm", "up/event", "up/picture/a/1", "state"):
                topic = f"gatehouse/v1/{name}/{leaf}"
                assert await gateway.publish(topic, b"x") == 0
                assert (await receiver.next()).topic == topic
            assert await receiver.publish(f"gatehouse/v1/{name}/down/receipt", b"r") == 0
            assert (await gateway.next()).payload == b"r"
    forged = await receiver.publish(f"gatehouse/v1/{OURS}/up/alarm", b"x")
    assert forged == NOT_AUTHORISED
    await receiver.close()


@pytest.mark.parametrize("who", ["nobody", "stranger", "expired"])
async def test_only_the_authoritys_own_come_in(
    broker: Broker, authority: Authority, tmp_path: Path, who: str
) -> None:
    """Without it anybody on the network could speak for a school."""
    stranger = Authority.make(tmp_path / "stranger", datetime.now(UTC)).client(OURS)
    files = {
        "stranger": Identity(authority.ca, stranger.cert, stranger.key),
        "expired": authority.client(OURS, span=EXPIRED),
    }.get(who)
    context = ssl.create_default_context(cafile=authority.ca)
    if files is not None:
        context.load_cert_chain(files.cert, files.key)
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, ssl=context)
    connect = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x14\x00\x00\x03abc"
    writer.write(connect)
    with pytest.raises((ssl.SSLError, ConnectionError)):  # TLS 1.3 refuses after the handshake
        await reader.readexactly(4)
    writer.transport.abort()


async def test_the_limits_reach_the_client(broker: Broker, authority: Authority) -> None:
    """Without it a gateway would drain with the default window of 20, 500 events/s at 40 ms."""
    files = authority.client(OURS)
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.cert, files.key)
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, ssl=context)
    writer.write(b"\x10\x10\x00\x04MQTT\x05\x02\x00\x14\x00\x00\x03abc")
    head = await reader.readexactly(2)
    answer = await reader.readexactly(head[1])
    writer.transport.abort()
    assert answer[1] == 0
    assert b"\x21" + (256).to_bytes(2, "big") in answer, "Receive Maximum"
    assert b"\x27" + (131072).to_bytes(4, "big") in answer, "Maximum Packet Size"
