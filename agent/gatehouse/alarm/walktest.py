"""A walk test: the first press of each named button is a test, followed to the district. Pure.

Times are CLOCK_MONOTONIC in ns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gatehouse.alarm.button import Stage

LONGEST_S: Final = 3600
"""Longer than a walk through a large school; what it covers is one press a button all the same."""

_NS: Final = 1_000_000_000
ANSWER_NS: Final = 30 * _NS
"""How long an alarm that the district has waits for a person's answer before it is reset."""
SHOWN_NS: Final = 5 * _NS
"""How long an answer stays on the lamp before the alarm is reset."""

_STAGES: Final = (Stage.STORED, Stage.SENT, Stage.RECEIVED, Stage.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Press:
    """The one press of a button that is a test, its alarm, and when that reached each stage."""

    at_ns: int
    alarm: str | None = None
    reached: Mapping[Stage, int] = field(default_factory=dict)

    def took_ms(self, stage: Stage) -> float | None:
        """Return how long it took from the contact's closing to a stage, in ms."""
        at_ns = self.reached.get(stage)
        return None if at_ns is None else round(max(0, at_ns - self.at_ns) / 1e6, 3)


@dataclass(frozen=True, slots=True)
class Walk:
    """The buttons to be walked, from when to when, and what was seen of each.

    ``receipts`` is False where the district sends none: a PUBACK is then all that can be proven.
    """

    buttons: tuple[str, ...]
    from_ns: int
    until_ns: int
    receipts: bool = True
    presses: Mapping[str, Press] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()
    """Buttons that were seen open: a cut wire, or a press through a cut conductor."""

    def covers(self, button: str, at_ns: int) -> bool:
        """Whether a press of this button at that time is the test: only its first one is."""
        waits = button in self.buttons and button not in self.presses
        return waits and self.from_ns <= at_ns < self.until_ns

    @property
    def waiting(self) -> tuple[str, ...]:
        """The buttons whose next press is still a test."""
        return tuple(name for name in self.buttons if name not in self.presses)

    def done(self, button: str) -> bool:
        """Whether the press of this button is proven as far as this district proves any."""
        press = self.presses.get(button)
        last = Stage.RECEIVED if self.receipts else Stage.SENT
        return press is not None and last in press.reached

    def reset_ns(self, button: str) -> int | None:
        """Return from when on this button's alarm is to be reset; None: it is not proven yet.

        A technician alone, with both hands and no phone at the ear, must see at the lamp what came
        of the press, and must not have to come back to reset it: so it stays until a person had
        time to answer, or, answered, for a few seconds. One that was never received stays until
        the walk ends: the lamp would seem to say that all is well.
        """
        if not self.done(button):
            return None
        reached = self.presses[button].reached
        if (answered_ns := reached.get(Stage.ACKNOWLEDGED)) is not None:
            return answered_ns + SHOWN_NS
        return reached[Stage.RECEIVED if self.receipts else Stage.SENT] + ANSWER_NS

    def result(self, button: str) -> str:
        """Return the report's word for a button."""
        if self.done(button):
            return "OK"
        return "FAIL" if button in self.presses or button in self.cut else "NOT WALKED"

    def row(self, button: str) -> dict[str, Any]:
        """Return the report's row for a button."""
        press = self.presses.get(button)
        took = {
            f"{stage.word}_ms": None if press is None else press.took_ms(stage) for stage in _STAGES
        }
        alarm = None if press is None else press.alarm
        said = {"name": button, "result": self.result(button), "line_open": button in self.cut}
        return {**said, "alarm": alarm, **took}


def pressed(walk: Walk, button: str, at_ns: int) -> Walk:
    """Take the button's one press: its next one is real."""
    return replace(walk, presses={**walk.presses, button: Press(at_ns)})


def raised(walk: Walk, alarm_id: str, at_ns: int) -> Walk:
    """Note which alarm a press became; each is known by the time of its first edge."""
    for name, press in walk.presses.items():
        if press.alarm is None and press.at_ns == at_ns:
            return replace(walk, presses={**walk.presses, name: replace(press, alarm=alarm_id)})
    return walk


def moved(walk: Walk, alarm_id: str, stage: Stage, at_ns: int) -> Walk:
    """Note that an alarm reached a stage, the first time; others than the walk's change nothing."""
    for name, press in walk.presses.items():
        if press.alarm == alarm_id and stage not in press.reached:
            further = replace(press, reached={**press.reached, stage: at_ns})
            return replace(walk, presses={**walk.presses, name: further})
    return walk


def seen_open(walk: Walk, button: str) -> Walk:
    """Note that a button's line was open."""
    return walk if button in walk.cut else replace(walk, cut=walk.cut | {button})
