"""How a child process ends: seen, or made to, and always reaped."""

import asyncio
import contextlib
import signal
from typing import Final

_CHUNK: Final = 1 << 16


async def gone(process: asyncio.subprocess.Process, within_s: float) -> bool:
    """Wait for a child that ends by itself; whether it did.

    Nobody may signal a child that has ended and was not seen to: in Python 3.11 the signal would
    reap it, and asyncio could not tell how it ended.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await _reap(process)
    return process.returncode is not None


async def end(
    process: asyncio.subprocess.Process, how: signal.Signals = signal.SIGKILL, *, patience_s: float
) -> None:
    """End a child, by force if it will not within ``patience_s``; returns when it was reaped."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        if not await gone(process, patience_s):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    await _reap(process)


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait until it has ended; a full pipe would hide that, so what it says is thrown away."""
    if process.stdout is not None:
        while await process.stdout.read(_CHUNK):
            pass
    await process.wait()
