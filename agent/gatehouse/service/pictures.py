"""Pictures between the two services: what the video service has sent, and what it is asked for."""

from functools import partial
from pathlib import Path
from typing import Any, Final

from gatehouse.config.model import Config
from gatehouse.control import client, protocol
from gatehouse.errors import ControlError, MessageError
from gatehouse.threads import off_loop
from gatehouse.uplink.pictures import DEADLINE_S, Pictures

_ASK_S: Final = 14.0
"""Less than a command may wait for its answer, so that the asking thread ends by itself."""

_ANSWER_BYTES: Final = 16 * 1024
"""A video service gone mad must not fill the memory that an alarm needs."""


def folder(config: Config) -> Path:
    """Return where bundles of evidence lie (issue 6): pictures are sent from nowhere else."""
    return config.gateway.state_dir / "evidence"


async def take(pictures: Pictures, request: dict[str, Any]) -> dict[str, Any]:
    """Let a picture wait for the line: `picture` of the control socket. Raises ControlError."""
    alarm, number, path = (request.get(key) for key in ("alarm", "number", "path"))
    deadline_s = request.get("deadline_s", DEADLINE_S)
    if not isinstance(alarm, str) or not isinstance(path, str):
        raise ControlError("alarm and path must be texts", protocol.MALFORMED)
    if not isinstance(number, int) or isinstance(number, bool):
        raise ControlError("number must be a whole number", protocol.MALFORMED)
    if not isinstance(deadline_s, int | float) or isinstance(deadline_s, bool):
        raise ControlError("deadline_s must be a number", protocol.MALFORMED)
    try:
        pictures.ask(alarm, number, path, deadline_s)
    except MessageError as exc:
        raise ControlError(str(exc), protocol.MALFORMED) from exc
    return {"queued": True, "most_bytes": pictures.most_bytes}


async def ask_video(runtime_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the video service, beside the loop. Raises NotRunningError, ControlError, OSError."""
    asking = partial(
        client.ask,
        runtime_dir / "video.sock",
        request,
        _ASK_S,
        unit=client.VIDEO,
        most_bytes=_ANSWER_BYTES,
    )
    return await off_loop(asking, name="ask-video", timeout_s=_ASK_S + 1)
