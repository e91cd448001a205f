"""Passes whose state lies on a disk that is full: FOLDER, a small file system of its own.

Prints one JSON document.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatehouse.errors import RecordingsError
from video_service.recordings_rig import Box, lost


def fill(folder: Path) -> Path:
    """Take every byte that can be had."""
    path = folder / "filler"
    with path.open("ab", buffering=0) as file:
        for size in (4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def attempt(box: Box) -> str:
    """Make a pass; returns why it failed."""
    try:
        box.once()
    except RecordingsError as exc:
        return str(exc)
    return ""


def main(folder: Path) -> None:
    """Begin on the full disk, go on with room, and clean up on the full disk."""
    box = Box(folder.parent)
    box.add(days=2)
    (folder / "state").mkdir()
    (folder.parent / "state").symlink_to(folder / "state")
    box.retention = replace(box.retention, general_days=1)
    filler = fill(folder)
    found: dict[str, Any] = {"first": attempt(box)}
    filler.unlink()
    found["room"] = box.once().summary()
    box.retention = replace(box.retention, general_days=2)
    box.fill(7)
    filler = fill(folder)
    for _ in range(3):
        box.clock.go(61)
        attempt(box)
    found["kept"] = len(box.files())
    filler.unlink()
    box.clock.go(61)
    found["lost"] = lost(box.once().told)
    found["gone"] = 48 - len(box.files())
    box.passes.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
