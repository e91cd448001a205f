"""What the demo saw of each press, and whether every step was seen. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gatehouse.texts import N_

STAGES: Final = (N_("stored"), N_("sent"), N_("received"), N_("acknowledged"))
FOLLOWED: Final = (N_("raised"), *STAGES)
"""What the agent's stream names, from the moment in which it made an alarm of a press."""


@dataclass(slots=True)
class Press:
    """One press of a button: its edge (CLOCK_MONOTONIC, ns), its alarm and its stages."""

    label: str
    edge_ns: int
    alarm: str = ""
    reached: dict[str, int] = field(default_factory=dict)

    def ms(self, stage: str) -> float | None:
        """Return how long after the edge a stage was reached, in ms; None if it was not."""
        at_ns = self.reached.get(stage)
        return None if at_ns is None else (at_ns - self.edge_ns) / 1e6


@dataclass(slots=True)
class Step:
    """One thing that had to be seen."""

    what: str
    seen: bool
    ms: float | None = None


@dataclass(slots=True)
class Timeline:
    """The whole scenario as it went."""

    presses: list[Press] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def press(self, label: str, edge_ns: int, alarm: str) -> Press:
        """Note a press."""
        made = Press(label, edge_ns, alarm)
        self.presses.append(made)
        return made

    def step(self, what: str, seen: bool, ms: float | None = None) -> Step:
        """Note a step."""
        made = Step(what, seen, ms)
        self.steps.append(made)
        return made

    def stage(self, alarm: str, stage: str, at_ns: int) -> None:
        """Note how far an alarm got; the first time counts."""
        for press in self.presses:
            if press.alarm == alarm:
                press.reached.setdefault(stage, at_ns)

    def missing(self) -> Iterator[str]:
        """Yield every step that was not seen."""
        for step in self.steps:
            if not step.seen:
                yield step.what
