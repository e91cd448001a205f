"""Files that are replaced whole: after a power cut the old one or the new one is there."""

import contextlib
import os
from pathlib import Path
from typing import Final

BACKUP: Final = ".bak"


def replace(path: Path, content: bytes, *, mode: int, to_owner: bool = False) -> None:
    """Write a file in one step; it gets the group of its folder, and its owner if ``to_owner``.

    What root writes for a service would else be closed to it. Raises OSError; the old file then
    still stands.
    """
    fresh = path.with_name(f"{path.name}.new")  # one name: at most one is ever left behind
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            _hand_over(stream.fileno(), path.parent, to_owner=to_owner)
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    sync(path.parent)


def replace_keeping(path: Path, content: bytes, *, mode: int) -> bool:
    """Replace a file, and keep the one before as ``.bak`` if it said something else.

    Returns whether there was such a one. Raises OSError.
    """
    try:
        before = path.read_bytes()
    except FileNotFoundError:
        before = content
    if before != content:
        replace(path.with_name(path.name + BACKUP), before, mode=mode)
    replace(path, content, mode=mode)
    return before != content


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hand_over(handle: int, folder: Path, *, to_owner: bool) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid if to_owner else -1, owner.st_gid)
