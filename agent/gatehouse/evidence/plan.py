"""What is wanted of an alarm, and what a bundle still lacks of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from gatehouse.evidence.manifest import (
    CLIP,
    GATHERING,
    PICTURE,
    READY,
    Held,
    Item,
    Lacking,
    Manifest,
)


@dataclass(frozen=True, slots=True)
class Window:
    """What is wanted around a press (issue 6); times in s."""

    before_s: float = 30.0
    after_s: float = 60.0
    every_s: float = 2.0
    pictures: int = 11
    """Of each camera: one at once, and one every 2 s for 20 s."""


WINDOW: Final = Window()

_SAME_MS: Final = 500
"""When a camera was last seen is reckoned anew each time, from two clocks."""

NO_PICTURE: Final = "no-picture"
NO_RECORDING: Final = "no-recording"
DISK_FULL: Final = "disk-full"
DAMAGED: Final = "damaged"
NOT_IN_TIME: Final = "not-in-time"


def picture_files(camera: str, turn: int) -> tuple[str, str]:
    """Return the names of a picture and of its small twin; ``turn`` counts from 0."""
    stem = f"{turn + 1:02d}-{camera}"
    return f"{stem}.jpg", f"{stem}.small.jpg"


def picture_number(cameras: Sequence[str], camera: str, turn: int) -> int:
    """Return a picture's number at the district, from 1: in the order of time, none twice."""
    return turn * len(cameras) + cameras.index(camera) + 1


def clip_file(camera: str, ending: str = "mp4", part: int | None = None) -> str:
    """Return the name of a clip, or of one of several recordings in its stead."""
    return f"clip-{camera}{'' if part is None else f'-{part}'}.{ending}"


def with_more(
    manifest: Manifest,
    *,
    items: Iterable[Item] = (),
    lacking: Iterable[Lacking] = (),
    held: Iterable[Held] = (),
) -> Manifest:
    """Return a manifest with more; what lacks for the same reason is counted, not listed."""
    lacks = list(manifest.lacking)
    for fresh in lacking:
        for at, known in enumerate(lacks):
            if fresh.kind == PICTURE and _alike(known, fresh):
                lacks[at] = msgspec.structs.replace(fresh, count=known.count + fresh.count)
                break
        else:
            lacks.append(fresh)
    known_held = {(each.camera, each.path) for each in manifest.held}
    return msgspec.structs.replace(
        manifest,
        items=(*manifest.items, *items),
        lacking=tuple(lacks),
        held=(
            *manifest.held,
            *(each for each in held if (each.camera, each.path) not in known_held),
        ),
    )


def _alike(one: Lacking, other: Lacking) -> bool:
    """Whether both lack for the same reason, since the same moment."""
    if (one.camera, one.kind, one.why) != (other.camera, other.kind, other.why):
        return False
    if one.since is None or other.since is None:
        return one.since == other.since
    return abs(unix_ms(one.since) - unix_ms(other.since)) < _SAME_MS


def unix_ms(text: str) -> int:
    """Read a time of a manifest. Raises ValueError."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def ready(manifest: Manifest) -> Manifest:
    """Return it as one to which nothing will be added."""
    return msgspec.structs.replace(manifest, state=READY)


def is_ready(manifest: Manifest) -> bool:
    """Whether nothing will be added."""
    return manifest.state != GATHERING


def turns_left(manifest: Manifest, camera: str, next_turn: int, most: int) -> tuple[range, int]:
    """Return the pictures of a camera that are still to be taken, of ``most``, and the lost ones.

    ``next_turn`` is the first whose time is not over. What was noted as lacking before is no loss.
    """
    noted = sum(
        each.count for each in manifest.lacking if each.kind == PICTURE and each.camera == camera
    )
    taken = sum(each.number is not None for each in manifest.items if each.camera == camera)
    over = min(next_turn, most)
    lost = max(0, over - taken - noted)
    return range(max(over, min(taken + noted, most)), most), lost


def has_clip(manifest: Manifest, camera: str) -> bool:
    """Whether a camera's clip is there, or known to lack as a whole."""
    told: list[Item | Lacking] = [*manifest.items, *manifest.lacking]
    return any(each.kind == CLIP and each.camera == camera for each in told)
