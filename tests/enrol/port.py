"""A district's HTTPS port: the real routes behind uvicorn, on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from gatehouse_district.ca import Authority
from gatehouse_district.enrolment import routes
from gatehouse_sim.identity import Identity


@dataclass(frozen=True)
class Port:
    """Where it is."""

    number: int

    @property
    def url(self) -> str:
        """Its address, by the name that stands in its certificate."""
        return f"https://localhost:{self.number}"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to pytest."""
        yield


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def port(
    district: Authority,
    identity: Identity,
    now: Callable[[], datetime] = _now,
    more: list[Route] | None = None,
) -> AsyncIterator[Port]:
    """Serve until the end of the block; ``more`` comes before the real routes."""
    loop = asyncio.get_running_loop()
    app = Starlette(routes=[*(more or []), *routes(district, now=now, monotonic_s=loop.time)])
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        lifespan="off",
        ssl_certfile=str(identity.cert),
        ssl_keyfile=str(identity.key),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(60):
            while not server.started:
                await asyncio.sleep(0.01)
                if serving.done():
                    serving.result()
        yield Port(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        await serving
