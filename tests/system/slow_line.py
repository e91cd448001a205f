"""A line between the agent and its broker that is narrow and long: a TCP proxy of the tests."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Self

_CHUNK: Final = 1400  # about a packet


class SlowLine:
    """Carries bytes to a port with so many bytes a second, each ``delay_s`` later, both ways."""

    def __init__(self, port: int, *, bytes_s: float, delay_s: float) -> None:
        self.port = 0
        self.full = asyncio.Event()
        """Set when more is under way than one packet: something large has begun to go through."""
        self._to = port
        self._bytes_s = bytes_s
        self._delay_s = delay_s
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Hand on what comes, when it would have come over the real line."""
        loop = asyncio.get_running_loop()
        free_s = loop.time()
        try:
            while data := await source.read(_CHUNK):
                if free_s > loop.time() + 2 * _CHUNK / self._bytes_s:
                    self.full.set()
                free_s = max(free_s, loop.time()) + len(data) / self._bytes_s
                loop.call_at(free_s + self._delay_s, _unless_closed(sink, data))
        except OSError:
            pass  # one end broke the connection; the other is told below
        finally:
            loop.call_at(max(free_s, loop.time()) + self._delay_s, sink.close)


def _unless_closed(sink: asyncio.StreamWriter, data: bytes) -> Callable[[], None]:
    def write() -> None:
        with contextlib.suppress(OSError):
            if not sink.is_closing():
                sink.write(data)

    return write
