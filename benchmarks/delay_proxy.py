"""A line with a long round trip: TCP passed on after a delay, each way, at any speed.

``delay_proxy.py HOST PORT MS`` listens on a free loopback port, which it prints.
"""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from functools import partial
from typing import Any

_CHUNK = 65536


async def main(host: str, port: str, ms: str) -> None:
    """Pass on until killed."""
    kept: set[asyncio.Task[Any]] = set()

    def keep(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        kept.add(task)
        task.add_done_callback(kept.discard)

    async def accept(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_connection(host, int(port))
        keep(_pass_on(near, far_out, float(ms) / 1000))
        keep(_pass_on(far, near_out, float(ms) / 1000))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):  # the loop keeps the order of its timers
            loop.call_later(delay_s, partial(writer.write, data))
    loop.call_later(delay_s, writer.close)


asyncio.run(main(*sys.argv[1:]))
