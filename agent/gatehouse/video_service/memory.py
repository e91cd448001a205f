"""Where one camera's baseline is kept; the disk may hang, and watching goes on."""

import asyncio
import contextlib
import logging
import threading
from pathlib import Path
from typing import Final

from gatehouse.threads import off_loop
from gatehouse.video import baseline as baselines
from gatehouse.video.baseline import Baseline

log = logging.getLogger(__name__)

_EVERY_S: Final = 600.0
_DISK_S: Final = 10.0
_TURN_S: Final = 1.0


class Memory:
    """The file that holds what was learnt of one camera."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._forgotten = False
        self._writing = threading.Lock()
        """Held by the thread that writes: one that hangs is not to be joined by others, whose
        older words would go to the disk last."""
        self._news = asyncio.Event()

    async def load(self) -> Baseline:
        """Return what was kept; nothing when that cannot be read."""
        try:
            found = await off_loop(
                lambda: baselines.load(self._path), name="baseline", timeout_s=_DISK_S
            )
        except OSError as exc:  # TimeoutError too
            log.warning("what is usual for %s is learnt anew: %s", self._path.stem, _why(exc))
            found = Baseline()
        return Baseline() if self._forgotten else found

    def learnt(self) -> None:
        """Something new is to be kept soon."""
        self._news.set()

    def forget(self) -> None:
        """What was kept is not true any more, though nothing else was learnt yet."""
        self._forgotten = True
        self._news.set()

    async def keep(self, baseline: Baseline, timeout_s: float = _DISK_S) -> None:
        """Write it, for at most ``timeout_s`` seconds; what knows nothing replaces nothing."""
        if not (baseline.learnt or self._forgotten):
            return
        kept = baseline.to_bytes()
        try:
            await off_loop(lambda: self._write(kept), name="baseline", timeout_s=timeout_s)
        except OSError as exc:  # TimeoutError too
            log.warning("what is usual for %s is not kept: %s", self._path.stem, _why(exc))

    async def wait(self) -> None:
        """Wait until it is time to keep something."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_S):
                await self._news.wait()
        self._news.clear()

    def _write(self, kept: bytes) -> None:
        if not self._writing.acquire(timeout=_TURN_S):
            raise TimeoutError
        try:
            baselines.keep(kept, self._path)
        finally:
            self._writing.release()


def _why(exc: OSError) -> str:
    return exc.strerror or "the disk does not answer"
