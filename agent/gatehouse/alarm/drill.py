"""A drill covers one press of each named button, and never longer than half an hour. Pure."""

from dataclasses import dataclass, replace
from typing import Final

LONGEST_S: Final = 30 * 60
"""Contract section 1: a drill lasts 30 minutes at most."""


@dataclass(frozen=True, slots=True)
class Drill:
    """The buttons whose next press is still a drill, from when to when (CLOCK_MONOTONIC, ns)."""

    buttons: tuple[str, ...]
    from_ns: int
    until_ns: int

    def covers(self, button: str, at_ns: int) -> bool:
        """Whether a press of this button at that time is a drill."""
        return button in self.buttons and self.from_ns <= at_ns < self.until_ns

    def over(self, now_ns: int) -> str | None:
        """Return why the drill is over, or None while it goes on."""
        if not self.buttons:
            return "complete"
        return "expired" if now_ns >= self.until_ns else None


def pressed(drill: Drill, button: str) -> Drill:
    """Take the button out: its next press is real."""
    return replace(drill, buttons=tuple(name for name in drill.buttons if name != button))
