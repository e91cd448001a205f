"""What strangers hand us to tell, bounded before anything is made of it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

_LEVELS: Final = 6
"""Deep enough for anybody; Python's own JSON, which keeps the faults, ends at some hundreds."""


def bounded(data: Mapping[str, Any], most_bytes: int) -> dict[str, Any]:
    """Return these details, if they surely become JSON of so many bytes; else none at all."""
    try:
        size = len(msgspec.json.encode(data))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return {}
    return dict(data) if size <= most_bytes and _shallow(data, _LEVELS) else {}


def _shallow(value: object, levels: int) -> bool:
    if isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list | tuple):
        inner = list(value)
    else:
        return True
    return levels > 0 and all(_shallow(each, levels - 1) for each in inner)
