"""A clock that can be moved while the agent runs.

``GATEHOUSE_SIM_CLOCK`` names a JSON file ``{"offset_s": 0, "synced": true}``; it is read again when
it changes, and what cannot be read changes nothing. Monotonic times are the machine's own: no one
can move those. ``GATEHOUSE_BOOTID`` plays another boot.
"""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from gatehouse.clock import Reading, SystemClock

_NS: Final = 1_000_000_000


class SimulatedClock(SystemClock):
    """The machine's clock, moved and unset as the file says; without a file it is synchronised."""

    def __init__(self, path: Path | None, bootid: str | None = None) -> None:
        super().__init__(bootid)
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._offset_ns = 0
        self._synced = True

    def reading(self) -> Reading:
        """Read all clocks, the wall clock with its offset."""
        self._look()
        reading = super().reading()
        return replace(reading, unix_ns=reading.unix_ns + self._offset_ns)

    def synced(self) -> bool:
        """Say what the file says."""
        self._look()
        return self._synced

    def _look(self) -> None:
        if self._path is None:
            return
        try:
            found = self._path.stat()
            seen = (found.st_ino, found.st_mtime_ns)  # a file put in its place within one tick
            if seen == self._seen:
                return
            said = json.loads(self._path.read_bytes())
            offset_ns, synced = int(float(said.get("offset_s", 0)) * _NS), said.get("synced", True)
        except (OSError, ValueError, TypeError, AttributeError, OverflowError):
            return  # not there, or just being written by hand: looked at again next time
        self._seen, self._offset_ns, self._synced = seen, offset_ns, bool(synced)


def move(path: Path, *, offset_s: float = 0.0, synced: bool = True) -> None:
    """Move the clock of every agent that was started with this file."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"offset_s": offset_s, "synced": synced}), encoding="utf-8")
    fresh.replace(path)


def open_clock() -> SimulatedClock:
    """Make the clock that the environment names."""
    name = os.environ.get("GATEHOUSE_SIM_CLOCK")
    return SimulatedClock(Path(name) if name else None, os.environ.get("GATEHOUSE_BOOTID"))
