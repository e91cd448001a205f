"""Brokers that refuse, keep silent, talk nonsense or cannot be found; by a scripted broker."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from gatehouse.config.model import Broker
from gatehouse.uplink import frames
from uplink.fakes import FAST, GATEWAY, TOPICS, Agent, until
from uplink.far_end import Script, nobody, plain


def connack(code: int, *more: int) -> Callable[[int, bytes], bytes]:
    """Return a CONNACK with that reason code and those properties."""
    return lambda _first, _body: bytes([0x20, 3 + len(more), 0, code, len(more), *more])


async def test_connack_refused_is_told_with_its_text(script: Script) -> None:
    """A gateway without rights must not look like one without a line."""
    script.connack = connack(0x87)
    async with Agent(plain(script.port)) as agent:
        await until(lambda: agent.heard.begun("broker-refused"))
        assert "Not authorized (0x87)" in agent.heard.text("broker-refused")
        assert agent.uplink.link.state != "connected"
        await until(lambda: script.connects() > 3)
        script.connack = connack(0)
        await until(lambda: agent.heard.ended("broker-refused"))
        assert agent.heard.begun("broker-refused") == 1
        assert agent.heard.begun("offline") == 0


async def test_suback_refused_leaves_alarms_going(script: Script) -> None:
    """Without a subscription no receipt comes, but the alarm must go."""
    granted = script.suback
    script.suback = lambda _first, body: bytes([0x90, 5, *body[:2], 0, 0x87, 1])
    async with Agent(plain(script.port)) as agent:
        await until(lambda: agent.heard.begun("subscribe-refused"))
        assert TOPICS.receipt in agent.heard.text("subscribe-refused")
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)
        script.suback = granted
        await until(lambda: agent.heard.ended("subscribe-refused"))
        assert script.connects() == 1


@pytest.mark.parametrize("code", [0x10, 0x80, 0x83, 0x87, 0x97, 0x99])
async def test_puback_that_is_no_success(script: Script, code: int) -> None:
    """Neither 0x10 nor 0x80 and above may ever be shown as sent."""
    script.puback = lambda message: code if message.topic == TOPICS.alarm else 0
    fault = "no-subscriber" if code == 0x10 else "publish-refused"
    async with Agent(plain(script.port)) as agent:
        alarms = [agent.press() for _ in range(3)]
        await until(lambda: agent.heard.begun(fault))
        other = agent.happens()
        await until(lambda: other in agent.heard.sent)
        tried = sum(message.topic == TOPICS.alarm for message in script.published)
        await until(
            lambda: sum(each.topic == TOPICS.alarm for each in script.published) > tried + 2
        )
        assert agent.heard.sent == [other]
        script.puback = lambda _message: 0
        await until(lambda: set(alarms) <= set(agent.heard.sent))
        await until(lambda: agent.heard.ended(fault))
        assert agent.heard.begun(fault) == agent.heard.ended(fault) == 1
        assert script.connects() == 1


async def test_refused_event_of_its_own_holds_up_nobody(script: Script) -> None:
    """One event that the broker never takes must not keep the others from the district."""
    refused: set[str] = set()
    script.puback = lambda message: (
        0x99 if any(each.encode() in message.payload for each in refused) else 0
    )
    agent = Agent(plain(script.port))
    first, *rest = [agent.happens() for _ in range(50)]
    refused.add(first)
    async with agent:
        await until(lambda: set(rest) <= set(agent.heard.sent))
        assert first not in agent.heard.sent
        assert agent.heard.begun("publish-refused") == 1


async def test_state_without_subscriber_is_no_fault(script: Script) -> None:
    """Nobody need be subscribed to `state`."""
    script.puback = lambda message: 0x10 if message.topic == TOPICS.state else 0
    async with Agent(plain(script.port)) as agent:
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)
        await until(lambda: any(each.topic == TOPICS.state for each in script.published))
    assert agent.heard.faults == []


async def test_birth_refused_is_said_again(script: Script) -> None:
    """A birth that was refused once would leave the gateway shown as gone."""
    answers = iter([0x87, 0x87])
    script.puback = lambda message: next(answers, 0) if message.topic == TOPICS.state else 0
    async with Agent(plain(script.port)) as agent:
        await until(lambda: agent.heard.ended("publish-refused"))
        assert sum(each.topic == TOPICS.state for each in script.published) == 3


async def test_alarm_waits_for_no_suback(script: Script) -> None:
    """A broker slow to subscribe us must not hold up the alarm."""
    script.suback = lambda _first, _body: None
    agent = Agent(plain(script.port))
    alarm = agent.press()
    async with agent:
        await until(lambda: alarm in agent.heard.sent)
        kinds = [first & 0xF0 for first in script.packets]
        assert kinds[:3] == [0x10, 0x80, 0x30]  # so that its receipt finds us subscribed


async def test_receive_maximum_is_kept(script: Script) -> None:
    """One publication more than the broker's Receive Maximum ends the connection (0x93)."""
    out: list[frames.Incoming] = []
    most = 0

    def puback(message: frames.Incoming) -> int | None:
        nonlocal most
        out.append(message)
        most = max(most, len(out))
        return None

    async def acknowledge() -> None:
        await until(lambda: len(out) == 5)
        while True:
            await asyncio.sleep(0.001)
            if out:
                message = out.pop(0)
                await script.send(bytes([0x40, 2, *message.mid.to_bytes(2, "big")]))

    script.connack = connack(0, 0x21, 0, 5)
    script.puback = puback
    agent = Agent(plain(script.port))
    for _ in range(100):
        agent.happens()
    acknowledging = asyncio.create_task(acknowledge())
    async with agent:
        await until(lambda: len(agent.heard.sent) > 20)
        alarms = [agent.press() for _ in range(12)]
        await until(lambda: set(alarms) <= set(agent.heard.sent))
        await until(lambda: len(agent.heard.sent) == 112)
    acknowledging.cancel()
    assert most == 5
    assert script.connects() == 1


async def test_silent_broker_is_left_for_the_next_while_an_alarm_waits(script: Script) -> None:
    """No PUBACK, no PINGRESP, no CONNACK: five seconds are enough for an alarm."""
    script.puback = lambda _message: None
    async with Script() as second:
        timing = replace(FAST, patience_s=0.1)
        async with Agent(plain(script.port), plain(second.port), timing=timing) as agent:
            await until(lambda: agent.uplink.link.state == "connected")
            alarm = agent.press()
            await until(lambda: alarm in agent.heard.sent)
            assert [each.topic for each in second.published if TOPICS.alarm in each.topic]
        script.connack = lambda _first, _body: None
        agent = Agent(plain(script.port), plain(second.port), timing=timing)
        alarm = agent.press()
        async with agent:
            await until(lambda: alarm in agent.heard.sent)


async def test_alarm_refused_here_is_tried_there(script: Script) -> None:
    """If nobody hears it at the first broker, somebody may at the second."""
    script.puback = lambda _message: 0x10
    async with Script() as second:
        timing = replace(FAST, patience_s=0.1)
        async with Agent(plain(script.port), plain(second.port), timing=timing) as agent:
            alarm = agent.press()
            await until(lambda: alarm in agent.heard.sent)
            assert agent.uplink.link.broker == plain(second.port).url


async def test_failovers_double(script: Script) -> None:
    """Without it one alarm would throw a slow line over every five seconds for ever."""
    script.puback = lambda message: None if message.topic == TOPICS.alarm else 0
    timing = replace(FAST, patience_s=0.05, patience_most_s=0.2)
    async with Agent(plain(script.port), timing=timing) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        patience = agent.uplink._sender.patience
        waits = []
        original = patience._give_up

        def give_up() -> None:
            waits.append(patience._wait_s())
            original()

        patience._give_up = give_up
        agent.press()
        await until(lambda: len(waits) >= 4)
        assert waits[:4] == pytest.approx([0.1, 0.2, 0.2, 0.2])


async def test_missing_pingresp_ends_the_connection(script: Script) -> None:
    """A frozen broker is found on a quiet day too."""
    script.pings = False
    timing = replace(FAST, keepalive_s=1, pingresp_s=0.2)
    async with Agent(plain(script.port), timing=timing) as agent:
        await until(lambda: any("PINGRESP" in str(each.error) for each in agent.heard.links))
        await until(lambda: script.connects() >= 2)


async def test_same_id_used_twice(script: Script) -> None:
    """Two gateways with one id throw each other out for ever: wait, unless an alarm does."""
    timing = replace(FAST, duplicate_wait_s=60.0, stable_s=0.2)
    async with Agent(plain(script.port), timing=timing) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        await script.send(bytes([0xE0, 2, 0x8E, 0]))
        await until(lambda: agent.heard.begun("duplicate-id"))
        assert GATEWAY in agent.heard.text("duplicate-id")
        assert agent.uplink.link.state == "offline"
        assert script.connects() == 1
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)
        assert script.connects() == 2
        await until(lambda: agent.heard.ended("duplicate-id"))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 20,
        b"\xff" * 20,
        bytes([0x30, 0xFF, 0xFF, 0xFF, 0x7F]),  # a packet of 256 MB
        bytes([0x30, 3, 0, 9, 0]),
        bytes([0x34, 8, 0, 1, 97, 0, 1, 0, 1, 2]),  # QoS 2
        bytes([0x40, 1, 0]),
        bytes([0x90, 2, 0, 9]),
        bytes([0x20, 1, 0]),
        bytes([0xE0, 2, 0xAB, 0]),
        bytes([0xF0, 0]),
    ],
)
async def test_garbage_costs_the_connection_and_nothing_else(
    script: Script, garbage: bytes
) -> None:
    """Whatever comes, the next connection carries the alarm."""
    script.at_once = garbage
    async with Agent(plain(script.port)) as agent:
        await until(lambda: script.connects() >= 2)
        script.at_once = b""
        script.drop()
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)


async def test_event_larger_than_the_broker_takes(script: Script) -> None:
    """Sent all the same it would end every connection (0x95), and the alarms with it."""
    script.connack = connack(0, 0x27, 0, 0, 0x04, 0)  # Maximum Packet Size 1024
    agent = Agent(plain(script.port))
    large = agent.happens(text="x" * 2000)
    async with agent:
        alarm, other = agent.press(), agent.happens()
        await until(lambda: {alarm, other} <= set(agent.heard.sent))
        assert large not in agent.heard.sent
        assert agent.heard.text("publish-refused") == "Packet too large"
        assert script.connects() == 1


async def test_abandoned_attempt_never_sends_connect() -> None:
    """It would throw the newer connection out, under the same id."""
    listening, greeted = threading.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            greeted.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    agent = Agent(plain(port))
    from gatehouse.uplink.mqtt import Connection  # noqa: PLC0415  # patched here only

    original = Connection._client_connect

    def slow(self: Connection) -> None:
        listening.wait(120)
        original(self)

    Connection._client_connect = slow  # type: ignore[method-assign, assignment]  # slow TCP
    try:
        async with agent:
            await until(lambda: agent.uplink.link.state == "connecting")
            agent.uplink._link.give_up()
    finally:
        listening.set()
        Connection._client_connect = original  # type: ignore[method-assign]  # put back
    await until(lambda: not any(each.name == "gatehouse-connect" for each in threading.enumerate()))
    await asyncio.sleep(0)
    server.close()
    assert not greeted.is_set()


async def test_name_that_does_not_resolve_and_then_does(script: Script) -> None:
    """A name server that is away: a fault, and no thread waited for."""
    found: list[str] = []

    def ask(_host: str) -> list[str]:
        if not found:
            raise OSError("name server away")
        return found

    broker = Broker("mqtt://broker.test", "broker.test", script.port, tls=False)
    async with Agent(broker, ask=ask) as agent:
        alarm = agent.press()
        await until(lambda: agent.heard.begun("offline"))
        assert "cannot resolve broker.test: name server away" in agent.heard.text("offline")
        found.append("127.0.0.1")
        await until(lambda: alarm in agent.heard.sent)
        await until(lambda: agent.heard.ended("offline"))


async def test_hanging_name_server_and_the_last_good_address(script: Script) -> None:
    """A press must not wait for a name that was known a minute ago."""
    known, hangs, asked = threading.Event(), threading.Event(), []

    def ask(_host: str) -> list[str]:
        if known.is_set():
            asked.append(1)
            hangs.wait(120)
        return ["127.0.0.1"]

    broker = Broker("mqtt://broker.test", "broker.test", script.port, tls=False)
    async with Agent(broker, ask=ask, timing=replace(FAST, resolve_s=0.1)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        known.set()
        for _ in range(2):
            before = script.connects()
            script.drop()
            await until(lambda: script.connects() > before)  # noqa: B023  # waited for at once
        assert len(asked) == 1  # no second thread while the first one hangs
    hangs.set()


async def test_plain_mqtt_only_on_this_machine() -> None:
    """An alarm in clear text over the network could be read, forged and suppressed."""
    with nobody() as port:
        broker = Broker("mqtt://broker.test", "broker.test", port, tls=False)
        async with Agent(broker, ask=lambda _host: ["127.0.0.1", "192.0.2.1"]) as agent:
            agent.press()
            await until(lambda: agent.heard.begun("offline"))
            assert "use mqtts://" in agent.heard.text("offline")


async def test_offline_is_told_after_a_while_also_without_an_alarm() -> None:
    """A line that is down must be found before it matters."""
    timing = replace(FAST, offline_after_s=0.2)
    with nobody() as port:
        async with Agent(plain(port), timing=timing) as agent:
            await until(lambda: agent.heard.begun("offline"))
            assert "cannot connect" in agent.heard.text("offline")


async def test_brokers_are_tried_in_order(script: Script) -> None:
    """The second broker serves while the first is away."""
    with nobody() as port:
        async with Agent(plain(port), plain(script.port)) as agent:
            await until(lambda: agent.uplink.link.state == "connected")
            assert agent.uplink.link.broker == plain(script.port).url
            assert agent.uplink.link.connection == 1
            assert agent.uplink.link.since is not None
