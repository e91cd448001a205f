"""A desk that a real browser can open: uvicorn in a thread, on a free port of this machine."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvicorn

from district.desk.fake_district import FakeDistrict
from district.desk.rig import Desk, desk
from gatehouse.clock import SystemClock

T = TypeVar("T")
WAIT_S = 60.0


class Served:
    """One desk behind HTTP; `do` acts on its district in the desk's own thread."""

    def __init__(self, path: Path, **other: Any) -> None:
        self._path = path
        self._other = other
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._desk: Desk | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def do(self, act: Callable[[FakeDistrict], T]) -> T:
        """Have something happen in the district."""

        async def acting() -> T:
            assert self._desk is not None
            return act(self._desk.district)

        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result(WAIT_S)

    def start(self, port: int = 0) -> None:
        """Begin to serve, on the same port as before if it is named."""
        self.port = port
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    def stop(self) -> None:
        """Stop as a server does that is killed: whatever is open is cut."""
        if not self._thread.is_alive():
            return
        if self._server is not None and self._desk is not None:
            self._loop.call_soon_threadsafe(self._end, self._server, self._desk)
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    @staticmethod
    def _end(server: uvicorn.Server, served: Desk) -> None:
        served.app.state.board.stop()
        server.should_exit = True
        for connection in list(server.server_state.connections):
            connection.transport.abort()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)) as listening:
            self.port = listening.getsockname()[1]
            async with desk(self._path, clock=SystemClock(), **self._other) as made:
                self._desk = made
                config = uvicorn.Config(
                    made.app,
                    ws="none",
                    lifespan="on",
                    log_level="error",
                    timeout_graceful_shutdown=1,
                )
                self._server = _Server(config, self._ready)
                await self._server.serve([listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the tests."""
        yield


@contextmanager
def serve(path: Path, **other: Any) -> Iterator[Served]:
    """Serve a desk for as long as the context lasts."""
    path.mkdir(exist_ok=True)
    served = Served(path, **other)
    served.start()
    try:
        yield served
    finally:
        served.stop()
