"""The way to one camera: since when it is lost, and what that explains. Pure; times in ns."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from gatehouse.video.recorder import NOT_RECORDING
from gatehouse.video.together import LOSSES
from gatehouse.video.verdict import LINK

RECORDS_AGAIN_NS: Final = 90_000_000_000
"""How long a recorder may take after its camera is back: it waits up to a minute between tries."""


@dataclass(slots=True)
class Way:
    """Follows the faults of a camera; times are CLOCK_MONOTONIC."""

    away: bool = False
    """Whether any fault of the link stands."""
    lost: bool = False
    """Whether it is away in a way that other cameras may share."""
    since_ns: int = 0
    """When it was lost."""
    excused_until_ns: int = 0
    """Until when its loss explains that nothing is recorded, though it is back."""
    unrecorded: bool = False
    """Whether it is to be told that nothing is recorded.

    While the camera is away it is not told besides, but what was told before still stands.
    """

    def follow(self, faults: Collection[str], now_ns: int) -> None:
        """Take in which faults stand by now."""
        away, lost = (any(each in faults for each in kind) for kind in (LINK, LOSSES))
        if lost and not self.lost:
            self.since_ns = now_ns
        if self.away and not away:
            self.excused_until_ns = now_ns + RECORDS_AGAIN_NS
        self.away, self.lost = away, lost
        excused = away or now_ns < self.excused_until_ns
        self.unrecorded = NOT_RECORDING in faults and (self.unrecorded or not excused)
