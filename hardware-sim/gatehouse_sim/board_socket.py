"""The simulated board's socket: one JSON object a line, one answer a line (contract section 7).

Beyond the contract, for tests: ``set`` with ``silent`` (the level changes, the edge is lost),
``fail-writes`` (writes to these outputs fail, [] mends them) and ``stop-thread`` (no edge is given
any more). ``press`` takes a ``seed``: the same one bounces alike. For the page of the demo:
``release`` lets go of a contact that ``press`` holds, and ``follow`` tells every edge from now on
(``{"pin", "t", "level"}``, one a line), after an answer with the pins as they are.
"""

import errno
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Protocol

import msgspec

from gatehouse_sim.wires import LAST_PIN, WiringError

LONGEST_LINE: Final = 4096
"""Bytes of one request; a longer one is answered with an error and the connection closed."""

MOST_CONNECTIONS: Final = 16

_log = logging.getLogger(__name__)

Pin = Annotated[int, msgspec.Meta(ge=0, le=LAST_PIN)]
Level = Annotated[int, msgspec.Meta(ge=0, le=1)]
PressSeconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
BounceMs = Annotated[float, msgspec.Meta(ge=0, le=1000)]


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """What all requests share: the verb under ``do``, and no keys but their own."""


class Set(_Request, frozen=True, tag="set"):
    """Move one wire."""

    pin: Pin
    level: Level
    silent: bool = False


class Press(_Request, frozen=True, tag="press"):
    """Press a button and let it go again."""

    pin: Pin
    for_s: PressSeconds = 0.2
    bounce_ms: BounceMs = 0.0
    seed: int = 0


class History(_Request, frozen=True, tag="history"):
    """Tell the edges of a pin."""

    pin: Pin


class Pins(_Request, frozen=True, tag="pins"):
    """Tell every pin in use."""


class Release(_Request, frozen=True, tag="release"):
    """Let go of a contact that is being held."""

    pin: Pin


class Follow(_Request, frozen=True, tag="follow"):
    """Tell every edge from now on."""


class FailWrites(_Request, frozen=True, tag="fail-writes"):
    """Make writes to outputs fail."""

    pins: list[Pin]


class StopThread(_Request, frozen=True, tag="stop-thread"):
    """End the board's edge thread."""


Teller = Callable[[Mapping[str, Any]], bool]
"""Takes one line that is told, without waiting; False when nobody takes it any more."""


class Wiring(Protocol):
    """What the socket needs of the board; times are CLOCK_MONOTONIC in ns."""

    def set(self, pin: int, level: int, *, silent: bool = False) -> int:
        """Move a wire and return when."""

    def press(self, pin: int, *, for_s: float, bounce_ms: float, seed: int = 0) -> int:
        """Press a button and return when its contact first moved."""

    def release(self, pin: int) -> None:
        """Let go of a contact that is being held."""

    def follow(self, tell: Teller) -> None:
        """Tell the pins in use, and then every edge, until it is not taken."""

    def history(self, pin: int) -> list[tuple[int, int]]:
        """Return the edges of a pin: when and to which level."""

    def in_use(self) -> list[dict[str, Any]]:
        """Describe every pin that the agent has opened."""

    def fail_writes(self, pins: list[int]) -> None:
        """Make writes to these outputs fail."""

    def stop_thread(self) -> None:
        """End the thread that gives edges."""


_Asked = Set | Press | Release | Follow | History | Pins | FailWrites | StopThread
_decoder = msgspec.json.Decoder(_Asked)


def reply(board: Wiring, line: bytes, tell: Teller) -> bytes:
    """Do what one line asks and return the line that answers it; never raises for a bad request.

    The answer to ``follow`` is told by the board itself, before the first edge: nothing is left
    to be returned.
    """
    try:
        asked = _decoder.decode(line)
        if isinstance(asked, Follow):
            board.follow(tell)
            return b""
        done = _do(board, asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, WiringError) as exc:
        return _error(str(exc))
    return msgspec.json.encode({"ok": True, **done}) + b"\n"


def _do(
    board: Wiring, asked: Set | Press | Release | History | Pins | FailWrites | StopThread
) -> dict[str, Any]:
    match asked:
        case Set():
            return {"t": board.set(asked.pin, asked.level, silent=asked.silent)}
        case Press():
            t = board.press(
                asked.pin, for_s=asked.for_s, bounce_ms=asked.bounce_ms, seed=asked.seed
            )
            return {"t": t}
        case Release():
            board.release(asked.pin)
        case History():
            return {"edges": board.history(asked.pin)}
        case Pins():
            return {"pins": board.in_use()}
        case FailWrites():
            board.fail_writes(asked.pins)
        case StopThread():
            board.stop_thread()
    return {}


class BoardSocket:
    """Listens for the technician's hand: one daemon thread, and one for each connection.

    Raises OSError when the path cannot be listened on; a socket file that a killed board left is
    replaced.
    """

    def __init__(self, path: Path, board: Wiring) -> None:
        self._path = path
        self._board = board
        self._connections: set[socket.socket] = set()
        self._closed = threading.Event()
        self._server = _listen(path)
        threading.Thread(target=self._accept, name="board-socket", daemon=True).start()

    def close(self) -> None:
        """Stop listening, end all connections and remove the socket file."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._path.unlink(missing_ok=True)
        for connection in (self._server, *tuple(self._connections)):
            with suppress(OSError):  # already gone
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it

    def _accept(self) -> None:
        with self._server:
            while not self._closed.is_set():
                try:
                    connection, _ = self._server.accept()
                except OSError as exc:
                    if not self._closed.is_set():
                        _log.error("the simulated wiring takes no more requests: %s", exc)
                    return
                if len(self._connections) >= MOST_CONNECTIONS:
                    _refuse(connection)
                    continue
                self._connections.add(connection)
                if self._closed.is_set():  # after the add: one of close() and this sees the other
                    connection.close()
                    return
                threading.Thread(
                    target=self._serve, args=(connection,), name="board-client", daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            while line := lines.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    connection.sendall(_error(f"a request has at most {LONGEST_LINE} bytes"))
                    break
                connection.sendall(reply(self._board, line, partial(_tell, connection)))
        self._connections.discard(connection)


def _tell(connection: socket.socket, said: Mapping[str, Any]) -> bool:
    """Send a line from the agent's own thread, which waits for nobody: who reads too slowly goes.

    Half a line is no line, so the connection ends with it.
    """
    line = msgspec.json.encode(said) + b"\n"
    try:
        if connection.send(line, socket.MSG_DONTWAIT) == len(line):
            return True
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        with suppress(OSError):  # already gone
            connection.shutdown(socket.SHUT_RDWR)
    return False


def _error(text: str) -> bytes:
    return msgspec.json.encode({"ok": False, "error": text}) + b"\n"


def _refuse(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        connection.sendall(_error(f"{MOST_CONNECTIONS} connections are the most"))


def _listen(path: Path) -> socket.socket:
    """Listen on a Unix socket that only its owner may use."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        server.bind(str(path))
        path.chmod(0o600)  # before listen: until then nobody can connect
        server.listen()
    except OSError as exc:
        server.close()
        raise OSError(
            exc.errno,
            f"cannot listen on the simulated wiring's socket {path} ({exc}): its folder must exist"
            " and be writable; set GATEHOUSE_SIM_SOCKET to another path",
        ) from exc
    return server


def _remove_stale(path: Path) -> None:
    """Remove a socket file that a killed board left; raise OSError if a board listens there."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise OSError(errno.EADDRINUSE, "another simulated board listens there")
