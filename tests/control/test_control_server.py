"""The server of the control socket, over real sockets, with every kind of client."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control.house import PATIENCE_S, Client, House, Message
from gatehouse.control.server import Limits


async def test_requests_are_answered_one_after_the_other(house: House) -> None:
    """The plain case: several requests on one connection, in order, also sent at once."""
    await house.open()
    client = await house.connect()
    assert await client.ask({"do": "echo", "n": 1}) == {"ok": True, "asked": {"do": "echo", "n": 1}}
    await client.say(b'{"do":"echo","n":2}\n\n{"do":"echo","n":3}\n')
    assert [(await client.hear())["asked"]["n"] for _ in range(2)] == [2, 3]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"status\n", "malformed"),
        (b"\xff\xfe\n", "malformed"),
        (b"[" * 20_000 + b"\n", "malformed"),
        (b'["do", "echo"]\n', "malformed"),
        (b"null\n", "malformed"),
        (b"{}\n", "unknown"),
        (b'{"do": ["echo"]}\n', "unknown"),
        (b'{"do": "disarm"}\n', "unknown"),
        (b'{"do": "refuse"}\n', "no-button"),
        (b'{"do": "fail"}\n', "internal"),
        (b'{"do": "unsayable"}\n', "internal"),
        (b'{"do": "large"}\n', "internal"),
    ],
)
async def test_what_cannot_be_done_is_told_and_the_connection_goes_on(
    house: House, line: bytes, code: str
) -> None:
    """A bad request or a defective handler costs one answer, not the connection or the service."""
    await house.open()
    client = await house.connect()
    await client.say(line)
    answer = await client.hear()
    assert (answer["ok"], answer["code"]) == (False, code)
    assert answer["error"]
    assert (await client.ask({"do": "echo"}))["ok"]


async def test_a_defect_is_logged_with_its_traceback(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """The client reads "internal error"; whoever mends it needs the traceback."""
    await house.open()
    answer = await (await house.connect()).ask({"do": "fail"})
    assert answer["error"] == "internal error"
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info


async def test_who_has_something_done_is_logged_as_the_kernel_knows_them(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A member of the group may act in any name; without it nobody could tell who it was."""
    caplog.set_level(logging.INFO)
    await house.open()
    client = await house.connect()
    by = "李 uid 0, pid 1\nINFO: by nobody" + "x" * 1000
    await client.ask({"do": "echo", "by": by})
    await client.ask({"do": "act", "by": by})
    (said,) = [record.message for record in caplog.records]
    me = f"control socket: uid {os.getuid()}, pid {os.getpid()} asks act: "
    assert said.startswith(me)
    assert len(said) <= len(me) + 300
    assert "\n" not in said, "one line, whatever is in it"


async def test_who_has_left_before_being_heard_is_still_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that asks and leaves at once has its will; without it, and no trace."""
    caplog.set_level(logging.INFO)
    await house.open()
    with socket.socket(socket.AF_UNIX) as hasty:
        hasty.connect(str(house.path))
        hasty.sendall(b'{"do":"act"}\n')
    other = await house.connect()
    async with asyncio.timeout(PATIENCE_S):
        while f"uid {os.getuid()}, pid {os.getpid()} asks act" not in caplog.text:
            assert (await other.ask({"do": "echo"}))["ok"]


async def test_a_last_line_without_its_end_is_answered(house: House) -> None:
    """Who types `printf '{"do":"echo"}' | nc -N -U` gets an answer."""
    await house.open()
    client = await house.connect()
    await client.say(b'{"do":"echo"}')
    client.writer.write_eof()
    assert (await client.hear())["ok"]
    assert await client.until_closed() == b""


async def test_a_large_answer_arrives_whole(house: House) -> None:
    """An event log of some megabytes is no slow reader's fault."""
    await house.open()
    client = Client(*await asyncio.open_unix_connection(str(house.path), limit=2**24))
    house.clients.append(client)
    answer = await client.ask({"do": "large", "bytes": 3_000_000})
    assert len(answer["text"]) == 3_000_000


async def test_a_stream_goes_on_until_the_client_leaves(house: House) -> None:
    """Watching ends with the watcher, also while there is nothing new to be told."""
    await house.open()
    client = await house.connect()
    assert await client.ask({"do": "count"}) == {"ok": True, "n": 1, "text": ""}
    assert (await client.hear())["n"] == 2
    await client.say(b"what a watcher says is not a request\n")
    assert not house.counter.ended.is_set()
    client.leave()
    async with asyncio.timeout(PATIENCE_S):
        await house.counter.ended.wait()


async def test_a_stream_to_one_that_does_not_read_is_ended(house: House) -> None:
    """A stopped `status --watch` is dropped, and its stream freed."""
    await house.open(Limits(write_s=0.1))
    client = await house.connect()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
    await client.say(json.dumps({"do": "count", "text": "x" * 10_000}).encode() + b"\n")
    async with asyncio.timeout(PATIENCE_S):
        await house.counter.ended.wait()


async def test_a_stream_may_end_or_be_refused(house: House) -> None:
    """A stream that ends closes the connection; one that refuses says why and goes on."""

    async def short(_request: Message) -> AsyncIterator[Message]:
        async def items() -> AsyncIterator[Message]:
            yield {"n": 1}

        return items()

    await house.open(short=short)
    client = await house.connect()
    await client.say(b'{"do":"short"}\n')
    assert json.loads(await client.until_closed()) == {"ok": True, "n": 1}
    client = await house.connect()
    assert (await client.ask({"do": "count", "to": 1}))["n"] == 1
    assert (await client.hear())["code"] == "enough"
    assert (await client.ask({"do": "echo"}))["ok"]


async def test_closing_ends_everything_at_once(house: House) -> None:
    """SIGTERM must end the service within two seconds, whoever is connected and whatever hangs."""
    await house.open()
    idle, hanging, watching = [await house.connect() for _ in range(3)]
    await hanging.say(b'{"do":"hang"}\n')
    await watching.ask({"do": "count"})
    assert house.server is not None
    async with asyncio.timeout(PATIENCE_S):
        await house.server.close()
    assert house.counter.ended.is_set()
    assert not house.server._tasks
    assert not house.path.exists()
    for client in (idle, hanging, watching):
        await client.until_closed()


async def test_a_handler_that_will_not_end_is_left_behind(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits half a second for a handler that ignores it, not for ever."""
    freed = asyncio.Event()

    async def stubborn(_request: Message) -> Message:
        while not freed.is_set():
            try:
                await freed.wait()
            except asyncio.CancelledError:
                continue
        return {}

    await house.open(stubborn=stubborn)
    client = await house.connect()
    await client.say(b'{"do":"stubborn"}\n')
    assert house.server is not None
    await house.connect()
    await (await house.connect()).ask({"do": "echo"})
    async with asyncio.timeout(PATIENCE_S):
        await house.server.close()
    assert "left behind" in caplog.text
    freed.set()
    client.leave()
    await asyncio.wait(house.server._tasks, timeout=PATIENCE_S)


_LINE = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(["echo", "refuse", "fail", "nonsense", "unsayable"]).map(
        lambda do: json.dumps({"do": do}).encode()
    ),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(_LINE.map(lambda line: line.replace(b"\n", b"")), max_size=12))
def test_garbage_costs_an_answer_each(tmp_path: Path, lines: list[bytes]) -> None:
    """Whatever is said, each line has one answer with ``ok``, and the server lives on."""

    async def run() -> None:
        house = House(tmp_path)
        await house.open(replace(Limits(), idle_s=PATIENCE_S))
        try:
            client = await house.connect()
            await client.say(b"".join(line + b"\n" for line in lines))
            for line in lines:
                if line.strip():
                    assert isinstance((await client.hear())["ok"], bool)
            assert (await client.ask({"do": "echo"}))["ok"]
        finally:
            await house.close()

    logging.disable(logging.CRITICAL)
    try:
        asyncio.run(run())
    finally:
        logging.disable(logging.NOTSET)
