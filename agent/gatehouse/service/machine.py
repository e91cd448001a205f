"""What the heartbeat says of the machine. psutil reads files and may hang: call it off the loop."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from gatehouse.threads import off_loop

_LOOK_S: Final = 3.0
_CARD_RESET: Final = 0x20
"""linux/watchdog.h."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Load, memory and disk at one moment; bytes, percent, seconds."""

    load: tuple[float, float, float]
    memory_percent: float
    rss: int
    disk_free: int
    disk_percent: float

    def document(self) -> dict[str, Any]:
        """Return what the heartbeat carries."""
        return {
            "load": list(self.load),
            "memory_percent": self.memory_percent,
            "rss_bytes": self.rss,
            "disk_free_bytes": self.disk_free,
            "disk_percent": self.disk_percent,
        }


class Looker:
    """Looks beside the loop; while one look hangs in a dead disk, no other joins it there."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._looking = False

    async def look(self) -> Machine:
        """Look now. Raises OSError, also when the look before has not come back."""
        if self._looking:
            raise OSError(errno.EBUSY, "the last look at the machine hangs")
        self._looking = True
        return await off_loop(self._work, name="machine", timeout_s=_LOOK_S)

    def _work(self) -> Machine:
        try:
            return look(self._state_dir)
        finally:
            self._looking = False


def card_reset(root: Path = Path("/")) -> bool:
    """Whether the hardware watchdog says that it started this machine (WDIOF_CARDRESET)."""
    for path in (root / "sys/class/watchdog").glob("watchdog*/bootstatus"):
        try:
            status = int(path.read_text(encoding="ascii"), 0)
        except (OSError, ValueError):
            continue
        if status & _CARD_RESET:
            return True
    return False


def look(state_dir: Path) -> Machine:
    """Look at the machine and at the disk that holds ``state_dir``. Raises OSError."""
    disk = psutil.disk_usage(str(state_dir))
    return Machine(
        load=os.getloadavg(),
        memory_percent=psutil.virtual_memory().percent,
        rss=psutil.Process().memory_info().rss,
        disk_free=disk.free,
        disk_percent=disk.percent,
    )
