"""Reading one picture from the folder of evidence, and nothing else. Blocking: not in the loop."""

import os
import stat
from pathlib import Path, PurePath
from typing import Final

from gatehouse.errors import MessageError

MOST_BYTES: Final = 60_000
"""Contract section 3."""

_JPEG: Final = b"\xff\xd8\xff"
_DEEPEST: Final = 4
_LONGEST: Final = 1000
"""Characters of a path: hundreds wait in the alarm's memory."""
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def inside(folder: Path, path: str) -> tuple[str, ...]:
    """Return the steps from the folder to a file in it; looks at no disk.

    Raises MessageError for a path that leads elsewhere.
    """
    try:
        steps = PurePath(path).relative_to(folder).parts if len(path) <= _LONGEST else ()
    except ValueError:
        steps = ()
    if not 0 < len(steps) <= _DEEPEST or ".." in steps or "\0" in path:
        raise MessageError(f"unknown path: not a file below {folder}")
    return steps


def read(folder: Path, path: str) -> bytes:
    """Return a JPEG of at most 60 kB; no link is followed below the folder.

    Raises MessageError for anything else, OSError when it cannot be read.
    """
    steps = inside(folder, path)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for step in steps[:-1]:
            below = os.open(step, _FLAGS | os.O_DIRECTORY, dir_fd=handle)
            os.close(handle)
            handle = below
        file = os.open(steps[-1], _FLAGS | os.O_NONBLOCK, dir_fd=handle)
    finally:
        os.close(handle)
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise MessageError(f"{path} is no regular file")
        body = stream.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise MessageError(f"{path} has more than {MOST_BYTES} bytes")
    if not body.startswith(_JPEG):
        raise MessageError(f"{path} is no JPEG")
    return body
