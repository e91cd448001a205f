"""The real video service as a child process, and what it knows."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

from gatehouse.errors import NotRunningError
from gatehouse_sim.child import Service

LIMIT_S: Final = 120.0
_AGAIN_S: Final = 0.1


class Video(Service):
    """Starts, kills, reloads and asks one video service."""

    name: Final = "video"

    async def start(self, *, wait: bool = True, **environ: str) -> None:
        """Start it; returns when it has told systemd (us) that it is ready."""
        await self._begin(environ, wait=wait)

    async def cameras(self) -> dict[str, Any]:
        """Return the document of ``gatehouse cameras``. Raises NotRunningError, ControlError."""
        return await self.ask({"do": "cameras"})

    async def recordings(self) -> dict[str, Any]:
        """Return the document of ``gatehouse recordings``. Raises like `cameras`."""
        return await self.ask({"do": "recordings"})

    async def relearn(self, camera: str) -> dict[str, Any]:
        """Have it take a camera as it now stands for the usual. Raises like `cameras`."""
        return await self.ask({"do": "relearn", "camera": camera})

    async def camera(self, name: str) -> dict[str, Any]:
        """Return what it knows of one camera. Raises LookupError for one that it does not watch."""
        found = (await self.cameras())["cameras"]
        for each in found:
            if each["name"] == name:
                return dict(each)
        raise LookupError(f"the video service watches no camera {name}: {found}")

    async def cameras_until(
        self, test: Callable[[dict[str, Any]], bool], *, timeout_s: float = LIMIT_S
    ) -> dict[str, Any]:
        """Wait until what it knows of its cameras passes a test; also while it is away.

        Raises TimeoutError with what it said last and the end of its log.
        """
        return await self._until({"do": "cameras"}, test, timeout_s)

    async def recordings_until(
        self, test: Callable[[dict[str, Any]], bool], *, timeout_s: float = LIMIT_S
    ) -> dict[str, Any]:
        """Wait until what it knows of the recordings passes a test. Raises like `cameras_until`."""
        return await self._until({"do": "recordings"}, test, timeout_s)

    async def _until(
        self, request: dict[str, Any], test: Callable[[dict[str, Any]], bool], timeout_s: float
    ) -> dict[str, Any]:
        said: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        said = await self.ask(request)
                    except NotRunningError as exc:
                        said = {"error": str(exc)}
                    else:
                        if test(said):
                            return said
                    await asyncio.sleep(_AGAIN_S)  # its socket wakes nobody
        except TimeoutError:
            pass
        shown = json.dumps(said, ensure_ascii=False)
        raise TimeoutError(f"the video service did not get there: {shown}\n{self.tail()}")


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    """Return the verdict of each camera in a document of ``gatehouse cameras``."""
    return {camera["name"]: camera["verdict"] for camera in document["cameras"]}
