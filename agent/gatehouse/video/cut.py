"""What ffmpeg is told to cut a clip out of recordings, without decoding any of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse.video.covering import Recorded

_HOLE_MS: Final = 1500
"""Names are cut to the second: what is less apart than that follows without a hole."""
_EARLY_S: Final = 0.02
"""ffmpeg drops what is before the asked time: half a frame earlier keeps the keyframe itself."""
_COMMAND: Final = (
    *("nice", "-n", "15", "ionice", "-t", "-c", "3"),
    *("ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error"),
    *("-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,file", "-i", "pipe:0"),
)


@dataclass(frozen=True, slots=True)
class Cut:
    """One clip to be cut; times in UTC ms."""

    script: bytes
    """For ffmpeg's stdin."""
    skip_s: float
    length_s: float
    begins_ms: int
    """When it begins: at a keyframe, so perhaps before it was asked to."""


def plan(found: Sequence[Recorded], begin_ms: int, end_ms: int) -> Cut:
    """Return how to cut a time out of recordings, at least one, the oldest first.

    A hole between them stays one: what was 20 s later is 20 s later in the clip.
    """
    first = found[0]
    asked_ms = begin_ms - first.start_ms
    key_ms = max((each for each in first.keys_ms if each <= asked_ms), default=0)
    lines = ["ffconcat version 1.0"]
    for number, each in enumerate(found):
        quoted = str(each.path).replace("'", r"'\''")
        length_ms = each.end_ms - each.start_ms
        if number + 1 < len(found):
            apart_ms = found[number + 1].start_ms - each.start_ms
            length_ms = apart_ms if apart_ms - length_ms > _HOLE_MS else length_ms
        lines += [f"file 'file:{quoted}'", f"duration {length_ms / 1000:.3f}"]
    begins_ms = first.start_ms + key_ms
    return Cut(
        "\n".join([*lines, ""]).encode(),
        max(0.0, key_ms / 1000 - _EARLY_S),
        (end_ms - begins_ms) / 1000 + 2 * _EARLY_S,
        begins_ms,
    )


def command(cut: Cut, target: Path) -> tuple[str, ...]:
    """Return what is started; the clip plays in a browser while it is still cut."""
    return (
        *_COMMAND,
        *("-ss", f"{cut.skip_s:.3f}", "-t", f"{cut.length_s:.3f}"),
        *("-map", "0:v:0", "-c", "copy", "-avoid_negative_ts", "make_zero"),
        *("-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
        *("-f", "mp4", "-y", str(target)),
    )
