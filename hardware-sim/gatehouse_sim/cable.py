"""A network cable between the gateway and its broker that can be pulled out and plugged in again.

It passes TCP on. Pulled, nothing is passed on and nothing is said: connections stand, as with a
real cable, until somebody's patience ends. Plugged in again, what was under way arrives.
"""

import asyncio
import contextlib
from typing import Any, Final, Self

from gatehouse_sim.ports import reserve

_CHUNK: Final = 65536


class Cable:
    """Passes what comes to its own loopback port on to another one, both ways."""

    def __init__(self, far_port: int) -> None:
        self._far_port = far_port
        self._held = reserve()
        self.port: int = self._held.getsockname()[1]
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[Any]] = set()

    @property
    def plugged(self) -> bool:
        """Whether it is plugged in."""
        return self._plugged.is_set()

    def pull(self) -> None:
        """Pull it out."""
        self._plugged.clear()

    def plug(self) -> None:
        """Plug it in again."""
        self._plugged.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, reuse_address=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        self._held.close()

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pass one connection on until both sides have ended it, or one is broken."""
        if (task := asyncio.current_task()) is not None:
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
        with contextlib.suppress(asyncio.CancelledError):  # asyncio's streams would log it
            try:
                await self._plugged.wait()
                await self._pass_both(near, back)
            except OSError:
                pass  # one side is gone: so is the connection
            finally:
                back.close()

    async def _pass_both(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self._far_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(near, forth))
                both.create_task(self._pass_on(far, back))
        finally:
            forth.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._plugged.wait()
                writer.write(data)
                await writer.drain()
            await self._plugged.wait()
        writer.close()  # the other direction ends with it
