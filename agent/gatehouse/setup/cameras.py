"""Whether each network camera answers at its address; more than that the video service looks at."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from gatehouse.config.model import Camera
from gatehouse.setup.proofs import Proof
from gatehouse.texts import _
from gatehouse.threads import off_loop

CAMERA: Final = "camera"
_RTSP: Final = 554
_NETWORK: Final = "rtsp://"


async def prove(cameras: Iterable[Camera], *, limit_s: float) -> list[Proof]:
    """Open a TCP connection to all network cameras at once. Never raises for a camera."""
    async with asyncio.TaskGroup() as tasks:
        tried = [
            tasks.create_task(_proof(camera, limit_s))
            for camera in cameras
            if camera.source.startswith(_NETWORK)
        ]
    return [task.result() for task in tried]


async def _proof(camera: Camera, limit_s: float) -> Proof:
    address = urlsplit(camera.source)
    place, why = (address.hostname, address.port or _RTSP), None
    try:
        await off_loop(
            lambda: socket.create_connection(place, limit_s).close(),
            name="setup-camera",
            timeout_s=limit_s,
        )
    except TimeoutError:
        why = _("no answer within {seconds} s").format(seconds=f"{limit_s:g}")
    except (OSError, UnicodeError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
    return Proof(f"camera/{camera.name}", CAMERA, why, kept=False)
