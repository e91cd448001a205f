"""Disk work beside the loop, one piece at a time: a disk that hangs costs one thread."""

import asyncio
import errno
import math
from collections.abc import Callable
from typing import Any, TypeVar

from gatehouse.threads import off_loop

T = TypeVar("T")


class Beside:
    """Does work in a thread; a piece that outlasts its time is waited for before the next one.

    So what a slow disk wrote late never overwrites what was written after it.
    """

    def __init__(self, name: str, hang_s: float) -> None:
        """Prepare it; nothing is waited for longer than ``hang_s`` seconds."""
        self._name = name
        self._hang_s = hang_s
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[Any] | None = None

    async def do(self, work: Callable[[], T]) -> T:
        """Return what the work returns, or raise what it raises.

        Raises TimeoutError, an OSError, when the disk does not answer.
        """
        async with self._turn:
            if self._running is not None and not self._running.done():
                await self._wait(self._running)
            task = asyncio.create_task(off_loop(work, name=self._name, timeout_s=math.inf))
            self._running = task
            await self._wait(task)
            return task.result()

    async def _wait(self, task: "asyncio.Task[Any]") -> None:
        await asyncio.wait({task}, timeout=self._hang_s)
        if not task.done():
            task.add_done_callback(_heard)
            text = f"the disk did not answer for {self._hang_s:g} s"
            raise TimeoutError(errno.ETIMEDOUT, text)


def _heard(task: "asyncio.Task[Any]") -> None:
    """Take what a late piece of work raised: nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
