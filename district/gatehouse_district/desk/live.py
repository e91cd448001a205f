"""The stream that keeps pages true: server-sent events, one stream a window.

A stream keeps one number for each list, never a queue: a slow browser gets later what is true
then, and costs what one chunk and the server's own send buffer take. One that takes nothing for
`Limits.send_s` is dropped; it comes back and catches up by its number.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gatehouse_district.desk import alarm_view, gateway_view
from gatehouse_district.desk.alarm_view import Seen
from gatehouse_district.desk.board import Board
from gatehouse_district.desk.look import Look, said_as_json
from gatehouse_district.desk.parts import Limits
from gatehouse_district.desk.strangers import cut
from gatehouse_district.desk.table import Row, Table
from gatehouse_district.model import Gateway

_CHUNK: Final = 40
"""Rows in one message: some 40 kB."""
_REVISION_S: Final = 1.0
"""Pages that are fetched anew as a whole are told of changes at most this often."""

Alive = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a stream, and what they want of it."""

    language: str
    answers: bool
    """Whether they may answer: their rows have a button."""
    rows: str = ""
    """``alarms``, ``gateways`` or nothing."""
    boot: str = ""
    version: int = 0
    """What their page shows already, of the start ``boot``."""
    watches: bool = False
    """Whether they want to be told of every change."""


class Streams:
    """How many streams there are, of whom."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._each: Counter[bytes] = Counter()

    @contextmanager
    def place(self, session: bytes) -> Iterator[bool]:
        """Take a place for one more stream; False when there is none."""
        limits = self._limits
        free = self._each[session] < limits.streams_session and len(self) < limits.streams
        self._each[session] += free
        try:
            yield free
        finally:
            self._each[session] -= free
            if not self._each[session]:
                del self._each[session]

    def __len__(self) -> int:
        return self._each.total()


class Live(Response):
    """The answer that does not end: sends what changes until either side goes."""

    media_type = "text/event-stream"

    def __init__(
        self,
        *,
        session: bytes,
        streams: Streams,
        messages: Callable[[], AsyncGenerator[str, None]],
        send_s: float,
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["x-accel-buffering"] = "no"
        self._session = session
        self._streams = streams
        self._messages = messages
        self._send_s = send_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, is too slow, or the messages end."""
        with self._streams.place(self._session) as free:
            if not free:
                await Response("Too many windows.\n", 429)(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send_all(send))
                leaving = group.create_task(_gone(receive))
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                sending.cancel()
                leaving.cancel()

    async def _send_all(self, send: Send) -> None:
        try:
            async with aclosing(self._messages()) as messages:
                async for message in messages:
                    async with asyncio.timeout(self._send_s):
                        await _body(send, message)
            async with asyncio.timeout(self._send_s):
                await _body(send, "", more=False)
        except (TimeoutError, OSError):
            return  # too slow, or gone: it comes back and catches up


async def _body(send: Send, text: str, *, more: bool = True) -> None:
    body = {"type": "http.response.body", "body": text.encode(), "more_body": more}
    await send(body)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Messages:
    """What a stream says."""

    def __init__(
        self, board: Board, look: Look, limits: Limits, now_s: Callable[[], float]
    ) -> None:
        self._board = board
        self._look = look
        self._limits = limits
        self._now_s = now_s

    async def of(self, reader: Reader, alive: Alive) -> AsyncGenerator[str, None]:
        """Say what changes, and at least every beat that all is well. Ends with the session."""
        async with AsyncExitStack() as stack:
            if reader.rows == "gateways":
                await stack.enter_async_context(self._board.watching_gateways())
            told = await stack.enter_async_context(aclosing(self._told(reader, alive)))
            async for message in told:
                yield message

    async def _told(self, reader: Reader, alive: Alive) -> AsyncGenerator[str, None]:
        board = self._board
        version = reader.version if reader.boot == board.boot else -1
        # What changed between the page and its stream it has not seen: it looks once more.
        summary, revision = "", -1
        steady_s = asyncio.get_running_loop().time
        yield self._beat()
        due_s = steady_s() + self._limits.beat_s
        while not board.stopped:
            for message, reached in self._rows(reader, version):
                yield message
                version = reached
            said = self._summary()
            if said != summary:
                summary = said
                yield said
            if reader.watches and revision != board.revision:
                revision = board.revision
                yield _event("changed", {})
                await asyncio.sleep(_REVISION_S)
            if steady_s() < due_s and await self._waited(reader, version, summary, revision, due_s):
                continue
            if not await alive():
                yield _event("ended", {})
                return
            yield self._beat()
            due_s = steady_s() + self._limits.beat_s

    async def _waited(
        self, reader: Reader, version: int, summary: str, revision: int, due_s: float
    ) -> bool:
        """Wait for something to tell; False when a beat is due first, by the loop's clock."""
        try:
            async with asyncio.timeout_at(due_s):
                while not self._board.stopped:
                    table = self._table(reader)
                    if table is not None and table.version != version:
                        return True
                    if self._summary() != summary:
                        return True
                    if reader.watches and self._board.revision != revision:
                        return True
                    await self._board.changed()
        except TimeoutError:
            return False
        return True

    def _table(self, reader: Reader) -> Table[Seen] | Table[Gateway] | None:
        if reader.rows == "alarms":
            return self._board.alarms
        return self._board.gateways if reader.rows == "gateways" else None

    def _rows(self, reader: Reader, version: int) -> Iterator[tuple[str, int]]:
        """Yield messages, and the version after each: the last one's only when all were sent."""
        table = self._table(reader)
        if table is None or table.version == version:
            return
        now = table.version
        changes = table.since(version)
        clear = changes is None
        changed: list[Row[Any]] = list(table)
        gone: list[str] = []
        if changes is not None:
            changed, gone = list(changes[0]), changes[1]
        for at in range(0, max(len(changed), 1), _CHUNK):
            last = at + _CHUNK >= len(changed)
            said = {
                "at": f"{self._board.boot}.{now}" if last else "",
                "clear": clear and at == 0,
                "gone": gone if at == 0 else [],
                "rows": [self._row(reader, row) for row in changed[at : at + _CHUNK]],
            }
            yield _event("rows", said), (now if last else version)

    def _row(self, reader: Reader, row: Row[Any]) -> dict[str, str]:
        if isinstance(row.item, Gateway):
            html = self._look.gateway(row, reader.language)
            place, order = "gateways", gateway_view.order(row.item)
        else:
            html = self._look.alarm(row, reader.language, answers=reader.answers)
            alarm = row.item.alarm
            place, order = alarm_view.section(alarm), alarm_view.order(alarm)
        return {"id": row.id, "section": place, "order": order, "html": html}

    def _summary(self) -> str:
        summary = self._board.summary
        return _event(
            "sum",
            {
                "waiting": summary.waiting,
                "practice": summary.practice,
                "newest": cut(summary.newest, 64),
                "newest_ms": summary.newest_ms,
                "place": summary.newest_place,
                "oldest": summary.oldest_ms,
                "trouble": bool(self._board.trouble),
                "deaf": not self._board.hears(),
            },
        )

    def _beat(self) -> str:
        return _event("beat", {"now": int(self._now_s() * 1000)})


def _event(name: str, said: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {said_as_json(said)}\n\n"
