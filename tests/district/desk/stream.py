"""A browser's end of the stream, below HTTP: it takes what is sent, or takes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.types import Message

from district.desk.rig import Browser

WAIT_S = 60.0


class Stream:
    """What came, in order: (event, its data)."""

    def __init__(self) -> None:
        self.status = 0
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.taking = asyncio.Event()
        """Cleared: the browser takes nothing more."""
        self.taking.set()
        self.sent_bytes = 0
        self.over = asyncio.Event()
        self._came = asyncio.Condition()

    async def send(self, message: Message) -> None:
        """Take one message, as a server's send does: it waits while the browser takes nothing."""
        await self.taking.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        body = message.get("body", b"")
        self.sent_bytes += len(body)
        for block in body.decode().split("\n\n"):
            name, _, data = block.partition("\ndata: ")
            if data:
                self.events.append((name.removeprefix("event: "), json.loads(data)))
        async with self._came:
            self._came.notify_all()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true of what came."""
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(true)

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return the data of every event of this name."""
        return [data for event, data in self.events if event == name]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the rows as a page has them by now."""
        rows: dict[str, dict[str, Any]] = {}
        for said in self.all("rows"):
            if said["clear"]:
                rows.clear()
            for id_ in said["gone"]:
                rows.pop(id_, None)
            rows.update({row["id"]: row for row in said["rows"]})
        return rows

    def at(self) -> str:
        """Return what the page has seen."""
        return str([said["at"] for said in self.all("rows") if said["at"]][-1])


@asynccontextmanager
async def stream(app: Starlette, browser: Browser, **asked: str) -> AsyncIterator[Stream]:
    """Open a stream as this browser, and go away at the end."""
    made = Stream()
    gone = asyncio.Event()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/live",
        "raw_path": b"/live",
        "root_path": "",
        "query_string": urlencode(asked).encode(),
        "headers": [(b"host", b"localhost:8443"), (b"cookie", cookies.encode())],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8443),
    }
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def run() -> None:
        try:
            await app(scope, receive, made.send)
        finally:
            made.over.set()

    task = asyncio.create_task(run())
    try:
        yield made
    finally:
        gone.set()
        made.taking.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_S):
                await task
        assert task.done()
