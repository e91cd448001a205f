"""The real alarm service as a child process, on simulated wiring and a clock that can be moved."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, Final

from gatehouse_sim import clock
from gatehouse_sim.child import START_S, Place, Service, die_with_parent

__all__ = ["Agent", "Place", "die_with_parent"]


class Agent(Service):
    """Starts, kills, asks and restarts one alarm service."""

    name: Final = "alarm"

    async def start(
        self, *, levels: Mapping[int, int] | None = None, wait: bool = True, **environ: str
    ) -> None:
        """Start it; returns when it has told systemd (us) that it is ready."""
        board = {
            "GPIOZERO_PIN_FACTORY": "gatehouse_sim",
            "GATEHOUSE_SIM_SOCKET": str(self.place.wiring),
            "GATEHOUSE_SIM_LEVELS": json.dumps(
                {str(pin): level for pin, level in (levels or {}).items()}
            ),
        }
        await self._begin({**board, **self.environ, **environ}, wait=wait)

    async def status(self) -> dict[str, Any]:
        """Return the document of ``gatehouse status``."""
        return await self.ask({"do": "status"})

    async def wait_for(
        self, test: Callable[[dict[str, Any]], bool], *, timeout_s: float = START_S
    ) -> dict[str, Any]:
        """Wait until the status passes a test; woken by every change of the agent.

        Raises TimeoutError with the last status and the end of the agent's log.
        """
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s), contextlib.aclosing(self.watch()) as watched:
                async for status in watched:
                    if test(status):
                        return status
        except TimeoutError:
            pass
        raise TimeoutError(f"the agent did not get there: {json.dumps(status)}\n{self.tail()}")

    async def watch(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the status now and at every change."""
        async for line in self._lines({"do": "watch"}):
            yield line

    async def follow(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yield each stage of each alarm as it happens."""
        async for line in self._lines({"do": "follow"}):
            yield line

    async def _lines(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        reader, writer = await asyncio.open_unix_connection(str(self.address))
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            while (line := await reader.readline()).endswith(b"\n"):  # half a line: it was killed
                yield json.loads(line)
        finally:
            writer.close()

    def move_clock(self, *, offset_s: float = 0.0, synced: bool = True) -> None:
        """Move the agent's wall clock, or unset it."""
        clock.move(self.place.clock, offset_s=offset_s, synced=synced)
