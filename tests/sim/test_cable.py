"""The cable that can be pulled: silence, as a real one's, and nothing lost by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gatehouse_sim.cable import Cable

LIMIT_S = 60.0


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """Serve what is said back to who says it; the port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_pulled_cable_is_silent_and_a_plugged_one_brings_what_waited() -> None:
    """Without it a pulled cable would be a refused connection, which the agent notices at once."""
    async with echoing() as port, Cable(port) as cable, asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
        writer.write(b"one\n")
        assert await reader.readline() == b"one\n"
        cable.pull()
        writer.write(b"two\n")
        later, later_out = await asyncio.open_connection("127.0.0.1", cable.port)
        later_out.write(b"three\n")
        heard = [asyncio.create_task(each.readline()) for each in (reader, later)]
        done, _ = await asyncio.wait(heard, timeout=0.2)
        assert not done
        assert not cable.plugged
        cable.plug()
        assert [await each for each in heard] == [b"two\n", b"three\n"]
        writer.close()
        later_out.close()


async def test_an_end_is_passed_on() -> None:
    """Without it a gateway that is gone would stay connected at the broker for ever."""
    async with echoing() as port, Cable(port) as cable, asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
