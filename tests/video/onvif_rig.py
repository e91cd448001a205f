"""Asking a simulated ONVIF device, by a clock of our own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gatehouse.clock import SystemClock
from gatehouse.video.onvif import ClockReading, clock_offset
from gatehouse_sim.onvif_device import OnvifDevice

PASSWORD = "p'ass w:ö/r@d%1?#<&>"  # noqa: S105  # of a camera that never was
SLACK_S = 5.0
"""Of a busy machine; a camera tells whole seconds."""
LIMIT_S = 60.0
CLOCK = SystemClock()


@contextlib.asynccontextmanager
async def camera_that_says(answer: bytes) -> AsyncIterator[int]:
    """Have a camera that says one thing, whatever it is asked, and hangs up; give its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def asked(device: OnvifDevice, **told: str) -> ClockReading:
    """Ask a device for its time; it must speak ONVIF."""
    reading = await clock_offset("127.0.0.1", device.port, clock=CLOCK, timeout_s=LIMIT_S, **told)
    assert reading is not None
    return reading
