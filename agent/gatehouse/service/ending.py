"""How the process before ended: what it wrote itself, and what systemd says of it."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gatehouse import process

log = logging.getLogger(__name__)

BOX: Final = "alarm.abort"
RESULT: Final = "alarm.result"
"""Left in the runtime folder by the unit's ``ExecStopPost=``: $SERVICE_RESULT, systemd.exec(5)."""
_HUNG: Final = "watchdog"
_LONGEST: Final = 64


@contextlib.contextmanager
def watched(runtime_dir: Path) -> Iterator[bool]:
    """Keep a black box; give whether the process before was ended because it hung.

    systemd knows that for sure, also of one that was stopped and wrote nothing. Without its word
    (no unit, or a first start) the black box says so, unless C code gave up.
    """
    result = _result(runtime_dir / RESULT)
    try:
        box, told = process.black_box(runtime_dir / BOX)
    except OSError as exc:
        log.warning("no black box: %s", exc)
        yield result == _HUNG
        return
    with box:
        if told:
            log.error("the process before was aborted; it was here:\n%s", told)
        yield result == _HUNG if result else bool(told)


def _result(path: Path) -> str:
    """Return systemd's word once: an end that it did not see must not look like the one before."""
    try:
        with path.open("rb") as file:
            said = file.read(_LONGEST).decode("ascii", errors="replace").strip()
        path.unlink()
    except FileNotFoundError:
        return ""
    except OSError as exc:
        log.warning("how the process before ended cannot be read: %s", exc)
        return ""
    return said
