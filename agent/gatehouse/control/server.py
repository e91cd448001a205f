"""The alarm service's end of the control socket: bounded in number, size and time.

Whoever may open the socket is trusted to ask, and to nothing more: no client, however slow, mad or
many, takes memory or time that the alarm path needs.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from gatehouse.control import listening, protocol
from gatehouse.control.peer import peer_of
from gatehouse.control.protocol import Message
from gatehouse.errors import ControlError, MessageError

log = logging.getLogger(__name__)

Handler = Callable[[Message], Awaitable[Message | AsyncIterator[Message]]]
"""Answers one request, or returns a stream of answers that goes on until the client leaves.

A stream keeps a bounded queue of its own. ControlError is a refusal that the client reads; any
other exception is a defect, logged and answered with "internal error".
"""

_CLOSING_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server bears; times in s. By the work order of the control socket (issue 2)."""

    connections: int = 16
    line_bytes: int = 64 * 1024
    line_s: float = 10.0
    """From the first byte of a request to its end."""
    idle_s: float = 60.0
    """Between an answer and the next request."""
    answer_s: float = 30.0
    """For a handler: one that hangs must not keep its connection, as there are few."""
    write_s: float = 5.0
    """For a client to take an answer."""


class _OverError(Exception):
    """This connection is over: the client left, was sent away, or has got all of its stream."""


class ControlServer:
    """Listens on one Unix socket and owns a task for each connection."""

    def __init__(
        self,
        path: Path,
        handlers: Mapping[str, Handler],
        limits: Limits | None = None,
        *,
        acts: Set[str] = frozenset(),
    ) -> None:
        """``acts``: what is not only asked but done; the log says which local user asked for it."""
        self._path = path
        self._handlers = handlers
        self._acts = acts
        self._limits = limits or Limits()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._inode: int | None = None
        self._full = False

    async def start(self) -> None:
        """Begin to listen. Raises ControlSocketError, also when another service answers there."""
        sock, self._inode = listening.open_socket(self._path)
        self._server = await asyncio.start_unix_server(
            self._accept, sock=sock, limit=self._limits.line_bytes
        )

    async def close(self) -> None:
        """Stop listening and end all connections, within half a second."""
        if self._server is not None:
            self._server.close()
            listening.remove(self._path, self._inode)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=_CLOSING_S)
            if stuck:
                log.warning("%d control connections did not end and are left behind", len(stuck))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections:
            if not self._full:
                log.warning("control socket: all connections are in use, others are refused")
            self._full = True
            error = f"all {self._limits.connections} connections are in use; try again"
            writer.write(protocol.refusal(error, protocol.BUSY))
            writer.close()
            return
        connection = _Connection(reader, writer, self._handlers, self._limits, self._acts)
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._full:
            log.info("control socket: connections are free again")
            self._full = False


class _Connection:
    """One client, from its first line to its leaving."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler],
        limits: Limits,
        acts: Set[str],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handlers = handlers
        self._limits = limits
        self._acts = acts
        self._peer = peer_of(writer.get_extra_info("socket"))  # who leaves takes the socket along
        writer.transport.set_write_buffer_limits(high=0)  # then `drain` waits for the client

    async def serve(self) -> None:
        """Answer line after line; whatever happens, the connection is closed at the end."""
        try:
            while (line := await self._line()) is not None:
                await self._answer(line)
                await asyncio.sleep(0)  # who sends a thousand at once must not hold up the loop
        except (_OverError, OSError):
            pass
        except asyncio.CancelledError:
            self._writer.transport.abort()
            raise
        except Exception:
            log.exception("control socket: a connection failed")
        finally:
            self._writer.close()

    async def _line(self) -> bytes | None:
        """Read one line; None when the client has said its last."""
        try:
            async with asyncio.timeout(self._limits.idle_s):
                first = await self._reader.read(1)
        except TimeoutError:
            return None
        if first in {b"", b"\n"}:
            return first or None
        try:
            async with asyncio.timeout(self._limits.line_s):
                return first + await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as exc:  # a last line without its end
            return first + exc.partial
        except asyncio.LimitOverrunError:
            error = f"a request has at most {self._limits.line_bytes} bytes"
            await self._send(protocol.refusal(error, protocol.TOO_LONG))
        except TimeoutError:
            error = f"the request was not complete after {self._limits.line_s:g} s"
            await self._send(protocol.refusal(error, protocol.TIMEOUT))
        return None

    async def _answer(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            request = protocol.read(line)
        except MessageError as exc:
            await self._send(protocol.refusal(str(exc), protocol.MALFORMED))
            return
        do = request.get("do")
        handler = self._handlers.get(do) if isinstance(do, str) else None
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            error = f'"do" must be one of: {known}'
            await self._send(protocol.refusal(error, protocol.UNKNOWN))
            return
        if do in self._acts:  # in whatever name it is asked: this is who did
            said = line.decode(errors="replace")
            log.info("control socket: %s asks %s: %.300r", self._peer, do, said)
        await self._handle(handler, request)

    async def _handle(self, handler: Handler, request: Message) -> None:
        try:
            async with asyncio.timeout(self._limits.answer_s):
                outcome = await handler(request)
            if isinstance(outcome, dict):
                reply = protocol.granted(outcome)
            else:
                await self._stream(outcome)
        except ControlError as exc:
            reply = protocol.refusal(str(exc), exc.code)
        except TimeoutError:
            log.warning("control socket: %r was not answered in time", request["do"])
            reply = protocol.refusal("this took too long; the service is busy", protocol.TIMEOUT)
        except _OverError:
            raise
        except Exception:
            log.exception("control socket: %r failed", request["do"])
            reply = protocol.refusal("internal error", protocol.INTERNAL)
        await self._send(reply)

    async def _stream(self, items: AsyncIterator[Message]) -> NoReturn:
        """Send item after item until there are no more or the client leaves; then it is over."""
        gone = asyncio.ensure_future(self._until_gone())
        pump = asyncio.ensure_future(self._pump(items))
        try:
            await asyncio.wait((gone, pump), return_when=asyncio.FIRST_COMPLETED)
            if pump.done():
                pump.result()
            raise _OverError
        finally:
            gone.cancel()
            pump.cancel()
            await asyncio.gather(gone, pump, return_exceptions=True)

    async def _pump(self, items: AsyncIterator[Message]) -> None:
        try:
            async for item in items:
                await self._send(protocol.granted(item))
        finally:
            end = getattr(items, "aclose", None)  # a generator frees what it holds now, not later
            if end is not None:
                await end()

    async def _until_gone(self) -> None:
        with contextlib.suppress(OSError):
            while await self._reader.read(4096):
                pass  # what a client says while it listens is not a request

    async def _send(self, line: bytes) -> None:
        self._writer.write(line)
        try:
            async with asyncio.timeout(self._limits.write_s):
                await self._writer.drain()
        except TimeoutError:
            log.info("control socket: a client that did not read was dropped")
            self._writer.transport.abort()
            raise _OverError from None
        except OSError as exc:
            raise _OverError from exc
