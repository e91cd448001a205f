"""How much room bundles may take, and which go when there is too little. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatehouse.evidence.plan import WINDOW
from gatehouse.evidence.shelf import Kept

MB: Final = 1_000_000
CLIP_BYTES: Final = 45 * MB
"""90 s at 4 Mbit/s: a camera of 1080 lines."""
PICTURES_BYTES: Final = WINDOW.pictures * 400_000
"""All of one camera around one press."""
SPARE: Final = 64 * MB
"""What must stay free on the disk itself: the outbox lives there too."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may go, and whether that is enough."""

    go: tuple[str, ...] = ()
    """Alarms whose bundles go, the oldest first."""
    fits: bool = True


def find(kept: Sequence[Kept], need: int, *, limit: int, free: int) -> Room:
    """Return how room for ``need`` bytes is made.

    ``kept`` are all bundles, the oldest first; ``limit`` is what they may take, and ``free`` what
    the disk has. Held bundles never go.
    """
    short = max(sum(each.bytes for each in kept) + need - limit, need + SPARE - free)
    go: list[str] = []
    for each in kept:
        if short <= 0:
            break
        if each.may_go:
            go.append(each.alarm)
            short -= each.bytes
    return Room(tuple(go), short <= 0)


def is_short(kept: Sequence[Kept], cameras: int, *, limit: int, free: int) -> bool:
    """Whether the next alarm of so many cameras would find no room, whatever may go.

    A limit that one alarm alone would fill is not to be a fault for ever: there a quarter of it
    must be left.
    """
    need = min(cameras * CLIP_BYTES, limit // 4)
    return not find(kept, need, limit=limit, free=free).fits
