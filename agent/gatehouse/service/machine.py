"""What the heartbeat says of the machine. psutil reads files and may hang: call it off the loop."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


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
