"""A clean-up in a process of its own, killed at its n-th step: FOLDER NOW_MS STEP."""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

from gatehouse.video.cleanup import carry_out, keeping
from gatehouse.video.index import Index
from gatehouse.video.plan import plan
from gatehouse.video.retention import Disk

DAY_MS = 86_400_000


def killing(step: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what makes a call one of the steps, the given one being the last of this process."""
    done = 0

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **named)

        return called

    return wrap


def clean(folder: Path, now_ms: int, wanted: int) -> None:
    """Delete what a plan on a disk of 1,000,000 bytes says."""
    index = Index(folder / "state" / "recordings.db")
    (camera,) = index.cameras()
    keep = keeping(index, camera, area="general", floor_ms=DAY_MS, now_ms=now_ms)
    disk = Disk(1_000_000, 50_000 - wanted, 5)
    made = plan([keep], disk, now_ms=now_ms, gap_ms=300_000, on_full="stop")
    carry_out(index, made, zone=UTC, now_ms=now_ms)


def main() -> None:
    """Clean up, and be killed at the step that was asked for."""
    folder, now_ms, step = sys.argv[1:]
    wrap = killing(int(step))
    for name in ("unlink", "fsync", "rmdir"):
        setattr(os, name, wrap(getattr(os, name)))
    for name in ("intend", "drop_intents", "remove", "drop_folder", "touch"):
        setattr(Index, name, wrap(getattr(Index, name)))
    clean(Path(folder), int(now_ms), 6000)


if __name__ == "__main__":
    main()
