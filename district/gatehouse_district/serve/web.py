"""Serving the desk: uvicorn, bounded in number and time, under our own signals."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final

import uvicorn

from gatehouse.threads import off_loop
from gatehouse_district.config import Desk
from gatehouse_district.errors import DeskError
from gatehouse_district.serve import tls
from gatehouse_district.serve.connection import Connection
from gatehouse_district.serve.door import Door

log = logging.getLogger(__name__)

App = Callable[..., Any]
"""An ASGI application; every library has a type of its own for it."""

MOST_CONNECTIONS: Final = 400
"""Fifty people with a few tabs each, which all keep a stream open; refused beyond (503)."""
_HEADERS_BYTES: Final = 32 * 1024
_BACKLOG: Final = 128
_KEEP_ALIVE_S: Final = 15
_LAST_ANSWERS_S: Final = 0.5
_GRACE_S: Final = 3
_READ_S: Final = 10.0
_SILENT_MS: Final = 60_000
"""For a browser's machine to confirm what it was sent (tcp(7)); one without power never does."""


class Web:
    """One server; `certificate_again` may be called at any time."""

    def __init__(self, desk: Desk, app: App, ending: Callable[[], object]) -> None:
        """Prepare it; ``ending`` has the streams of ``app`` end."""
        self._desk = desk
        self._app = app
        self._ending = ending
        self._tls: ssl.SSLContext | None = None
        self._server: _Server | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until `stop`; ``ready`` is called once it listens. Raises DeskError."""
        if self._desk.cert is not None and self._desk.key is not None:
            pair = self._desk.cert, self._desk.key
            self._tls = await off_loop(
                lambda: tls.context(*pair), name="certificate", timeout_s=_READ_S
            )
        with _listening(self._desk) as sock:
            self._server = _Server(_config(self._app, self._tls), ready, self._ending)
            try:
                await self._server.serve([sock])
            except SystemExit as exc:  # uvicorn's way to say that the application did not start
                raise DeskError("the desk's application did not start") from exc
            finally:
                self._server.let_go()
                self._server = None

    def stop(self) -> None:
        """Have `run` return, once what is being answered is answered."""
        if self._server is not None:
            self._server.should_exit = True

    async def certificate_again(self) -> None:
        """Read the certificate anew, for new connections. Raises DeskError; the old one stays."""
        if self._tls is not None and self._desk.cert is not None and self._desk.key is not None:
            into, pair = self._tls, (self._desk.cert, self._desk.key)
            await off_loop(lambda: tls.load(into, *pair), name="certificate", timeout_s=_READ_S)
            log.info("the desk's certificate was read again")


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], object]
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the service."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as uvicorn does, and the streams, which would never end by themselves."""
        self._ending()
        asyncio.get_running_loop().call_later(_LAST_ANSWERS_S, self.let_go)
        await super().shutdown(sockets)

    def let_go(self) -> None:
        """Close what is still open."""
        for server in getattr(self, "servers", ()):
            server.close()
        for connection in tuple(self.server_state.connections):
            connection.transport.close()


def _config(app: App, context: ssl.SSLContext | None) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a stranger's nonsense is no news
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=_HEADERS_BYTES,
    )
    config.load()
    config.ssl = context
    return config


@contextlib.contextmanager
def _listening(desk: Desk) -> Iterator[socket.socket]:
    """Lend the socket. Raises DeskError."""
    family = socket.AF_INET if desk.address.version == 4 else socket.AF_INET6
    with Door(family, socket.SOCK_STREAM) as sock:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_MS)
            if family == socket.AF_INET6:  # [::] takes IPv4 too, whatever the machine's default
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind((str(desk.address), desk.port))
        except OSError as exc:
            raise DeskError(
                f"the desk cannot listen on {desk.address} port {desk.port}: {exc.strerror}; is "
                "the address this machine's, and the port free (ss -ltnp)?"
            ) from exc
        sock.setblocking(False)
        yield sock
