"""Which certificate and key to use, of those that are there.

What must hold: at every moment, also after a power cut in the middle of a change, one of the pairs
below is whole and fits.

1. The one that the gateway renewed by itself: one file with both, hence changed in one step. It is
   named after the configured certificate that it follows: once another is configured it is not
   looked at any more.
2. The configured files. systemd hands the key over as it was when the service began, so that the
   file itself is tried after it.
3. Those that the last `gatehouse enrol` replaced, while it is between the two files.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse.config.model import District

FOLDER: Final = "identity"
"""Below ``state_dir``."""
OLD: Final = ".old"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM; both may stand in the same file."""

    cert: Path
    key: Path


def renewed(district: District) -> Path | None:
    """Return where the pair that follows the configured certificate is, or would be.

    Raises OSError when the configured certificate cannot be read.
    """
    if district.renewed is None or district.cert is None:
        return None
    told = hashlib.sha256(district.cert.read_bytes()).hexdigest()[:16]
    return district.renewed / f"{told}.pem"


def pairs(district: District) -> Iterator[Pair]:
    """Give what there may be, the best first; whether it is there and fits is seen by using it."""
    cert, key = district.cert, district.key
    if cert is None or key is None:
        return
    try:
        own = renewed(district)
    except OSError:  # whoever tries the configured pair is told
        own = None
    if own is not None and _there(own):
        yield Pair(own, own)
    yield Pair(cert, key)
    named = district.named_key or key
    if named != key:
        yield Pair(cert, named)
    old = cert.with_name(cert.name + OLD)
    if _there(old):
        yield Pair(old, named.with_name(named.name + OLD))
        if named != key:
            yield Pair(old, key)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that is not ours to look into
        return False
