"""Where an alarm stands on the page, and what is said beside it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatehouse.texts import _
from gatehouse_district.desk import words
from gatehouse_district.desk.strangers import cut
from gatehouse_district.desk.times import unix_ms
from gatehouse_district.model import Alarm, Picture, Stage

WAITING: Final = "waiting"
PRACTICE: Final = "practice"
ANSWERED: Final = "answered"
PAST: Final = "past"
SECTIONS: Final = (WAITING, PRACTICE, ANSWERED, PAST)
DAY_MS: Final = 24 * 3600 * 1000
_FAR_MS: Final = 10**15


@dataclass(frozen=True, slots=True)
class Seen:
    """An alarm with the pictures that stand beside it on the first page, in the order of time."""

    alarm: Alarm
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What every page says of the alarms."""

    waiting: int = 0
    practice: int = 0
    newest: str = ""
    """Id of the newest real alarm, answered or not; empty when there is none."""
    newest_ms: int = 0
    newest_place: str = ""
    oldest_ms: int | None = None
    """Since when the one waits that waits longest."""


def section(alarm: Alarm) -> str:
    """Return where an alarm stands; a mode that nobody knows counts as real."""
    if alarm.stage is Stage.RESET:
        return PAST
    if alarm.mode in {"drill", "test"}:
        return PRACTICE
    return WAITING if alarm.stage is Stage.RECEIVED else ANSWERED


def began_ms(alarm: Alarm) -> int:
    """Return from when its age counts: by the district's clock where the gateway's was not set.

    A gateway whose clock runs ahead or far behind is not believed more than the arrival.
    """
    arrived = unix_ms(alarm.arrived) or 0
    pressed = None if alarm.clock == "unsynced" else unix_ms(alarm.time)
    return arrived if pressed is None or pressed > arrived else pressed


def order(alarm: Alarm) -> str:
    """Return what to sort by within a section: what arrived last comes first."""
    return f"{_FAR_MS - (unix_ms(alarm.arrived) or 0):016d} {cut(alarm.id, 64)}"


def of_the_day(alarm: Alarm, now_ms: int) -> bool:
    """Whether an alarm belongs on the first page: what is not reset does, of any kind and age.

    A drill that nobody resets keeps the lamp at the school as an alarm does.
    """
    if alarm.stage is not Stage.RESET:
        return True
    last = max(unix_ms(alarm.arrived) or 0, unix_ms(alarm.reset) or 0)
    return now_ms - last < DAY_MS


def place(alarm: Alarm) -> str:
    """Say where it is, in one line."""
    where = cut(alarm.location, 60) or cut(alarm.button, 32)
    return f"{cut(alarm.school, 60) or cut(alarm.gateway, 64)}, {where}"


def in_time(pictures: Sequence[Picture]) -> list[Picture]:
    """Return pictures in the order in which they were taken."""
    return sorted(
        pictures, key=lambda each: (unix_ms(each.taken or each.arrived) or 0, each.number)
    )


def remarks(alarm: Alarm) -> list[str]:
    """Say what must be known beside the place."""
    said: list[str] = []
    if alarm.presses > 1:
        said.append(_("pressed {n} times").format(n=alarm.presses))
    if alarm.held_at_start:
        said.append(_("the button was pressed already when the gateway started"))
    if alarm.clock == "unsynced":
        said.append(_("the gateway's clock was not set: counted from its arrival here"))
    if alarm.clock == "corrected":
        said.append(_("time put right afterwards"))
    if alarm.mode not in {"real", "test", "drill"}:
        said.append(_("unknown mode {mode}").format(mode=cut(alarm.mode, 20)))
    if alarm.odd:
        said.append(_("does not fit the contract: {odd}").format(odd=cut(alarm.odd, 120)))
    return said


def answered(alarm: Alarm) -> str:
    """Say who answered."""
    if not alarm.acknowledged_by:
        return ""
    return _("answered by {name}").format(name=cut(alarm.acknowledged_by, 60))


def ended(alarm: Alarm) -> str:
    """Say who reset it, and why."""
    if alarm.stage is not Stage.RESET:
        return ""
    why = cut(words.reason(alarm.reset_reason), 40)
    by = cut(alarm.reset_by, 60)
    if not by or by in {"key", "button"}:
        return _("reset on site ({reason})").format(reason=why)
    return _("reset on site by {name} ({reason})").format(name=by, reason=why)


def summary(alarms: Sequence[Alarm]) -> Summary:
    """Say how many wait, and which is the newest."""
    real = [each for each in alarms if each.mode not in {"drill", "test"}]
    waiting = [each for each in real if section(each) == WAITING]
    newest = max(real, key=lambda each: (unix_ms(each.arrived) or 0, each.id), default=None)
    return Summary(
        waiting=len(waiting),
        practice=sum(section(each) == PRACTICE and each.stage is Stage.RECEIVED for each in alarms),
        newest=newest.id if newest else "",
        newest_ms=(unix_ms(newest.arrived) or 0) if newest else 0,
        newest_place=place(newest) if newest else "",
        oldest_ms=min(map(began_ms, waiting), default=None),
    )
