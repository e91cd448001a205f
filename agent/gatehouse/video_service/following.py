"""One camera's folder in the course of the passes: its first look in slices, then what is new."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gatehouse.config import Camera
from gatehouse.video.looking import is_there
from gatehouse.video.retention import Disk
from gatehouse.video.scan import Progress, Scanner
from gatehouse.video_service import disks

_CHECKS: Final = 50
"""Files measured in each pass whose end is only taken for granted."""
_GRACE_S: Final = 60.0
"""So long a folder may be missing that our own recorder is just about to make."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera's recordings lie: nowhere, if the folder is missing or does not answer."""

    disk: Path | None = None
    room: Disk | None = None
    amiss: str | None = None
    """Why it does not answer."""
    awaited: bool = False
    """Whether it is not there, and need not be yet."""


@dataclass(slots=True)
class Followed:
    """One camera's folder; times are monotonic, in seconds."""

    camera: Camera
    folder: Path
    scanner: Scanner
    since_s: float
    tried: bool = False
    """Whether a look at all of it came to its end, whatever it found."""
    known: bool = False
    """Whether it found all of the folder."""
    _looking: Generator[Progress, None, None] | None = field(default=None, init=False)

    def look(self, until_s: float, now_s: Callable[[], float]) -> Progress | None:
        """Read what is new; returns how far a first look has come that is not done by then.

        ``now_s`` is asked at every step. Raises RecordingsError when the index fails.
        """
        if self._looking is None:
            self._looking = self.scanner.look(whole=not self.known)
            self.tried = self.known  # a disk that is back is looked at as at the start
        for progress in self._looking:
            if now_s() >= until_s and not self.known:
                return progress
        self._looking = None
        self.tried = True
        if not self.known:
            row = self.scanner.index.camera(self.camera.name)
            self.known = row is not None and row.amiss is None
        return None

    def check(self) -> None:
        """Measure some of the files that a first look left. Raises RecordingsError."""
        if self.known:
            self.scanner.check_some(_CHECKS)

    def place(self, now_s: float, room: disks.Room, min_free_percent: float) -> Place:
        """Say where the folder lies now, and what room there is."""
        try:
            if self.folder.is_dir():
                top = disks.disk_of(self.folder)
                return Place(top, room(self.folder, min_free_percent))
        except OSError as exc:
            return Place(amiss=f"cannot read {self.folder}: {exc.strerror or exc}")
        soon = self.camera.record and now_s - self.since_s < _GRACE_S
        return Place(awaited=soon and is_there(self.folder.parent))

    def close(self) -> None:
        """Let go of what a first look holds open."""
        if self._looking is not None:
            self._looking.close()
            self._looking = None
