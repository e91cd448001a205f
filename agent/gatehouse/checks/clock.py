"""The clock: set by whom, how far off at most, and whether it survives a power cut."""

from typing import Final

from gatehouse.checks.context import Context, Machine
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, ok, warn
from gatehouse.checks.text import Text, say
from gatehouse.clock import Clock
from gatehouse.texts import N_

_SOURCES: Final = (
    ("run/chrony", "chrony"),
    ("run/systemd/timesync/synchronized", "systemd-timesyncd"),
    ("run/ntpd.pid", "ntpd"),
    ("run/ntpsec", "ntpsec"),
)
_OLD_S: Final = 1_700_000_000
"""November 2023: a battery clock before it was never set, or has lost its battery."""
_APART_S: Final = 60
_FAR_S: Final = 1.0


def _look(context: Context) -> Findings:
    return [_set(context.machine, context.clock), _battery(context.machine, context.clock)]


def _set(machine: Machine, clock: Clock) -> Finding:
    source = next((name for path, name in _SOURCES if machine.there(path)), None)
    server = say(N_("set a time server that can be reached (timedatectl timesync-status)"))
    if not clock.synced():
        return fail(say(N_("not set by a time server")), server)
    by: object = source or say(N_("unknown source"))
    error_s = machine.error_s()
    if error_s is None:
        return fine(N_("set by {source}"), source=by)
    figure = say(N_("set by {source}, off by at most {off}"), source=by, off=_off(error_s))
    return warn(figure, server) if error_s > _FAR_S else ok(figure)


def _off(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _battery(machine: Machine, clock: Clock) -> Finding:
    """Look at the machine's battery clock; a Pi 5 has the chip, its battery is bought apart."""
    fit = say(N_("fit a battery clock (RTC): without one the time is wrong after a power cut"))
    chips = machine.find("sys/class/rtc/rtc*/since_epoch")
    times = [value for chip in chips if (value := machine.number(chip)) is not None]
    if not times:
        return warn(say(N_("no battery clock")), fit)
    now_s = clock.reading().unix_ns // 1_000_000_000
    if max(times) < _OLD_S:
        return warn(say(N_("the battery clock was never set")), _battery_remedy())
    apart_s = abs(max(times) - now_s)
    if apart_s > _APART_S and clock.synced():
        figure = say(N_("the battery clock is off by {seconds} s"), seconds=apart_s)
        return warn(figure, _battery_remedy())
    return fine(N_("battery clock there"))


def _battery_remedy() -> Text:
    return say(N_("set it (hwclock --systohc), and look at its battery"))


CHECK: Final = Check.beside("clock", N_("clock"), 5.0, _look)
