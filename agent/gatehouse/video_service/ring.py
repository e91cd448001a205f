"""The pre-roll rings of CSI cameras that nobody records: written to a file only around alarms.

One file at a time is written of each camera: while it is, another alarm only makes it longer, and
each bundle gets its own clip out of it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from gatehouse.clock import Clock
from gatehouse.video.covering import Recorded, content
from gatehouse.video.csi_recording import PREROLL_S
from gatehouse.video_service.beside import Beside

CLOSED_S: Final = 2.0
_HANG_S: Final = 30.0
MORE_S: Final = 2.0
_AFTER_MOST_S: Final = 120.0
"""More than is wanted after a press: a clock that was set back since would ask for years."""

Keep = Callable[[str, Path, float], bool]
"""Has a camera's ring written to a file, and so many seconds more; False when it cannot be."""


@dataclass(slots=True)
class _Writing:
    path: Path
    ends_ms: int
    """What the file reaches (UTC)."""
    closes_s: float
    """When it is whole, by the loop's clock: the ring is a delay line."""
    users: int = 0


class Rings:
    """Has rings written, and says what came of it."""

    def __init__(
        self, folder: Path, keep: Keep, clock: Clock, preroll_s: float = PREROLL_S
    ) -> None:
        """Prepare it; files lie in ``folder`` for as long as somebody cuts from them.

        What comes into a ring leaves it ``preroll_s`` later.
        """
        self._preroll_s = preroll_s
        self._folder = folder
        self._keep = keep
        self._clock = clock
        self._writing: dict[str, _Writing] = {}
        self._beside = Beside("rings", _HANG_S)
        self._turn = asyncio.Lock()

    async def recorded(self, camera: str, end_ms: int) -> "Lent | None":
        """Return what the ring held, and what came up to a time (UTC, ms); None: it cannot be had.

        Raises OSError.
        """
        async with self._turn:  # two that come at once are to share one file
            writing = await self._order(camera, end_ms)
        if writing is None:
            return None
        writing.users += 1
        loop = asyncio.get_running_loop()
        try:
            while (left_s := writing.closes_s - loop.time()) > 0:  # noqa: ASYNC110  # may get longer
                await asyncio.sleep(left_s)
            found = await self._beside.do(partial(_look, writing))
        except BaseException:  # nobody else would give it back
            self._done(writing)
            raise
        return Lent(found, partial(self._done, writing))

    async def _order(self, camera: str, end_ms: int) -> _Writing | None:
        """Have the file written that reaches so far; None: nobody can write it now."""
        loop = asyncio.get_running_loop()
        writing = self._writing.get(camera)
        now_ms = self._clock.reading().unix_ns // 1_000_000
        if writing is None or writing.closes_s <= loop.time() + CLOSED_S:
            await self._beside.do(partial(self._folder.mkdir, parents=True, exist_ok=True))
            writing = _Writing(self._folder / f"{camera}-{now_ms}.mp4", 0, 0.0)
        if end_ms > writing.ends_ms:
            after_s = min(max(0.0, (end_ms - now_ms) / 1000), _AFTER_MOST_S) + MORE_S
            if not self._keep(camera, writing.path, after_s):
                return None
            writing.ends_ms = now_ms + round(after_s * 1000)
            writing.closes_s = loop.time() + after_s + self._preroll_s + CLOSED_S
            self._writing[camera] = writing
        return writing

    def _done(self, writing: _Writing) -> None:
        writing.users -= 1
        if not writing.users:
            writing.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Lent:
    """A ring's file, until it is given back."""

    recorded: tuple[Recorded, ...]
    give_back: Callable[[], None]


def _look(writing: _Writing) -> tuple[Recorded, ...]:
    """Find how long it is; its end is known, and so its beginning."""
    if (has := content(writing.path)) is None:
        return ()
    start_ms = writing.ends_ms - has.length_ms
    return (Recorded(writing.path, start_ms, writing.ends_ms, has.keys_ms),)
