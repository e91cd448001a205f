"""Where the clocks of other recorders are: in the machine's own time zone.

They write local times into their names, and stand in the same school.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

LOCALTIME: Final = Path("/etc/localtime")

log = logging.getLogger(__name__)


def local_zone(environ: Mapping[str, str], localtime: Path = LOCALTIME) -> tzinfo:
    """Return the zone that ``TZ`` names, else the machine's, else UTC, as the C library would.

    A rule written out in ``TZ`` ("CST-8") is not read: that is UTC, too, and said in the log.
    """
    name = environ.get("TZ")
    if name is None:
        return _from_file(localtime) or UTC
    name = name.removeprefix(":")
    if not name:
        return UTC
    zone = _from_file(Path(name)) if name.startswith("/") else _by_name(name)
    if zone is None:
        log.warning("the time zone TZ=%s is not known: names of recordings are read as UTC", name)
    return zone or UTC


def _by_name(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


def _from_file(path: Path) -> tzinfo | None:
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return None
