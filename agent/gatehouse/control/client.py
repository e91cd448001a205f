"""Asking a running service. Synchronous and light: commands must answer at once."""

import contextlib
import socket
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

from gatehouse.control import protocol
from gatehouse.control.protocol import Message
from gatehouse.errors import ControlError, MessageError, NotRunningError

ALARM: Final = "gatehouse-alarm"
VIDEO: Final = "gatehouse-video"
"""The systemd units of the two services, for the hints."""

_CHUNK: Final = 64 * 1024


def ask(
    path: Path,
    request: Message,
    timeout_s: float = 10.0,
    *,
    unit: str = ALARM,
    most_bytes: int | None = None,
) -> Message:
    """Send one request to the service at ``path`` and return its answer.

    ``unit`` is the systemd unit that should listen there, for the hint; ``most_bytes`` is how long
    an answer is borne by whoever shares its memory with an alarm. Raises NotRunningError when
    nothing answers there, also within ``timeout_s``; ControlError (with its ``code``) when the
    service refuses, answers too much, or this user may not ask it.
    """
    answering = _lines(path, request, _Deadline(timeout_s), unit, most_bytes)
    with contextlib.closing(answering) as answers:
        for answer in answers:
            return answer
    raise _stopped(path, unit)


def stream(
    path: Path,
    request: Message,
    timeout_s: float | None = None,
    stop: Callable[[Message], bool] | None = None,
    *,
    unit: str = ALARM,
) -> Iterator[Message]:
    """Yield answer after answer, up to and with the first one for which ``stop`` is true.

    Ends by itself ``timeout_s`` seconds after it began (None: never). Raises like `ask`, and
    NotRunningError when the service goes away meanwhile.
    """
    deadline = _Deadline(timeout_s)
    begun = False
    with contextlib.closing(_lines(path, request, deadline, unit)) as answers:
        try:
            for answer in answers:
                begun = True
                yield answer
                if stop is not None and stop(answer):
                    return
        except NotRunningError:
            if begun and deadline.passed():
                return
            raise
    raise _stopped(path, unit)


class _Deadline:
    """A moment by which all must be over; none for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        self._at = None if timeout_s is None else time.monotonic() + timeout_s

    def left_s(self) -> float | None:
        """Return what is left; raises TimeoutError when nothing is."""
        if self._at is None:
            return None
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def passed(self) -> bool:
        return self._at is not None and time.monotonic() >= self._at


def _lines(
    path: Path, request: Message, deadline: _Deadline, unit: str, most_bytes: int | None = None
) -> Generator[Message]:
    with _connected(path, deadline, unit) as sock:
        try:
            # One that refuses us may be gone before it read this: its answer is there still.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(protocol.write(request))
            for line in _received(sock, deadline, most_bytes):
                yield _granted(line)
        except TimeoutError:
            raise NotRunningError(
                f"the service at {path} did not answer in time; "
                f"look at it with: systemctl status {unit}"
            ) from None
        except ConnectionError as exc:
            raise _stopped(path, unit) from exc


def _connected(path: Path, deadline: _Deadline, unit: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left_s())
        sock.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError) as exc:
        sock.close()
        raise NotRunningError(
            f"no service listens on {path}; start it with: systemctl start {unit}"
        ) from exc
    except PermissionError as exc:
        sock.close()
        raise ControlError(
            f"not allowed to open {path}; use sudo, or join the group that owns it",
            code=protocol.REFUSED,
        ) from exc
    except OSError as exc:  # a path too long, a queue that stays full
        sock.close()
        raise NotRunningError(f"cannot reach the service on {path}: {exc}") from exc
    return sock


def _received(sock: socket.socket, deadline: _Deadline, most_bytes: int | None) -> Iterator[bytes]:
    waiting = bytearray()
    while True:
        sock.settimeout(deadline.left_s())
        chunk = sock.recv(_CHUNK)
        if not chunk:
            return
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            yield bytes(waiting) + line
            waiting.clear()
        waiting += rest
        if most_bytes is not None and len(waiting) > most_bytes:
            error = f"the service's answer has more than {most_bytes} bytes"
            raise ControlError(error, code=protocol.TOO_LONG)


def _granted(line: bytes) -> Message:
    try:
        answer = protocol.read(line)
    except MessageError as exc:
        raise ControlError(f"the service's answer is {exc}", code=protocol.MALFORMED) from exc
    if answer.get("ok") is not True:
        error, code = answer.get("error"), answer.get("code")
        raise ControlError(str(error or "refused"), code=str(code or protocol.REFUSED))
    return answer


def _stopped(path: Path, unit: str) -> NotRunningError:
    return NotRunningError(
        f"the service on {path} stopped while it was asked; see why with: journalctl -u {unit}"
    )
