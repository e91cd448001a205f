"""The simulated district: what it receipts is on its disk."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatehouse import events
from gatehouse_sim.authority import Authority
from gatehouse_sim.broker import Broker
from gatehouse_sim.child import die_with_parent
from gatehouse_sim.district import District
from sim.district_file import stored
from sim.paho_gateway import LIMIT_S, PahoGateway, Writer, connected

GW = "gw-1"
ALARM = f"gatehouse/v1/{GW}/up/alarm"
NOBODY_LISTENS = 0x10


Lines = Callable[[Callable[[dict[str, Any]], bool]], Awaitable[dict[str, Any]]]


@asynccontextmanager
async def process(url: str, store: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, Lines]]:
    """Run a district as a process, which is killed (SIGKILL) at the end.

    With it comes a way to wait for the next line of a kind.
    """
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gatehouse_sim.district", "--broker", url, "--store", str(store)),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    out = running.stdout
    assert out is not None

    async def lines(wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT_S):
            while line := await out.readline():
                said: dict[str, Any] = json.loads(line)
                if wanted(said):
                    return said
        raise AssertionError("the district ended")

    try:
        yield running, lines
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def test_over_tls_with_the_districts_rules(tmp_path: Path) -> None:
    """Without it the ordinary case, certificates and access rules, would not be simulated."""
    authority = Authority.make(tmp_path / "authority", datetime.now(UTC))
    receiver = authority.client("district.receiver")
    async with (
        Broker(tmp_path / "broker", authority.server()) as broker,
        District(broker.url, tmp_path / "district.db", receiver) as district,
        connected(broker.url, GW, authority.client(GW)) as gateway,
    ):
        event = Writer(GW).write()
        assert await gateway.publish(ALARM, events.encode(event)) == 0
        assert await gateway.receipted(1) == [event.id]
        assert [record.event for record in district.alarms(GW)] == [event]


async def test_a_receipt_follows_the_commit(
    district: District, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a receipt could be a lie, as a PUBACK is."""
    body = events.encode(Writer(GW).write(location="南门"))
    await gateway.publish(ALARM, body)
    await gateway.receipted(1)
    assert stored(tmp_path / "district.db") == [body]
    (record,) = district.events()
    assert record.body == body
    assert record.arrived_ns > 0


async def test_an_event_that_comes_twice_is_kept_once_and_receipted_twice(
    district: District, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a gateway that missed a receipt would send for ever, or count two alarms."""
    event = Writer(GW).write()
    for _ in range(2):
        await gateway.publish(ALARM, events.encode(event))
    assert await gateway.receipted(2) == [event.id] * 2
    assert district.deliveries(event.id) == 2
    assert len(stored(tmp_path / "district.db")) == 1
    assert district.conflicts == []


async def test_a_number_that_means_two_events_is_noticed(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a test could not see the one thing that must never happen to numbers."""
    first, second = Writer(GW).write(), Writer(GW).write()
    await gateway.publish(ALARM, events.encode(first))
    await gateway.publish(ALARM, events.encode(second))
    assert await district.wait_for(lambda d: d.conflicts) == [second.id]


async def test_it_says_what_it_lacks(district: District, gateway: PahoGateway) -> None:
    """Without it an event could be lost and every test still be green."""
    writer = Writer(GW)
    first, second, third = (writer.write() for _ in range(3))
    for event in (first, third):
        await gateway.publish(ALARM, events.encode(event))
    await district.wait_for(lambda d: len(d.events()) == 2)
    assert district.missing(GW) == [second.sequence]
    writer.start()
    began = writer.write(events.GATEWAY_STARTED, previous="00000001.0000000004", reason="boot")
    await gateway.publish(f"gatehouse/v1/{GW}/up/event", events.encode(began))
    await district.wait_for(lambda d: len(d.events()) == 3)
    assert district.missing(GW) == [second.sequence, "00000001.0000000004"]


async def test_states_replies_and_telemetry_are_collected(
    district: District, gateway: PahoGateway
) -> None:
    """Without it births, wills and answers could not be tested."""
    own = f"gatehouse/v1/{GW}/"
    await gateway.publish(f"{own}state", json.dumps({"online": True, "store": "s", "start": 7}))
    await gateway.publish(f"{own}up/telemetry", "{}")
    await gateway.publish(f"{own}up/picture/a/1", b"\xff\xd8\xff")
    await district.wait_for(lambda d: d.states and d.telemetry and d.pictures)
    assert district.states[0].running == ("s", 7)
    assert district.states[0].online


async def test_a_command_gets_its_reply(district: District, gateway: PahoGateway) -> None:
    """Without it an acknowledgement could be matched with another one's answer."""
    asking = asyncio.create_task(district.acknowledge(GW, "alarm-1", "Wang"))
    message = await gateway.next()
    said = json.loads(message.payload)
    assert (said["command"], said["alarm"], said["by"]) == ("acknowledge", "alarm-1", "Wang")
    assert datetime.fromisoformat(said["expires"]) > datetime.now(UTC)
    await gateway.reply(GW, {"id": "other", "ok": False}, b"other")
    correlation = message.properties.CorrelationData  # type: ignore[union-attr]  # paho sets it
    await gateway.reply(GW, {"id": said["id"], "ok": True}, correlation)
    assert (await asking).body == {"id": said["id"], "ok": True}


@pytest.mark.parametrize(
    ("leaf", "payload"),
    [
        ("up/alarm", b"{"),
        ("up/event", b"\xff"),
        ("up/alarm", b'{"id": "x"}'),
        ("state", b"[]"),
        ("up/unheard-of", b"{}"),
    ],
)
async def test_nonsense_is_kept_apart_and_gets_no_receipt(
    district: District, gateway: PahoGateway, leaf: str, payload: bytes
) -> None:
    """Without it a broken gateway could stop the district, or be told that it is understood."""
    await gateway.publish(f"gatehouse/v1/{GW}/{leaf}", payload)
    event = Writer(GW).write()
    await gateway.publish(ALARM, events.encode(event))
    assert await gateway.receipted(1) == [event.id]
    ((topic, kept, _),) = district.malformed
    assert (topic, kept) == (f"gatehouse/v1/{GW}/{leaf}", payload)


async def test_an_event_under_a_foreign_name_is_nonsense(
    district: District, gateway: PahoGateway
) -> None:
    """Without it a gateway could report for another one within its own prefix."""
    await gateway.publish(ALARM, events.encode(Writer("gw-2").write()))
    await district.wait_for(lambda d: d.malformed)
    assert district.events() == []


async def test_it_remembers_over_a_restart(
    broker: Broker, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a district's restart would make new alarms out of old ones."""
    event = Writer(GW).write()
    for times in (1, 2):
        async with District(broker.url, tmp_path / "district.db") as district:
            await gateway.publish(ALARM, events.encode(event))
            await gateway.receipted(1)
            assert district.deliveries(event.id) == times
            assert len(district.events()) == 1


async def test_who_waits_in_vain_is_told_what_is_there(district: District) -> None:
    """Without it a failing test would say no more than that time is over."""
    with pytest.raises(TimeoutError, match=r"events \{\}"):
        await district.wait_for(lambda d: d.events(), timeout_s=0.01)
    waiting = asyncio.create_task(district.wait_for(lambda d: d.malformed[0]))
    with pytest.raises(IndexError):
        await waiting


async def test_a_thousand_events_are_receipted_in_batches(
    district: District, gateway: PahoGateway
) -> None:
    """Without it draining would measure the district's disk, one commit for each event."""
    writer = Writer(GW)
    written = [writer.write() for _ in range(1000)]
    await district.go_away()
    codes = await asyncio.gather(
        *(gateway.publish(ALARM, events.encode(event)) for event in written)
    )
    assert set(codes) == {0}
    await district.come_back()
    ids: list[str] = []
    messages = 0
    while len(ids) < len(written):
        ids += json.loads((await gateway.next()).payload)["ids"]
        messages += 1
    assert set(ids) == {event.id for event in written}
    assert messages < len(written) / 4
    assert district.missing(GW) == []


@pytest.mark.parametrize("rounds", [4, pytest.param(40, marks=pytest.mark.campaign)])
async def test_killed_at_any_moment_it_has_what_it_receipted(
    broker: Broker, gateway: PahoGateway, tmp_path: Path, rounds: int
) -> None:
    """Without it the word receipt would mean no more than PUBACK."""
    path, writer = tmp_path / "district.db", Writer(GW)
    receipted: set[str] = set()
    for round_ in range(rounds):
        async with process(broker.url, path) as (_, lines):
            await lines(lambda said: "ready" in said)
            sending = [
                asyncio.create_task(gateway.publish(ALARM, events.encode(writer.write())))
                for _ in range(200)
            ]
            receipted |= set(await gateway.receipted(1 + 50 * round_ % 200))
        await asyncio.gather(*sending)
        while not gateway.heard.empty():
            receipted |= set(await gateway.receipted(1))
        ids = {events.decode(body).id for body in stored(path)}
        assert receipted <= ids
    async with District(broker.url, path) as district:
        await district.wait_for(lambda d: len(d.events()) == 200 * rounds)
        assert district.missing(GW) == []


async def test_as_a_process_it_tells_each_event_and_ends_in_order(
    broker: Broker, gateway: PahoGateway, tmp_path: Path
) -> None:
    """Without it a demo in two terminals would show nothing."""
    async with process(broker.url, tmp_path / "district.db") as (running, lines):
        await lines(lambda said: "ready" in said)
        event = Writer(GW).write()
        await gateway.publish(ALARM, events.encode(event))
        told = await lines(lambda said: said.get("id") == event.id)
        assert (told["gateway"], told["deliveries"]) == (GW, 1)
        running.terminate()
        async with asyncio.timeout(LIMIT_S):
            assert await running.wait() == 0
