"""What one client may take of the control socket: size, time, number."""

import asyncio
import json
import logging

import pytest

from control.house import PATIENCE_S, House
from gatehouse.control.server import Limits


async def test_a_line_too_long_ends_the_connection(house: House) -> None:
    """Nobody fills the memory of the alarm service with one endless line."""
    await house.open()
    client = await house.connect()
    await client.say(b'{"do":"' + b"x" * 66_000)
    assert json.loads(await client.until_closed())["code"] == "too-long"
    other = await house.connect()
    most = json.dumps({"do": "echo", "x": "y" * (64 * 1024 - 40)}).encode()
    await other.say(most + b"\n")
    assert (await other.hear())["ok"]


async def test_a_line_that_never_ends_is_given_up(house: House) -> None:
    """A client that stops in the middle of a request does not keep its place."""
    await house.open(Limits(line_s=0.05))
    client = await house.connect()
    await client.say(b'{"do":')
    assert json.loads(await client.until_closed())["code"] == "timeout"


async def test_an_idle_connection_is_closed(house: House) -> None:
    """A client that asks nothing does not keep its place for ever."""
    await house.open(Limits(idle_s=0.05))
    client = await house.connect()
    assert await client.until_closed() == b""


async def test_a_handler_that_hangs_is_given_up(house: House) -> None:
    """Sixteen questions to a dead disk must not make the socket deaf."""
    await house.open(Limits(answer_s=0.05))
    client = await house.connect()
    assert (await client.ask({"do": "hang"}))["code"] == "timeout"
    assert (await client.ask({"do": "echo"}))["ok"]


async def test_sixteen_connections_and_not_one_more(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """The seventeenth is told so and sent away; when one leaves there is room again."""
    caplog.set_level(logging.INFO)
    await house.open()
    clients = [await house.connect() for _ in range(16)]
    for client in clients:
        assert (await client.ask({"do": "echo"}))["ok"]
    for _ in range(3):
        answer = json.loads(await (await house.connect()).until_closed())
        assert (answer["ok"], answer["code"]) == (False, "busy")
    assert (await clients[15].ask({"do": "echo"}))["ok"]
    clients[0].leave()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            late = await house.connect()
            await late.say(b'{"do":"echo"}\n')
            line = await late.reader.readline()
            if json.loads(line)["ok"]:
                break
    said = [record.message for record in caplog.records]
    assert sum("all connections are in use" in message for message in said) == 1
    assert sum("free again" in message for message in said) == 1


async def test_a_reader_that_does_not_read_is_dropped(house: House) -> None:
    """A stopped client must not make the service keep its answers in memory."""
    await house.open(Limits(write_s=0.1))
    slow = await house.connect()
    await slow.ask({"do": "echo"})
    assert house.server is not None
    (task,) = house.server._tasks
    slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
    await slow.say(b'{"do":"large","bytes":8000000}\n')
    other = await house.connect()
    assert (await other.ask({"do": "echo"}))["ok"]
    async with asyncio.timeout(PATIENCE_S):
        await task
    slow.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
    assert len(await slow.until_closed()) < 8_000_000


async def test_a_flood_does_not_hold_up_the_loop(house: House) -> None:
    """Thousands of requests sent at once are answered in turns with everything else."""
    await house.open()
    client = await house.connect()
    await client.say(b"{}\n" * 5_000)
    turns = 0
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(5_000):
            while not client.reader._buffer:  # type: ignore[attr-defined]  # do not wait: count
                turns += 1
                await asyncio.sleep(0)
            await client.reader.readline()
    assert turns > 50
    assert (await client.ask({"do": "echo"}))["ok"]
