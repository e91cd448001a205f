"""Time, handed in: the wall clock that may be wrong and the monotonic ones that may not.

Another clock (the simulated one) is chosen by name through the entry point group
``gatehouse.clocks`` and the environment variable ``GATEHOUSE_CLOCK``.
"""

import ctypes
import time
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

MAX_ERROR_US: Final = 16_000_000
"""Kernel ``maxerror`` below which systemd-timedated calls a clock synchronised, in µs."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at all clocks, each in ns; ``monotonic`` stops in suspend, ``boottime`` does not."""

    unix_ns: int
    monotonic_ns: int
    boottime_ns: int


class Clock(Protocol):
    """What Gatehouse knows of time."""

    @property
    def bootid(self) -> str:
        """The kernel's boot id: monotonic times compare only within one."""

    def reading(self) -> Reading:
        """Read all clocks at once."""

    def synced(self) -> bool:
        """Whether the wall clock has been set by a time server."""


class _Timex(ctypes.Structure):
    """The head of the kernel's ``struct timex`` (adjtimex(2)), padded to its full size."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_error_s() -> float | None:
    """Return the largest error that the kernel admits for its wall clock, in s; None: unknown."""
    timex = _Timex()
    known = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) >= 0
    return int(timex.maxerror) / 1e6 if known else None


class SystemClock:
    """The machine's own clocks."""

    def __init__(self, bootid: str | None = None) -> None:
        self._bootid = bootid or _BOOT_ID.read_text(encoding="ascii").strip()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._asked_s = float("-inf")
        self._synced = False

    @property
    def bootid(self) -> str:
        """The kernel's boot id."""
        return self._bootid

    def reading(self) -> Reading:
        """Read all clocks at once."""
        return Reading(
            time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        )

    def synced(self) -> bool:
        """Ask the kernel, by systemd's rule: the largest error it admits is below 16 s.

        Once a second: every event says it, and a press does not wait for a system call.
        """
        now_s = time.monotonic()
        if now_s - self._asked_s >= 1.0:
            timex = _Timex()
            known = self._libc.adjtimex(ctypes.byref(timex)) >= 0
            self._asked_s, self._synced = now_s, known and int(timex.maxerror) < MAX_ERROR_US
        return self._synced


def open_clock(name: str | None, bootid: str | None = None) -> Clock:
    """Return the clock of that name; None is the machine's own.

    Raises LookupError when no installed package offers it.
    """
    if not name:
        return SystemClock(bootid)
    for entry in entry_points(group="gatehouse.clocks", name=name):
        clock: Clock = entry.load()()
        return clock
    raise LookupError(f"no installed package offers the clock {name!r} (GATEHOUSE_CLOCK)")
