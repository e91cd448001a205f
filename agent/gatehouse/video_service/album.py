"""Pictures of all cameras, shared: three alarms at once look at a camera as one does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from gatehouse.clock import Clock
from gatehouse.video_service.asking import Seen

TAKE_S: Final = 3.0
"""What was decoded within this time serves for a picture at once."""

Take = Callable[[str, float], Awaitable[Seen]]


class Album:
    """Takes pictures, of each camera no more than one alarm needs."""

    def __init__(self, take: Take, clock: Clock, fresh_s: float) -> None:
        """Prepare it; ``take`` takes one of a camera, of a frame no older than so many seconds.

        A picture that is no older than ``fresh_s`` serves whoever asks next.
        """
        self._fresh_s = fresh_s
        self._take = take
        self._clock = clock
        self._last: dict[str, Seen] = {}
        self._taking: dict[str, asyncio.Task[Seen]] = {}

    async def picture(self, camera: str, *, at_once: bool = False) -> Seen:
        """Return a picture of now; ``at_once``: of what was decoded already, if that is recent.

        Raises NoPictureError.
        """
        last = self._last.get(camera)
        if (
            last is not None
            and self._clock.reading().monotonic_ns - last.at_ns < self._fresh_s * 1e9
        ):
            return last
        taking = self._taking.get(camera)
        if taking is None or taking.done():
            taking = asyncio.create_task(self._one(camera, TAKE_S if at_once else self._fresh_s))
            self._taking[camera] = taking
        return await asyncio.shield(taking)  # who goes away takes it from nobody else

    async def _one(self, camera: str, old_s: float) -> Seen:
        seen = self._last[camera] = await self._take(camera, old_s)
        return seen

    async def close(self) -> None:
        """Take no more."""
        for task in self._taking.values():
            task.cancel()
        await asyncio.gather(*self._taking.values(), return_exceptions=True)
