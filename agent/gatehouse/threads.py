"""Work that may hang (disk, names, certificates) done beside the event loop, in daemon threads.

asyncio's own executor is joined at exit, so a thread that hangs in a dead disk would hold up the
exit for ever. A daemon thread is simply left behind.
"""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def off_loop(work: Callable[[], T], *, name: str, timeout_s: float) -> T:
    """Run ``work`` in a daemon thread and return what it returns.

    Raises what it raises, and TimeoutError after ``timeout_s`` seconds; the thread is then left to
    end by itself and its result is thrown away. OSError when no thread can be started.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only when T allows it

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001  # whatever it is, the awaiting task gets it
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError as exc:  # too many threads: the machine's trouble, like a full disk
        raise OSError(errno.EAGAIN, f"no thread for {name} can be started") from exc
    async with asyncio.timeout(timeout_s):
        return await done
