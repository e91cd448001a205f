"""The disks of the outbox and of the recordings: there, with room, fast, not worn."""

import os
import time
from pathlib import Path
from typing import Final

from gatehouse.checks import wear
from gatehouse.checks.context import Context, StatVfs
from gatehouse.checks.frame import Check, Finding, Findings, fail, ok, warn
from gatehouse.checks.scratch import Scratch
from gatehouse.checks.text import say
from gatehouse.config import Config
from gatehouse.texts import N_

SPACE: Final = "disk-space"
READ_ONLY: Final = "disk-read-only"

LEAST_BYTES: Final = 200_000_000
"""What the outbox may come to need besides what it holds already."""
LOW_PERCENT: Final = 10.0
LEAST_PERCENT: Final = 3.0
_SLOW_MB_S: Final = 1.0
_SPEED_BYTES: Final = 4 * 1024 * 1024


def _look(context: Context) -> Findings:
    config = context.config
    found: list[Finding] = []
    seen: set[int] = set()
    state_dir = config.gateway.state_dir
    for folder in [state_dir] if context.gentle else folders(config):
        try:
            device = os.stat(folder).st_dev  # noqa: PTH116  # a mount that is gone raises
            room = context.machine.statvfs(folder)
        except OSError as exc:
            figure = say(N_("{folder}: {why}"), folder=folder, why=exc.strerror or exc)
            found.append(fail(figure, say(N_("mount {folder}, or make it"), folder=folder)))
            continue
        if device in seen:
            continue
        seen.add(device)
        found += _room(folder, room, state=folder == state_dir, config=config)
        found += wear.look(context, device)
    if not context.gentle and state_dir.is_dir():
        found += _speed(state_dir)
    return found


def folders(config: Config) -> list[Path]:
    """Return the folders that the agent writes to, that of the outbox first."""
    recordings = [camera.recordings for camera in config.cameras if camera.recordings is not None]
    return [config.gateway.state_dir, *recordings]


def _room(folder: Path, room: StatVfs, *, state: bool, config: Config) -> list[Finding]:
    """Judge one disk. Recordings fill theirs on purpose: clean-up leaves what is configured."""
    if room.f_flag & os.ST_RDONLY:
        figure = say(N_("{folder}: read-only"), folder=folder)
        remedy = N_("the kernel gave it up or it is mounted so: dmesg tells; change the card")
        return [fail(figure, say(remedy), READ_ONLY if state else "")]
    free = room.f_bavail * room.f_frsize
    percent = 100.0 * room.f_bavail / max(1, room.f_blocks)
    figure = say(
        N_("{folder}: {free} GB free ({percent} %)"),
        folder=folder,
        free=f"{free / 1e9:.1f}",
        percent=f"{percent:.0f}",
    )
    larger = say(N_("delete what does not belong there, or use a larger disk"))
    found = []
    low = LOW_PERCENT if state else config.retention.min_free_percent / 2
    if state and (percent < LEAST_PERCENT or free < LEAST_BYTES):
        found.append(fail(figure, larger, SPACE))
    elif percent < low:
        found.append(warn(figure, larger))
    else:
        found.append(ok(figure))
    inodes = 100.0 * room.f_favail / room.f_files if room.f_files else 100.0
    if inodes < LEAST_PERCENT:
        figure = say(N_("{folder}: inodes free: {percent} %"), folder=folder, percent=int(inodes))
        many = say(N_("find the folder with too many files: du --inodes"))
        found.append(fail(figure, many, SPACE if state else ""))
    return found


def _speed(state_dir: Path) -> list[Finding]:
    """Measure how fast the outbox's disk takes what is to be on it for good."""
    try:
        with Scratch(state_dir, "speed") as scratch:
            began = time.perf_counter()
            scratch.write(bytes(_SPEED_BYTES))
            took = max(1e-6, time.perf_counter() - began)
    except OSError:  # that it cannot be written is told by the check of the outbox
        return []
    speed = _SPEED_BYTES / 1e6 / took
    figure = say(N_("writes {speed} MB/s"), speed=f"{speed:.0f}" if speed >= 10 else f"{speed:.1f}")
    if speed < _SLOW_MB_S:
        return [warn(figure, say(N_("a card that slow is worn out or a forgery: change it")))]
    return [ok(figure)]


CHECK: Final = Check.beside("disk", N_("disks"), 15.0, _look)
