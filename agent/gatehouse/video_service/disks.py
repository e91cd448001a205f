"""Which disk a camera's recordings lie on, and the room there. Each call may hang with the disk."""

import os
from collections.abc import Callable
from pathlib import Path

from gatehouse.video.retention import Disk

Room = Callable[[Path, float], Disk]
"""Asks a folder's file system for its room, given the percent that shall be free."""


def disk_of(folder: Path) -> Path:
    """Return the top of the file system that a folder lies on: what shows it to a person.

    A folder that is not there yet will lie where the nearest one above it does. Raises OSError.
    """
    here = _nearest(folder)
    device = here.stat().st_dev
    while here != here.parent and here.parent.stat().st_dev == device:
        here = here.parent
    return here


def _nearest(folder: Path) -> Path:
    for each in (folder, *folder.parents):
        try:
            return each.resolve(strict=True)
        except FileNotFoundError:
            continue
    return Path("/")


def room(folder: Path, min_free_percent: float) -> Disk:
    """Return the room as programs have it that are not root's. Raises OSError."""
    found = os.statvfs(folder)
    held = found.f_bfree - found.f_bavail
    return Disk(
        (found.f_blocks - held) * found.f_frsize,
        found.f_bavail * found.f_frsize,
        min_free_percent,
    )
