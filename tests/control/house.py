"""A control server with handlers of every kind, and those who visit it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from gatehouse.control.server import ControlServer, Handler, Limits
from gatehouse.errors import ControlError

PATIENCE_S = 60.0
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
