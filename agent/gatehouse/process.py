"""What the process around a service needs: logging and an exit that nothing can hang."""

import asyncio
import contextlib
import ctypes
import faulthandler
import fcntl
import logging
import logging.handlers
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, Final

_LOG_LINES: Final = 10_000
_FLUSH_S: Final = 0.2
_BLACK_BOX: Final = 16_384
"""Characters that are read of what an aborted process wrote."""
_MCL_ALL_ON_FAULT: Final = 1 | 2 | 4
"""MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT (mman.h): pages that were touched stay in memory."""

log = logging.getLogger(__name__)


class _BoundedHandler(logging.handlers.QueueHandler):
    """Hands lines to a thread; when that hangs in a dead disk, lines are dropped, never awaited."""

    dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put the line into the queue, or count it as dropped."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's own name
        """Log the line as it was written; logging's own way is to stderr, which may hang."""
        raw = f"{record.msg!r} % {record.args!r} (a line that does not fit its values)"
        self.enqueue(logging.makeLogRecord({**record.__dict__, "msg": raw, "args": None}))


def start_logging(level: int = logging.INFO) -> Callable[[], None]:
    """Log to stderr (journald adds the time) through a bounded queue and a daemon thread.

    Returns what writes the last lines at the end; it waits a fifth of a second, no longer.
    """
    lines: queue.Queue[logging.LogRecord | None] = queue.Queue(_LOG_LINES)
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler = _BoundedHandler(lines)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    thread = threading.Thread(target=_write, args=(handler, stream), name="log", daemon=True)
    thread.start()

    def flush() -> None:
        with contextlib.suppress(queue.Full):
            lines.put_nowait(None)
        thread.join(_FLUSH_S)

    return flush


def _write(lines: _BoundedHandler, stream: logging.Handler) -> None:
    told = 0
    while (record := lines.queue.get()) is not None:
        stream.handle(record)
        if lines.dropped != told:
            lost, told = lines.dropped - told, lines.dropped
            stream.handle(
                log.makeRecord(
                    log.name, logging.WARNING, __file__, 0, "%d lines were lost", (lost,), None
                )
            )


def only_one(lock: Path, unit: str) -> BinaryIO:
    """Hold a lock for as long as the file returned is open: the kernel gives it back after kill -9.

    ``unit`` is the systemd unit that holds it. Raises BlockingIOError when another process does:
    two would share one outbox, or one index.
    """
    held = lock.open("wb")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        held.close()
        text = f"another one runs here already: stop it first (systemctl status {unit})"
        raise BlockingIOError(exc.errno, text, str(lock)) from exc
    return held


def black_box(path: Path) -> tuple[BinaryIO, str]:
    """Have a process that is aborted write down where it hung; return what the one before wrote.

    systemd's watchdog ends a process with SIGABRT (WatchdogSignal=). The file must stay open for as
    long as it is to serve. Raises OSError.
    """
    told = ""
    with contextlib.suppress(FileNotFoundError):
        told = path.read_text(encoding="utf-8", errors="replace")[:_BLACK_BOX]
    box = path.open("wb", buffering=0)
    faulthandler.enable(file=box.fileno())
    return box, told


def stay_in_memory() -> None:
    """Keep the process from being paged out, where the limits allow it (systemd: LimitMEMLOCK)."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY:  # a limit that is met later would fail allocations
        return
    if ctypes.CDLL(None, use_errno=True).mlockall(_MCL_ALL_ON_FAULT) != 0:
        log.info("mlockall refused: %s", os.strerror(ctypes.get_errno()))


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run a service to its end and return its exit code; joins no executor, unlike asyncio.run."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(main)


def leave(code: int) -> None:
    """End the process at once: threads that hang in a dead disk or resolver are not waited for.

    Nothing is flushed: a log thread that hangs in stderr holds its lock, and stderr keeps no line.
    """
    os._exit(code)
