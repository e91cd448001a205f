"""Events reach the district over a real mosquitto, and nothing ends but by a receipt."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from gatehouse import events
from uplink.fakes import FAST, GATEWAY, TOPICS, Agent, until
from uplink.far_end import Mosquitto, Office, plain


async def test_press_goes_to_the_district_and_back(mosquitto: Mosquitto, office: Office) -> None:
    """The main job: a press is published, acknowledged, received, and then done."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: office.on(TOPICS.state))
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.received)
        assert agent.heard.sent == [alarm]
        assert agent.outbox.sent_ids == [alarm]
        assert not len(agent.outbox.pending)
        assert office.ids(TOPICS.alarm) == [alarm]
        raw = next(message for message in office.raw if str(message.topic) == TOPICS.alarm)
        assert raw.payload == agent.outbox.stored[alarm]
        assert raw.properties is not None
        assert vars(raw.properties)["ContentType"] == events.CONTENT_TYPE
        assert agent.uplink.link.proven_ns is not None
        assert agent.heard.faults == []


async def test_what_waits_goes_alarms_first_and_each_once(
    mosquitto: Mosquitto, office: Office
) -> None:
    """After an outage the alarms must not stand behind hundreds of lesser events."""
    agent = Agent(plain(mosquitto.port))
    others = [agent.happens() for _ in range(300)]
    alarms = [agent.press() for _ in range(5)]
    async with agent:
        await until(lambda: not len(agent.outbox.pending))
    assert office.ids()[:5] == alarms
    assert office.ids(TOPICS.event) == others


async def test_several_presses_at_once_pass_a_full_window(
    mosquitto: Mosquitto, office: Office
) -> None:
    """Eight buttons pressed in the same moment, in the middle of a drain, all go."""
    agent = Agent(plain(mosquitto.port))
    for _ in range(2000):
        agent.happens()
    async with agent:
        await until(lambda: len(agent.heard.sent) > 100)
        alarms = [agent.press() for _ in range(40)]
        await until(lambda: set(alarms) <= set(agent.heard.received))
        await until(lambda: not len(agent.outbox.pending))
        assert max(map(agent.heard.sent.index, alarms)) < 2000 - 200
        assert agent.uplink.link.connection == 1
    assert sorted(set(office.ids(TOPICS.alarm))) == sorted(alarms)


async def test_withheld_receipt_resends_under_the_same_id(
    mosquitto: Mosquitto, office: Office
) -> None:
    """Only a receipt ends an event: without one it goes again, and again on each connection."""
    office.receipts = False
    timing = replace(FAST, resend_alarm_s=0.1, resend_other_s=0.2)
    async with Agent(plain(mosquitto.port), timing=timing) as agent:
        alarm, other = agent.press(), agent.happens()
        await until(lambda: office.ids().count(alarm) >= 3 and office.ids().count(other) >= 2)
        assert len(agent.outbox.pending) == 2
        assert agent.heard.sent.count(alarm) == 1
        office.receipts = True
        await until(lambda: not len(agent.outbox.pending))
        assert sorted(agent.heard.received) == sorted([alarm, other])


async def test_odd_receipts_are_counted_and_cost_nothing(
    mosquitto: Mosquitto, office: Office
) -> None:
    """Doubled, unknown and malformed receipts, and one with thousands of ids."""
    office.receipts = False
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: office.on(TOPICS.state))
        alarms = [agent.press() for _ in range(3)]
        await until(lambda: set(alarms) <= set(office.ids()))
        proven = agent.uplink.link.proven_ns
        await office.say(TOPICS.receipt, {"ids": ["unknown"]})
        for garbage in (b"", b"\xff", b"{}", b'{"ids": 5}', b'{"ids": [1]}', b"[" * 5000):
            await office.say(TOPICS.receipt, garbage)
        await office.say(TOPICS.receipt, {"ids": [alarms[0], alarms[0]]})
        await office.say(TOPICS.receipt, {"ids": [alarms[0]]})
        many = [f"{number:036d}" for number in range(3000)]
        await office.say(TOPICS.receipt, {"ids": [*many, *alarms[1:]]})
        await until(lambda: not len(agent.outbox.pending))
        assert agent.heard.received == alarms
        assert agent.uplink.counts["malformed receipts"] == 6
        assert agent.uplink.counts["unknown receipts"] == 3002
        assert proven is None
        assert agent.uplink.link.connection == 1


async def test_without_receipts_a_puback_ends_an_event(
    mosquitto: Mosquitto, office: Office
) -> None:
    """Receipts = false: `sent` is the last stage, and the PUBACK is the proof."""
    office.receipts = False
    async with Agent(plain(mosquitto.port), receipts=False) as agent:
        alarm = agent.press()
        await until(lambda: not len(agent.outbox.pending))
        assert agent.heard.sent == [alarm]
        assert agent.heard.received == []
        assert agent.uplink.link.proven_ns is not None


async def test_without_subscriber_nothing_is_sent(mosquitto: Mosquitto) -> None:
    """PUBACK 0x10 means that nobody has it: a fault, tried again, ended by the first success."""
    async with Agent(plain(mosquitto.port)) as agent:
        alarms = [agent.press() for _ in range(3)]
        agent.happens()
        await until(lambda: agent.heard.begun("no-subscriber"))
        assert agent.heard.text("no-subscriber") == "No matching subscribers"
        assert agent.heard.sent == []
        async with Office(mosquitto.port) as office:
            await until(lambda: not len(agent.outbox.pending))
            assert set(office.ids(TOPICS.alarm)) == set(alarms)
        await until(lambda: agent.heard.ended("no-subscriber"))
        assert [fault for fault, _, _ in agent.heard.faults] == ["no-subscriber"] * 2
        assert agent.uplink.link.connection == 1


async def test_access_rules_that_refuse_us(tmp_path: Path) -> None:
    """A broker that takes no events from us: never `sent`, a fault with its text, alarms go."""
    rules = tmp_path / "acl"
    rules.write_text(
        f"topic write {TOPICS.alarm}\ntopic write {TOPICS.state}\ntopic write {TOPICS.telemetry}\n"
        "topic read gatehouse/#\ntopic write gatehouse/v1/+/down/#\n",
        encoding="ascii",
    )
    rules.chmod(0o600)
    broker = Mosquitto(tmp_path, lines=["allow_anonymous true", f"acl_file {rules}", "user root"])
    await broker.start()
    try:
        async with Office(broker.port) as office, Agent(plain(broker.port)) as agent:
            other = agent.happens()
            await until(lambda: agent.heard.begun("publish-refused"))
            assert agent.heard.text("publish-refused") == "Not authorized"
            alarm = agent.press()
            await until(lambda: alarm in agent.heard.received)
            assert other not in agent.heard.sent
            assert office.ids() == [alarm]
            assert len(agent.outbox.pending) == 1
    finally:
        broker.close()


async def test_broker_killed_and_started_again(mosquitto: Mosquitto) -> None:
    """Presses of an outage arrive after it, and the fault is told at both its ends."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        mosquitto.kill()
        await until(lambda: agent.uplink.link.state != "connected")
        alarms = [agent.press() for _ in range(3)]
        await until(lambda: agent.heard.begun("offline"))
        await mosquitto.start()
        async with Office(mosquitto.port) as office:
            await until(lambda: not len(agent.outbox.pending))
            assert set(office.ids(TOPICS.alarm)) == set(alarms)
        assert agent.heard.ended("offline") == 1
        assert agent.uplink.link.connection >= 2
        states = [status.state for status in agent.heard.links]
        assert states[-1] == "connected"
        assert "offline" in states


async def test_frozen_broker_is_found_and_left(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Its kernel acknowledges TCP for ever; an alarm goes to the second broker instead."""
    second = Mosquitto(tmp_path)
    await second.start()
    timing = replace(FAST, patience_s=0.2)
    try:
        async with (
            Office(second.port) as office,
            Agent(plain(mosquitto.port), plain(second.port), timing=timing) as agent,
        ):
            await until(lambda: agent.uplink.link.state == "connected")
            assert agent.uplink.link.broker == plain(mosquitto.port).url
            mosquitto.freeze()
            alarm = agent.press()
            await until(lambda: alarm in agent.heard.received)
            # once, but for a machine so slow that it loses patience with the second one too
            assert set(office.ids(TOPICS.alarm)) == {alarm}
            assert agent.uplink.link.broker == plain(second.port).url
            mosquitto.thaw()
    finally:
        second.close()


async def test_frozen_broker_is_found_without_an_alarm(mosquitto: Mosquitto) -> None:
    """The deadline on PUBACK ends a dead connection; a later press must not find it out."""
    async with Agent(plain(mosquitto.port), timing=replace(FAST, puback_s=0.3)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        mosquitto.freeze()
        agent.happens()
        await until(lambda: agent.uplink.link.state != "connected")
        assert any("no PUBACK" in str(status.error) for status in agent.heard.links)
        mosquitto.thaw()
        await until(lambda: agent.uplink.link.state == "connected")


async def test_birth_will_and_farewell(mosquitto: Mosquitto, office: Office) -> None:
    """The district tells a gateway that stopped from one that died, and old wills from new."""
    timing = replace(FAST, will_delay_s=0)
    agent = Agent(plain(mosquitto.port), timing=timing)
    async with agent:
        await until(lambda: office.on(TOPICS.state))
        said = office.on(TOPICS.state)[0]
        assert said["online"] is True
        assert (said["store"], said["start"], said["connection"]) == ("store", 7, 1)
        assert set(said) >= {"bootid", "version", "started", "buttons", "cameras", "faults"}
    await until(lambda: len(office.on(TOPICS.state)) == 2)
    assert office.on(TOPICS.state)[1] == {
        "online": False, "store": "store", "start": 7, "connection": 1
    }  # fmt: skip
    async with Agent(plain(mosquitto.port), timing=timing) as agent:
        await until(lambda: len(office.on(TOPICS.state)) == 3)
        await agent.uplink.farewell(30.0)
        await until(lambda: len(office.on(TOPICS.state)) == 4)
        assert office.on(TOPICS.state)[3]["online"] is False
        assert agent._running is not None
        await agent._running  # run() has nothing left to do
    async with Office(mosquitto.port) as fresh:
        await until(lambda: fresh.on(TOPICS.state))
        assert fresh.on(TOPICS.state) == [office.on(TOPICS.state)[3]]  # retained
        await asyncio.sleep(0)
    assert len(office.on(TOPICS.state)) == 4  # no will after a farewell


async def test_farewell_waits_for_no_frozen_broker(mosquitto: Mosquitto) -> None:
    """SIGTERM has two seconds; a broker that does not answer must not use them up."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")
        mosquitto.freeze()
        async with asyncio.timeout(60):
            await agent.uplink.farewell(0.1)
            assert agent._running is not None
            await agent._running
        mosquitto.thaw()


async def test_heartbeat_goes_while_connected(mosquitto: Mosquitto, office: Office) -> None:
    """Without it the district would not see a gateway's load and disk."""
    async with Agent(plain(mosquitto.port), heartbeat_s=0.05):
        await until(lambda: len(office.on(TOPICS.telemetry)) >= 3)
    assert office.on(TOPICS.telemetry)[0] == {"alive": True}
    message = next(each for each in office.raw if str(each.topic) == TOPICS.telemetry)
    assert message.qos == 0


async def test_district_is_asked_for_a_sign_of_life(mosquitto: Mosquitto, office: Office) -> None:
    """The lamp's `ready` needs a proof within the last minute, also on a quiet day."""
    async with Agent(plain(mosquitto.port), timing=replace(FAST, proof_s=0.1)) as agent:
        started = agent.happens(events.GATEWAY_STARTED)
        await until(lambda: started in agent.heard.received)
        proven = agent.uplink.link.proven_ns
        await until(lambda: office.ids().count(started) >= 3)
        await until(lambda: (agent.uplink.link.proven_ns or 0) > (proven or 0))
        assert agent.heard.received == [started]
        assert agent.uplink.counts["unknown receipts"] == 0


async def test_hanging_disk_holds_up_no_press(mosquitto: Mosquitto, office: Office) -> None:
    """Bodies that cannot be read wait; a live press, and a press after them, go all the same."""
    timing = replace(FAST, bodies_s=0.05)
    agent = Agent(plain(mosquitto.port), timing=timing)
    agent.outbox.hang = True
    waiting = agent.happens()
    async with agent:
        await until(lambda: office.on(TOPICS.state))
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.received)
        assert waiting not in agent.heard.sent
        agent.outbox.hang = False
        await until(lambda: waiting in agent.heard.received)
    assert GATEWAY in TOPICS.alarm


async def test_a_press_is_written_before_the_call_returns(
    mosquitto: Mosquitto, office: Office
) -> None:
    """A hop through the loop would put the press behind whatever the loop does next."""
    async with Agent(plain(mosquitto.port)) as agent:
        await until(lambda: office.on(TOPICS.state))
        alarm = agent.press()
        time.sleep(0.3)  # noqa: ASYNC251  # the loop is blocked on purpose
        wire = agent.uplink._connection
        assert wire is not None
        assert not wire._batch
        assert not wire._client.want_write()
        await until(lambda: alarm in agent.heard.received)
