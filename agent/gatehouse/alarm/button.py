"""One button's alarms and how far each got. Pure; times are CLOCK_MONOTONIC in ns."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from gatehouse.events import Mode

_NS: Final = 1_000_000_000
PUBACK_NS: Final = 10 * _NS
"""Without a PUBACK for so long an alarm is undelivered (issue 2)."""
RECEIPT_NS: Final = 30 * _NS
"""Without a receipt for so long an alarm is undelivered (issue 2)."""


class Stage(IntEnum):
    """How far an alarm got, the least advanced first.

    UNDELIVERED also covers the moment before an alarm is stored or sent: the guard is never told
    more than is proven.
    """

    UNDELIVERED = 0
    STORED = 1
    SENT = 2
    RECEIVED = 3
    ACKNOWLEDGED = 4

    @property
    def word(self) -> str:
        """The contract's word for it (section 5)."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm that is not reset, and what is proven of it."""

    id: str
    mode: Mode
    raised_ns: int
    stored: bool = False
    sent: bool = False
    received: bool = False
    acknowledged: bool = False
    overdue: bool = False

    @property
    def stage(self) -> Stage:
        """The stage that these facts prove."""
        if self.acknowledged:
            return Stage.ACKNOWLEDGED
        if self.received:
            return Stage.RECEIVED
        if self.overdue:
            return Stage.UNDELIVERED
        if self.sent:
            return Stage.SENT
        return Stage.STORED if self.stored else Stage.UNDELIVERED


@dataclass(frozen=True, slots=True)
class Button:
    """One button's alarms that are not reset, oldest first.

    ``receipts`` is False where the district sends none: a PUBACK is then all that can be proven.
    """

    name: str
    receipts: bool
    alarms: tuple[Alarm, ...] = ()

    @property
    def stage(self) -> Stage | None:
        """The least advanced of the alarms; None when there is none."""
        return min((alarm.stage for alarm in self.alarms), default=None)

    @property
    def relay(self) -> bool:
        """Whether a real alarm stands: drills and tests do not move the relay."""
        return any(alarm.mode is Mode.REAL for alarm in self.alarms)

    @property
    def walk_test(self) -> bool:
        """Whether a walk test is all that stands: a real alarm beside it must not be heard."""
        modes = {alarm.mode for alarm in self.alarms}
        return Mode.TEST in modes and Mode.REAL not in modes

    def deadline(self) -> int | None:
        """When the next alarm becomes overdue, in ns; None if none will."""
        due = (_due(self, alarm) for alarm in self.alarms)
        return min((at for at in due if at is not None), default=None)


def raised(button: Button, alarm_id: str, mode: Mode, at_ns: int) -> Button:
    """Add an alarm: each press is one of its own, also while an earlier one stands."""
    return replace(button, alarms=(*button.alarms, Alarm(alarm_id, mode, at_ns)))


def moved(button: Button, alarm_id: str, stage: Stage) -> Button:
    """Note that an alarm was stored, sent or received; unknown ids change nothing."""
    change = _PROVEN.get(stage)
    if change is None or all(alarm.id != alarm_id for alarm in button.alarms):
        return button
    return _changed(button, lambda alarm: change(alarm) if alarm.id == alarm_id else alarm)


def acknowledged(button: Button, alarm_id: str) -> Button | None:
    """Note that a person has answered that alarm and so the older ones; None if it is unknown."""
    ids = [alarm.id for alarm in button.alarms]
    if alarm_id not in ids:
        return None
    answered = frozenset(ids[: ids.index(alarm_id) + 1])
    return _changed(
        button, lambda alarm: replace(alarm, acknowledged=True) if alarm.id in answered else alarm
    )


def reset(button: Button) -> tuple[Button, tuple[Alarm, ...]]:
    """End all alarms by hand; returns those that were ended."""
    return replace(button, alarms=()), button.alarms


def ended(button: Button, mode: Mode) -> tuple[Button, tuple[Alarm, ...]]:
    """End the alarms of one mode, and leave the others; returns those that were ended."""
    over = tuple(alarm for alarm in button.alarms if alarm.mode is mode)
    left = tuple(alarm for alarm in button.alarms if alarm.mode is not mode)
    return replace(button, alarms=left), over


def advance(button: Button, now_ns: int) -> Button:
    """Mark what is overdue by now."""

    def aged(alarm: Alarm) -> Alarm:
        due = _due(button, alarm)
        return alarm if due is None or now_ns < due else replace(alarm, overdue=True)

    return _changed(button, aged)


_PROVEN: Final[dict[Stage, Callable[[Alarm], Alarm]]] = {
    Stage.STORED: lambda alarm: replace(alarm, stored=True),
    Stage.SENT: lambda alarm: replace(alarm, sent=True, overdue=False),
    Stage.RECEIVED: lambda alarm: replace(alarm, sent=True, received=True, overdue=False),
}


def _due(button: Button, alarm: Alarm) -> int | None:
    """When an alarm becomes overdue; a late PUBACK gives it until the receipt's time."""
    if alarm.overdue or alarm.received:
        return None
    if not alarm.sent:
        return alarm.raised_ns + PUBACK_NS
    return alarm.raised_ns + RECEIPT_NS if button.receipts else None


def _changed(button: Button, change: Callable[[Alarm], Alarm]) -> Button:
    return replace(button, alarms=tuple(change(alarm) for alarm in button.alarms))
