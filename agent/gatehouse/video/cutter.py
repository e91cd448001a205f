"""Runs the ffmpeg that cuts a clip, and ends it when it takes too long."""

import asyncio
import os
from pathlib import Path
from typing import Final

from gatehouse.errors import RecordingsError
from gatehouse.video import children
from gatehouse.video.cut import Cut, command
from gatehouse.video.recording_child import with_parent

LIMIT_S: Final = 180.0
"""90 s of a camera at 8 Mbit/s are 90 MB, which the slowest card writes in 20 s."""
_STOP_S: Final = 2.0
_WORDS: Final = 300
_FULL: Final = b"No space left on device"


class NoRoomError(RecordingsError):
    """The disk is full."""


async def cut(what: Cut, target: Path) -> None:
    """Cut a clip into a file. Raises RecordingsError with ffmpeg's words, NoRoomError."""
    process = await asyncio.create_subprocess_exec(
        *with_parent(os.getpid()),
        *command(what, target),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            _, said = await process.communicate(what.script)
    except TimeoutError:
        raise RecordingsError(f"cutting {target.name} took over {LIMIT_S:g} s") from None
    finally:
        await children.end(process, patience_s=_STOP_S)
    if _FULL in said:
        raise NoRoomError(f"no room to cut {target.name}")
    if process.returncode:
        words = said.decode(errors="replace").strip()[-_WORDS:]
        raise RecordingsError(f"{target.name} cannot be cut: {words}")
