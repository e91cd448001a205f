"""What stood when the service stopped, in the words of the alarm room. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from gatehouse import events
from gatehouse.alarm.button import Alarm
from gatehouse.alarm.channel import Standing
from gatehouse.clock import Reading
from gatehouse.config import Config
from gatehouse.control import reports
from gatehouse.events import Event
from gatehouse.faults import GATEWAY, Fault
from gatehouse.outbox import Opening, StandingAlarm
from gatehouse.service.video_reports import FAULT as VIDEO

FOUND_AT_START: Final = (
    "outbox-damaged",
    "outbox-newer",
    "outbox-start",
    "outbox-disk",
    "outbox-full",
    "outbox-refused",
)
"""Faults of the outbox; what stood of them ends with a start that finds all well."""


def start_reason(
    last: Event | None, bootid: str, *, hung: bool = False, card_reset: bool = False
) -> str:
    """Tell why the service started, from the last event of the start before.

    ``hung``: systemd's watchdog ended the process before (`ending`). ``card_reset``: the hardware
    watchdog says that it started the machine. It may have without saying so: a Pi's forgets.
    """
    if last is None:
        return "first"
    if last.type == events.GATEWAY_STOPPED:
        return "command"
    if last.bootid != bootid:
        return "watchdog" if card_reset else "power"
    return "watchdog" if hung else "crash"


def taken_out(faults: Iterable[Fault], conf: Config) -> tuple[Fault, ...]:
    """Return the faults of buttons and cameras that are no longer configured.

    Without any camera also those of the video service, which then need not run. Nobody would ever
    end them, and the lamps of all others would say "not ready" for good.
    """
    known = {f"button/{button.name}" for button in conf.buttons}
    known |= {f"camera/{camera.name}" for camera in conf.cameras}
    ownerless = frozenset[str]() if conf.cameras else reports.OF_GATEWAY | {VIDEO}
    return tuple(
        fault
        for fault in faults
        if ("/" in fault.subject and fault.subject not in known)
        or (fault.subject == GATEWAY and fault.fault in ownerless)
    )


def by_button(opening: Opening, now: Reading, *, receipts: bool) -> Mapping[str, Standing]:
    """Sort what stood by button name; without receipts nothing is ever `received`."""
    alarms: defaultdict[str, list[StandingAlarm]] = defaultdict(list)
    for alarm in opening.alarms:
        alarms[alarm.button].append(alarm)
    faults: defaultdict[str, set[str]] = defaultdict(set)
    for fault in opening.faults:
        kind, _, name = fault.subject.partition("/")
        if kind == "button":
            faults[name].add(fault.fault)
    return {
        name: _standing(alarms[name], frozenset(faults[name]), now, receipts=receipts)
        for name in alarms.keys() | faults.keys()
    }


def _standing(
    rows: list[StandingAlarm], faults: frozenset[str], now: Reading, *, receipts: bool
) -> Standing:
    newest = rows[-1] if rows else None
    return Standing(
        alarms=tuple(_alarm(row, now, receipts=receipts) for row in rows if not row.reset),
        unreleased=(newest.id, newest.mode) if newest and not newest.released else None,
        last_alarm=newest.id if newest else None,
        faults=faults,
    )


def _alarm(row: StandingAlarm, now: Reading, *, receipts: bool) -> Alarm:
    """Restore an alarm; its age is taken from the wall clock, the only one that spans boots."""
    age_ns = max(0, now.unix_ns - row.raised_unix_ns)
    return Alarm(
        id=row.id,
        mode=row.mode,
        raised_ns=now.monotonic_ns - age_ns,
        stored=True,
        sent=row.sent,
        received=row.received and receipts,
        acknowledged=row.acknowledged,
        overdue=False,
    )
