"""Questions to the file, asked beside the loop; a disk that hangs holds a few threads at most."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from gatehouse.errors import OutboxError
from gatehouse.outbox.reader import Reader
from gatehouse.threads import off_loop

T = TypeVar("T")

_READERS: Final = 4


class Reading:
    """Asks one question in each thread, at most a few at once."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._path = path
        self._loop = loop
        self._timeout_s = timeout_s
        self._running = 0

    async def ask(self, question: Callable[[Reader], T]) -> T:
        """Return the answer; raise OutboxError or TimeoutError when the disk does not give it.

        A thread that hangs counts until it ends, not until nobody waits for it any more.
        """
        if self._running >= _READERS:
            raise OutboxError(f"{self._path} does not answer: {_READERS} reads hang in the disk")
        self._running += 1

        def work() -> T:
            try:
                with contextlib.closing(Reader(self._path)) as reader:
                    return question(reader)
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._ended)

        return await off_loop(work, name="outbox-read", timeout_s=self._timeout_s)

    def _ended(self) -> None:
        self._running -= 1
