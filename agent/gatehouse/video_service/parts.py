"""What the watch over one camera is made of, and how a part is kept alive."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gatehouse.clock import Clock
from gatehouse.config import Camera
from gatehouse.video.eye import Eye, Hear, rtsp_command
from gatehouse.video.recorder import Recorder, Say
from gatehouse.video.restarts import Restarts
from gatehouse.video.rtsp_eye_url import with_credential
from gatehouse.video_service.clocks import Ask, by_onvif

log = logging.getLogger(__name__)

_CSI: Final = "picamera2:"


class Runs(Protocol):
    """Something that works until cancelled."""

    async def run(self) -> None:
        """Work."""


class Looks(Runs, Protocol):
    """Something that looks through a camera until cancelled."""

    def order(self, order: dict[str, Any]) -> bool:
        """Tell the child that looks to do something; False when there is none."""


def is_csi(camera: Camera) -> bool:
    """Whether it is attached to this Pi: its eye records, and it has no clock of its own."""
    return camera.source.startswith(_CSI)


def eye_of(camera: Camera, credential: str, hear: Hear, restarts: Restarts) -> Looks:
    """Make the eye that looks through a camera."""
    if not is_csi(camera):
        first_line = credential.encode() + b"\n"
        return Eye(rtsp_command(camera.source), hear, first_line=first_line, restarts=restarts)
    command = [sys.executable, "-m", "gatehouse.video.csi_eye", camera.source.removeprefix(_CSI)]
    if camera.record:
        command += ["--recordings", str(camera.recordings)]
    return Eye(command, hear, restarts=restarts)


def recorder_of(
    camera: Camera, credential: str, say: Say, clock: Clock, restarts: Restarts
) -> Runs:
    """Make the recorder of an RTSP camera."""
    assert camera.recordings is not None  # noqa: S101  # the configuration's rule for `record`
    url = with_credential(camera.source, credential)
    return Recorder(url, camera.recordings, say, clock=clock, restarts=restarts)


@dataclass(frozen=True, slots=True)
class Parts:
    """How the parts of a watch are made."""

    eye: Callable[[Camera, str, Hear, Restarts], Looks] = eye_of
    recorder: Callable[[Camera, str, Say, Clock, Restarts], Runs] = recorder_of
    ask: Callable[[Clock], Ask] = by_onvif


async def alive(
    name: str,
    work: Callable[[], Awaitable[None]],
    failed: Callable[[str], None],
    random: Callable[[], float],
) -> None:
    """Keep a part alive until cancelled; ``failed`` is told of its end, and nothing else ends."""
    loop, restarts = asyncio.get_running_loop(), Restarts(random=random)
    while True:
        began = loop.time()
        why = "it ended"
        try:
            await work()
        except Exception as exc:  # whatever it is, the others go on
            log.exception("%s failed", name)
            why = type(exc).__name__  # its words could show an address
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise asyncio.CancelledError  # it failed on its way out: nothing is started again
        failed(f"{name} failed: {why}")
        await asyncio.sleep(restarts.next_s(loop.time() - began))
