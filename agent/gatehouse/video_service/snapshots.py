"""Single pictures that somebody asks for, rate-limited, and kept for a while."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from gatehouse import files
from gatehouse.clock import Clock
from gatehouse.control import protocol
from gatehouse.errors import ControlError
from gatehouse.video_service.album import Album
from gatehouse.video_service.asking import NoPictureError
from gatehouse.video_service.beside import Beside

EVERY_S: Final = 5.0
AN_HOUR: Final = 60
KEPT: Final = 100
_HOUR_S: Final = 3600.0
_MODE: Final = 0o640


class Snapshots:
    """Takes pictures into a folder, of which the last hundred stay."""

    def __init__(
        self,
        folder: Path,
        album: Album,
        disk: Beside,
        clock: Clock,
        cameras: Callable[[], set[str]],
    ) -> None:
        self._folder = folder
        self._album = album
        self._disk = disk
        self._clock = clock
        self._cameras = cameras
        self._taken: dict[str, deque[float]] = {}
        self._turn = asyncio.Lock()

    async def take(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a picture of a camera. Raises ControlError with an honest reason."""
        camera = request.get("camera")
        if not isinstance(camera, str) or camera not in self._cameras():
            known = ", ".join(sorted(self._cameras())) or "none"
            raise ControlError(f"camera must be one of: {known}")
        self._count(camera)
        try:
            seen = await self._album.picture(camera, at_once=True)
        except NoPictureError as exc:
            since = f"; no picture since {exc.since}" if exc.since else ""
            raise ControlError(f"camera {camera} gives no picture: {exc}{since}") from exc
        path = self._folder / f"{camera}-{seen.unix_ns // 1_000_000}.jpg"
        try:
            async with self._turn:
                await self._disk.do(partial(self._keep, path, seen.small))
        except OSError as exc:
            raise ControlError(f"the picture cannot be kept: {exc}") from exc
        return {"camera": camera, "path": str(path), "taken": seen.taken}

    def _count(self, camera: str) -> None:
        now_s = self._clock.reading().monotonic_ns / 1e9
        taken = self._taken.setdefault(camera, deque())
        while taken and now_s - taken[0] >= _HOUR_S:
            taken.popleft()
        if (taken and now_s - taken[-1] < EVERY_S) or len(taken) >= AN_HOUR:
            text = f"at most one picture in {EVERY_S:g} s and {AN_HOUR} an hour of each camera"
            raise ControlError(text, protocol.BUSY)
        taken.append(now_s)

    def _keep(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        files.replace(path, content, mode=_MODE)
        found = sorted(path.parent.glob("*.jpg"), key=lambda each: each.stat().st_mtime_ns)
        for old in found[:-KEPT]:
            old.unlink()
