"""What goes wrong inside the uplink's own bookkeeping: found by reading it with a hostile eye."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatehouse import events
from gatehouse.config.model import Broker, District
from gatehouse.uplink import Birth, frames, tls
from gatehouse.uplink.lane import Lane
from gatehouse_sim.authority import Authority
from uplink.fakes import FAST, TOPICS, Agent, until
from uplink.far_end import Script, nobody, plain


@pytest.fixture
async def broker() -> AsyncIterator[Script]:
    """Start a broker that answers as the test wants."""
    async with Script() as broker:
        yield broker


def receipt(ids: Sequence[str]) -> bytes:
    """Return a publication of the district's: it has these."""
    head = frames.as_string(TOPICS.receipt)
    return frames.publish(head, b"\x00", msgspec.json.encode({"ids": list(ids)}), mid=0)


class Standing(Agent):
    """An uplink that starts with a fault of an earlier start."""

    @staticmethod
    def birth() -> Birth:
        """Return a birth that names it."""
        stands: tuple[dict[str, Any], ...] = ({"subject": "gateway", "fault": "offline"},)
        return msgspec.structs.replace(Agent.birth(), faults=stands)


async def test_fault_of_an_earlier_start_ends(broker: Script) -> None:
    """After a crash in an outage the lamp would show a fault for ever on a line that is well."""
    async with Standing(plain(broker.port)) as agent:
        await until(lambda: agent.heard.ended("offline"))
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)
        broker.drop()
        await until(lambda: broker.connects() == 2)
        assert [begins for name, begins, _ in agent.heard.faults if name == "offline"] == [False]


async def test_fault_of_an_earlier_start_is_not_begun_twice() -> None:
    """A fault that goes on over a restart ends only when it is over."""
    with nobody() as port:
        async with Standing(plain(port)) as agent:
            agent.press()
            await until(lambda: agent.heard.begun("offline"))
            assert not agent.heard.ended("offline")


async def test_receipt_for_many_that_wait_stalls_nobody(broker: Script) -> None:
    """Receipts for half of what was ready to go would leave the other half waiting for a press."""
    held: list[frames.Incoming] = []
    broker.puback = lambda message: held.append(message) if message.qos else None
    agent = Agent(plain(broker.port))
    ids = [agent.happens() for _ in range(300)]
    async with agent:
        lane = agent.uplink._sender.others
        await until(lambda: len(lane.ready) > 32 and held)
        await broker.send(receipt(ids[:60]))
        await until(lambda: len(agent.heard.received) == 60)
        broker.puback = lambda _message: 0
        for message in held:
            await broker.send(bytes([frames.PUBACK, 2, *message.mid.to_bytes(2, "big")]))
        await until(lambda: set(ids[60:]) <= set(agent.heard.sent))


async def test_what_is_overdue_while_the_window_is_full_does_not_spin(
    broker: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that rings at once and for ever takes the processor from the press."""
    rings = 0
    ring = Lane._ring

    def counted(lane: Lane) -> None:
        nonlocal rings
        rings += 1
        ring(lane)

    monkeypatch.setattr(Lane, "_ring", counted)
    timing = replace(FAST, resend_other_s=0.2)
    async with Agent(plain(broker.port), timing=timing, heartbeat_s=0.05) as agent:
        without_receipt = [agent.happens() for _ in range(20)]
        await until(lambda: set(without_receipt) <= set(agent.heard.sent))
        broker.puback = lambda _message: None
        for _ in range(200):
            agent.happens()
        lane = agent.uplink._sender.others
        await until(lambda: len(lane.ready) > 32 and lane._due[0][0] < lane.loop.time())
        rings = 0
        beats = len(broker.published)
        await until(lambda: len(broker.published) >= beats + 5)
        assert rings < 50


async def test_event_that_gave_way_is_not_asked_for_again(broker: Script) -> None:
    """A full outbox drops the least important; its body is gone, and asking for it is idle."""
    timing = replace(FAST, resend_other_s=0.05, bodies_s=0.05)
    async with Agent(plain(broker.port), timing=timing) as agent:
        gone, kept = agent.happens(), agent.happens()
        await until(lambda: {gone, kept} <= set(agent.heard.sent))
        agent.outbox.pending.done(gone)
        del agent.outbox.stored[gone]
        await until(lambda: gone not in agent.uplink._sender.others.flights)
        assert kept in agent.uplink._sender.others.flights


async def test_fresh_alarm_waits_for_no_old_one_that_cannot_be_read(broker: Script) -> None:
    """With a dead disk each old one costs its time; the press that is in memory does not."""
    agent = Agent(plain(broker.port), timing=replace(FAST, bodies_s=0.2))
    old = {agent.happens(events.ALARM_RAISED) for _ in range(30)}
    fresh = agent.happens(events.ALARM_RAISED)
    asked: list[str] = []

    async def bodies(ids: Sequence[str]) -> dict[str, bytes]:
        asked.append(ids[0]) if len(ids) == 1 else None
        if old & set(ids):
            await asyncio.Event().wait()  # a disk that hangs
        return {id_: agent.outbox.stored[id_] for id_ in ids}

    for lane in (agent.uplink._sender.alarms, agent.uplink._sender.others):
        lane.bodies = bodies
    async with agent:
        await until(lambda: fresh in agent.heard.sent)
        assert asked[0] == fresh
        assert not old & set(agent.heard.sent)


async def test_attempt_given_up_while_it_is_given_up(broker: Script) -> None:
    """A failover and an orderly end in the same moment must not end the service with an error."""
    broker.connack = lambda _first, _body: None
    loop = asyncio.get_running_loop()
    wrong: list[Any] = []
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    async with Agent(plain(broker.port)) as agent:
        link = agent.uplink._link
        await until(lambda: broker.connects() == 1)

        def again(left: int) -> None:
            link.give_up()
            if left:
                loop.call_soon(again, left - 1)
            else:
                link.part()
                link.part()

        again(8)
        await until(lambda: agent._running is not None and agent._running.done())
    loop.set_exception_handler(None)
    assert wrong == []


async def test_mistake_in_acting_on_a_command_costs_no_connection(broker: Script) -> None:
    """What the district asks for must not take the line from the alarms, whatever becomes of it."""
    async with Agent(plain(broker.port)) as agent:
        await until(lambda: agent.uplink.link.state == "connected")

        def fails(_alarm: str, _by: str) -> bool:
            raise RuntimeError("a defect of ours")

        agent.uplink._commands._acknowledge = fails
        asked = {"id": "c1", "expires": 4e9, "command": "acknowledge", "alarm": "a", "by": "b"}
        agent.clock.is_synced = False
        body = msgspec.json.encode(asked)
        await broker.send(frames.publish(frames.as_string(TOPICS.command), b"\x00", body, mid=0))
        await until(lambda: any(each.topic == TOPICS.reply for each in broker.published))
        (reply,) = (each.payload for each in broker.published if each.topic == TOPICS.reply)
        assert msgspec.json.decode(reply) == {"id": "c1", "ok": False, "reason": "failed"}
        alarm = agent.press()
        await until(lambda: alarm in agent.heard.sent)
        assert broker.connects() == 1


def reading() -> int:
    """Count the threads that read certificates now."""
    return sum(each.name == "gatehouse-certificates" for each in threading.enumerate())


async def test_dead_disk_collects_no_threads_of_certificates(tmp_path: Path) -> None:
    """A thread for each attempt would end in "can't start new thread", and in no connection."""
    identity = Authority.make(tmp_path, datetime.now(UTC)).client("gw-1")
    ca = tmp_path / "ca-of-ours.pem"
    ca.write_bytes(identity.ca.read_bytes())
    files = tls.Certificates(District((), ca, identity.cert, identity.key), timeout_s=0.05)
    files._timeout_s = 60.0
    good = await files.context("a", dates=True)
    files._timeout_s = 0.05
    ca.unlink()
    os.mkfifo(ca)  # opening it hangs, as a dead disk does
    for _ in range(5):
        assert await files.context("a", dates=True) is good
    assert reading() == 1
    with contextlib.suppress(OSError):
        os.close(os.open(ca, os.O_WRONLY | os.O_NONBLOCK))
    await until(lambda: reading() == 0)
    ca.unlink()
    ca.write_bytes(identity.ca.read_bytes())
    files._timeout_s = 60.0
    assert await files.context("a", dates=True) is not good


async def test_lookup_that_hangs_from_the_first_is_left_for_the_next_broker(
    broker: Script,
) -> None:
    """A name server that hangs at power-up must not keep the alarm from the other broker."""
    hangs = threading.Event()

    def ask(host: str) -> list[str]:
        if host == "a.test":
            hangs.wait(120)
        return ["127.0.0.1"]

    away = Broker("mqtt://a.test", "a.test", broker.port, tls=False)
    there = Broker("mqtt://b.test", "b.test", broker.port, tls=False)
    try:
        async with Agent(away, there, ask=ask, timing=replace(FAST, resolve_s=0.2)) as agent:
            alarm = agent.press()
            await until(lambda: alarm in agent.heard.sent)
            assert agent.uplink.link.broker == there.url
    finally:
        hangs.set()
