"""Watching the wall clock: not set, set, or stepped."""

from dataclasses import dataclass
from typing import Final

from gatehouse.clock import Reading

STEP_NS: Final = 1_000_000_000
"""A wall clock that moved more than 1 s against the monotonic one was stepped, not slewed:
slewing is at most 500 ppm, far less between two looks a second apart."""

GRACE_NS: Final = 600_000_000_000
"""How long a clock may stay unset before that is a fault, 10 min: a time server that is there
answers within the first minutes after boot, and a fault at every boot would teach people to look
away. Certificates that are judged without dates are a fault of their own, at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    corrected_s: float | None = None
    """Seconds to add to what was told since the correction before this one; None: nothing to do."""
    unset: bool | None = False
    """Whether the clock is unset for too long; None: unset, and too early to call that a fault."""


class ClockWatch:
    """Compares the wall clock with the boot clock at every look."""

    def __init__(self, reading: Reading, *, synced: bool) -> None:
        self._told_ns = self._offset(reading)
        self._synced = synced
        self._unset_since_ns = reading.boottime_ns

    def look(self, reading: Reading, *, synced: bool) -> Seen:
        """Look again; a correction is told once, when the clock is set or stepped."""
        offset = self._offset(reading)
        moved_ns = offset - self._told_ns
        just_set = synced and not self._synced
        if not synced and self._synced:
            self._unset_since_ns = reading.boottime_ns
        self._synced = synced
        unset = None if not synced else False
        if not synced and reading.boottime_ns - self._unset_since_ns > GRACE_NS:
            unset = True
        if just_set or abs(moved_ns) > STEP_NS:
            self._told_ns = offset
            return Seen(corrected_s=round(moved_ns / 1e9, 6), unset=unset)
        if synced:  # slewed: right all the time, nothing to tell
            self._told_ns = offset
        return Seen(unset=unset)

    @staticmethod
    def _offset(reading: Reading) -> int:
        return reading.unix_ns - reading.boottime_ns
