"""Whether the disk does its part, told once when it begins to fail and once when it is well. Pure.

Three things can be wrong at once: the file is not open, the disk refuses, the disk hangs.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

FAULT: Final = "outbox-disk"

Tell = Callable[[str, bool, Mapping[str, Any]], None]


class DiskTrouble:
    """Joins what is wrong into one fault."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._wrong: dict[str, str] = {}

    def known(self, what: str, why: str) -> None:
        """Note what was told elsewhere."""
        self._wrong[what] = why

    def set(self, what: str, why: str | None) -> None:
        """Note that this is wrong, and why; or, with None, that it is well."""
        stood = bool(self._wrong)
        if why is None:
            self._wrong.pop(what, None)
        else:
            self._wrong.setdefault(what, why)
        if bool(self._wrong) != stood:
            self._tell(FAULT, not stood, {} if why is None else {"text": why})
