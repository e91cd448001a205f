"""The faults as they fit into one message: a broker cuts the line over one that is too large. Pure.

64 cameras with all their faults are some 200 kB, the contract's Maximum Packet Size is 128 KiB, and
a birth that cuts the line is said again with the next connection, for ever.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

MOST_BYTES: Final = 16 * 1024
_FULL_BYTES: Final = MOST_BYTES // 2
"""Of these for whole entries; then it is better to name many than to say much of few."""
_NAMES: Final = ("subject", "fault", "since")
_MORE_BYTES: Final = 100


def brief_faults(faults: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults in at most 16 KiB of JSON.

    All of them where they fit. Else those of cameras come last; where there is no more room the
    details are left out, then whole entries, which one last entry counts.
    """
    if _size(faults) <= MOST_BYTES:
        return list(faults)
    said: list[dict[str, Any]] = []
    used = 2 + _MORE_BYTES
    ordered = sorted(faults, key=lambda entry: str(entry["subject"]).startswith("camera/"))
    for entry in ordered:
        names = {key: entry[key] for key in _NAMES}
        for form, most in ((entry, _FULL_BYTES), (names, MOST_BYTES)):
            if used + (size := _size(form) + 1) <= most:
                said.append(form)
                used += size
                break
        else:
            break
    if left := len(ordered) - len(said):
        said.append({"subject": "gateway", "fault": "more", "since": None, "count": left})
    return said


def _size(value: object) -> int:
    return len(msgspec.json.encode(value))
