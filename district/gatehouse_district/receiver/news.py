"""Waking who shows things."""

import asyncio


class Bell:
    """Counts changes, and wakes who waits for the next one (``ports.News``)."""

    def __init__(self) -> None:
        self._revision = 0
        self._rung = asyncio.Event()

    @property
    def revision(self) -> int:
        """Grows with every change of what there is to read."""
        return self._revision

    def ring(self) -> None:
        """Say that something changed."""
        self._revision += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def newer(self, than: int) -> int:
        """Wait until the revision is higher than this, and return it."""
        while self._revision <= than:
            await self._rung.wait()
        return self._revision
