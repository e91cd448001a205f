"""Mistakes in a configuration file, told all at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehouse.errors import GatehouseError

FILE: Final = "file"
"""The section of a mistake that concerns the file as a whole: missing, unreadable, not TOML."""

ALARM_SECTIONS: Final = frozenset({"gateway", "button", "enclosure", "district", FILE})
"""Mistakes in these keep the alarm service from the file (contract section 2)."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: where it stands and what to do about it.

    ``key`` is a path such as ``button "gate".pin``, or ``button[2].pin`` (counted from 1) for a
    table without a good name of its own; empty for the file itself. ``line`` counts from 1 and is
    None where it cannot be told. ``section`` is the top-level table that the mistake counts for.
    """

    key: str
    line: int | None
    message: str
    section: str

    @property
    def stops_alarm(self) -> bool:
        """Whether the alarm service must not run on a file with this mistake."""
        return self.section in ALARM_SECTIONS

    def __str__(self) -> str:
        place = "" if self.line is None else f"line {self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)

    def located(self, path: Path) -> str:
        """Write it as ``FILE:LINE: KEY: MESSAGE``, leaving out what is not known."""
        place = str(path) if self.line is None else f"{path}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigError(GatehouseError, ValueError):
    """A configuration that cannot be used; carries every mistake that was found."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(mistake.located(path) for mistake in self.mistakes))


class KeepError(GatehouseError, OSError):
    """The last good copy of the configuration could not be written."""
