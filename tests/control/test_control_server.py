"""The server of the control socket, over real sockets, with every kind of client."""

import asyncio
import json
import logging
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehouse.control.listening import ControlSocketError
from gatehouse.control.server import ControlServer, Handler, Limits
from gatehouse.errors import ControlError

PATIENCE_S = 20.0
Message = dict[str, Any]


async def echo(request: Message) -> Message:
    """Say what was asked."""
    return {"asked": request}


async def refuse(_request: Message) -> Message:
    """Refuse, as a handler does."""
    raise ControlError("no button of this name", code="no-button")


async def fail(_request: Message) -> Message:
    """Have a defect; a lost connection of the handler's own is one too."""
    raise ConnectionResetError("something of mine")


async def unsayable(_request: Message) -> Message:
    """Answer what JSON cannot say."""
    return {"what": object()}


async def large(request: Message) -> Message:
    """Answer many bytes."""
    return {"text": "x" * int(request["bytes"])}


async def hang(_request: Message) -> Message:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


class Counter:
    """A stream that counts, and tells whether it was ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.go = asyncio.Event()

    async def handle(self, request: Message) -> AsyncIterator[Message]:
        """Return the stream."""
        return self._count(request.get("to"), request.get("text", ""))

    async def _count(self, to: int | None, text: str) -> AsyncIterator[Message]:
        number = 0
        try:
            while to is None or number < to:
                number += 1
                yield {"n": number, "text": text}
                if not text and number == 2 and to is None:
                    await self.go.wait()  # like a watcher with nothing new to say
            raise ControlError("enough", code="enough")
        finally:
            self.ended.set()


class Client:
    """One connection, speaking raw lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, line: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(line)
        await self.writer.drain()

    async def hear(self) -> Message:
        """Wait for one answer."""
        async with asyncio.timeout(PATIENCE_S):
            answer: Message = json.loads(await self.reader.readline())
        return answer

    async def ask(self, request: object) -> Message:
        """Ask and wait for the answer."""
        await self.say(json.dumps(request).encode() + b"\n")
        return await self.hear()

    async def until_closed(self) -> bytes:
        """Read all until the server ends the connection."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def leave(self) -> None:
        """Go away without a word."""
        self.writer.transport.abort()


Connect = Callable[[], Awaitable[Client]]


class House:
    """A server in a folder of its own, and those who visit it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "control.sock"
        self.counter = Counter()
        self.clients: list[Client] = []
        self.server: ControlServer | None = None

    async def open(self, limits: Limits | None = None, **more: Handler) -> None:
        """Start the server; ``act`` is the one request that does something."""
        handlers: dict[str, Handler] = {
            "echo": echo,
            "act": echo,
            "refuse": refuse,
            "fail": fail,
            "unsayable": unsayable,
            "large": large,
            "hang": hang,
            "count": self.counter.handle,
            **more,
        }
        self.server = ControlServer(self.path, handlers, limits, acts={"act"})
        await self.server.start()

    async def connect(self) -> Client:
        """Visit."""
        client = Client(*await asyncio.open_unix_connection(str(self.path)))
        self.clients.append(client)
        return client

    async def close(self) -> None:
        """End everything."""
        for client in self.clients:
            client.leave()
        if self.server is not None:
            await self.server.close()
        await asyncio.sleep(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a house, and leave nothing of it behind."""
    house = House(tmp_path)
    yield house
    await house.close()


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


async def test_the_socket_is_for_its_group_only(house: House, tmp_path: Path) -> None:
    """Mode 0660 and the group of the folder, whatever the umask of the process is."""
    if os.geteuid() == 0:
        os.chown(tmp_path, -1, 12345)
    before = os.umask(0)
    try:
        await house.open()
    finally:
        os.umask(before)
    found = house.path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_gid == house.path.parent.stat().st_gid
    assert not (tmp_path / "control.new").exists()


async def test_the_socket_of_a_killed_service_is_replaced(house: House) -> None:
    """After kill -9 the socket file is still there: the next start must not stumble over it."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(house.path))
    await house.open()
    assert (await (await house.connect()).ask({"do": "echo"}))["ok"]


async def test_a_living_service_is_not_robbed_of_its_socket(house: House, tmp_path: Path) -> None:
    """A second service started by hand is refused, and the first one stays reachable."""
    await house.open()
    second = House(tmp_path)
    with pytest.raises(ControlSocketError, match="another service"):
        await second.open()
    await second.close()
    assert (await (await house.connect()).ask({"do": "echo"}))["ok"]


async def test_what_is_not_a_socket_is_not_removed(house: House, tmp_path: Path) -> None:
    """A wrong path in the configuration must not cost somebody's file."""
    house.path.write_text("precious")
    with pytest.raises(ControlSocketError, match="not a socket"):
        await house.open()
    assert house.path.read_text() == "precious"
    elsewhere = House(tmp_path / "missing")
    with pytest.raises(ControlSocketError, match=r"is .* there"):
        await elsewhere.open()


async def test_closing_leaves_a_successor_s_socket(house: House) -> None:
    """A service that stops slowly must not remove the socket of the one that took over."""
    await house.open()
    house.path.unlink()
    successor = House(house.path.parent)
    await successor.open()
    assert house.server is not None
    await house.server.close()
    assert (await (await successor.connect()).ask({"do": "echo"}))["ok"]
    await successor.close()


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
