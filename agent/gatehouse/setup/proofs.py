"""What was proven, and how long each proof may wait."""

from dataclasses import dataclass
from typing import Protocol

from gatehouse.unproven import Unproven


@dataclass(frozen=True, slots=True)
class Proof:
    """How one proof ended: of ``button/gate``, what, and why it is not proven (None: it is).

    ``kept``: whether the status shows it until it is proven. What a service looks at all the time
    (cameras, the clock) is told by that service's own faults instead.
    """

    subject: str
    what: str
    why: str | None = None
    kept: bool = True

    def unproven(self) -> Unproven | None:
        """Return what the status is to show."""
        if self.why is None or not self.kept:
            return None
        return Unproven(self.subject, self.what, self.why)


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that each step waits, in s; a replaced gateway is proven within 15 minutes."""

    presses_s: float = 600.0
    """For all buttons together, in any order: a school is walked once."""
    press_s: float = 60.0
    """For the one button that was just described, when questions are asked."""
    relay_s: float = 2.0
    """How long a relay is closed, when somebody has agreed to that."""
    brokers_s: float = 30.0
    """For all brokers, which are tried at once."""
    cameras_s: float = 10.0
    """For all cameras, which are tried at once."""
    command_s: float = 15.0
    """For each of the commands that set the clock."""
    commands: int = 5

    @property
    def total_s(self) -> float:
        """The longest that a setup from an answers file waits in all."""
        return self.presses_s + self.brokers_s + self.cameras_s + self.commands * self.command_s


class Screen(Protocol):
    """The technician's screen and keyboard; tests hand in their own."""

    def say(self, text: str = "") -> None:
        """Show a line or more."""

    def verbatim(self, text: str) -> None:
        """Show a command or a path, which is copied: no line breaks are put into it."""

    def ask(self, question: str) -> str:
        """Ask and return what was typed, stripped. Raises EOFError when nobody will answer."""
