"""Passes in a process of their own, killed at the n-th step of clean-up: FOLDER STEP.

Each line on stdout is what a pass would have told.
"""

import json
import os
import sys
from pathlib import Path

import msgspec

from gatehouse.video.index import Index
from gatehouse.video_service.clearing import UNDER_S
from gatehouse.video_service.deletions import Deletions
from video.cleaner import killing
from video_service.recordings_rig import NOW, SIZE, Box, HandClock

MORE = 4


def box_of(folder: Path) -> Box:
    """Return the box as it was left; its disk lacks some bytes until seven recordings are gone."""
    box = Box(folder, clock=HandClock(NOW))
    box.add("gate")
    box.add("yard")
    box.total = 20 * 10**6
    box.others = 19 * 10**6 - 2 * 48 * SIZE + 7 * SIZE
    return box


def main() -> None:
    """Make three passes, a minute apart, on a disk that gets fuller."""
    folder, step = sys.argv[1:]
    wrap = killing(int(step))
    for name in ("unlink", "fsync", "replace", "rmdir"):
        setattr(os, name, wrap(getattr(os, name)))
    for name in ("intend", "drop_intents", "remove", "forget_camera"):
        setattr(Index, name, wrap(getattr(Index, name)))
    setattr(Deletions, "count", wrap(Deletions.count))  # noqa: B010  # as the others
    box = box_of(Path(folder))
    received: list[str] = []
    for _ in range(3):
        passed = box.once(received)
        sys.stdout.write(json.dumps(msgspec.to_builtins(passed.told)) + "\n")
        sys.stdout.flush()
        received = [each.key for each in passed.told]
        box.clock.go(UNDER_S + 1)
        box.others += MORE * SIZE
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
