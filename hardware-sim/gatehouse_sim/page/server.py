"""Serves a web application on a loopback port, within the event loop of the demo."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_BACKLOG: Final = 64
_ENDS_S: Final = 3


class _Server(uvicorn.Server):
    """Leaves Ctrl-C to the demo, which closes the whole school."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int | None, usual: int) -> socket.socket:
    """Listen on a loopback port; None is the usual one, or another where that is taken.

    Raises OSError when the port that was named is taken.
    """
    for wanted in [port] if port is not None else [usual, 0]:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
            listener.listen(_BACKLOG)
        except OSError as exc:
            listener.close()
            if wanted in {port, 0}:
                raise OSError(exc.errno, f"port {wanted} on 127.0.0.1: {exc.strerror}") from exc
        else:
            break
    return listener


@contextlib.asynccontextmanager
async def served(
    app: ASGIApp, listener: socket.socket, *, lifespan: bool = False
) -> AsyncIterator[None]:
    """Serve an application on a socket while this is open; streams must have ended by then.

    ``lifespan`` is whether it has one that must run.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on" if lifespan else "off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_ENDS_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
