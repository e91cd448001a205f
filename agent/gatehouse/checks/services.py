"""The services: enabled, running, not restarting; and the hardware watchdog behind systemd."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gatehouse.checks.context import Context, Machine
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_
from gatehouse.threads import off_loop

ALARM: Final = "gatehouse-alarm.service"
VIDEO: Final = "gatehouse-video.service"
TIMER: Final = "gatehouse-selftest.timer"
_PROPERTIES: Final = "Id,LoadState,UnitFileState,ActiveState"
_LIMIT_S: Final = 10.0
_DAY: Final = timedelta(days=1)
_UNWANTED: Final = frozenset({"crash", "watchdog"})
_ENABLED: Final = frozenset({"enabled", "enabled-runtime", "static", "linked", "alias"})


async def _run(context: Context) -> Findings:
    if not context.machine.there("run/systemd/system"):
        return [nothing(N_("systemd does not run here"))]
    units = [ALARM, TIMER, *([VIDEO] if context.config.cameras else [])]
    found = await off_loop(
        lambda: [*_units(context.machine, units), *_watchdog(context.machine)],
        name="check-services",
        timeout_s=_LIMIT_S,
    )
    return [*found, *await _restarts(context)]


def _units(machine: Machine, units: list[str]) -> list[Finding]:
    said = machine.command(["systemctl", "show", "--property", _PROPERTIES, *units])
    if said is None:
        return [nothing(N_("systemctl says nothing"))]
    shown = [
        dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        for part in said.split("\n\n")
    ]
    by_name = {each.get("Id", ""): each for each in shown}
    found = [_unit(unit, by_name.get(unit, {})) for unit in units]
    bad = [finding for finding in found if finding is not None]
    return bad or [fine(N_("{count} units enabled and running"), count=len(units))]


def _unit(unit: str, shown: dict[str, str]) -> Finding | None:
    if shown.get("LoadState") != "loaded":
        figure = say(N_("{unit} is not installed"), unit=unit)
        return fail(figure, say(N_("install the package again: apt install --reinstall gatehouse")))
    if shown.get("UnitFileState") not in _ENABLED:
        figure = say(N_("{unit} does not start at boot"), unit=unit)
        return fail(figure, say(N_("systemctl enable --now {unit}"), unit=unit))
    if shown.get("ActiveState") not in {"active", "reloading"}:
        figure = say(N_("{unit} does not run"), unit=unit)
        return fail(figure, say(N_("see why: journalctl -u {unit}"), unit=unit))
    return None


def _watchdog(machine: Machine) -> list[Finding]:
    states = {path.parent.name: machine.read(path) for path in machine.find(_WATCHDOGS)}
    if not states:
        return [nothing(N_("no hardware watchdog"))]
    armed = next((name for name, state in states.items() if state == "active"), None)
    if armed is None:
        figure = say(N_("hardware watchdog not armed"))
        return [fail(figure, say(N_("set RuntimeWatchdogSec=15 in /etc/systemd/system.conf.d")))]
    seconds = machine.number(f"sys/class/watchdog/{armed}/timeout")
    return [fine(N_("hardware watchdog armed, {seconds} s"), seconds=seconds or "?")]


_WATCHDOGS: Final = "sys/class/watchdog/watchdog*/state"


async def _restarts(context: Context) -> list[Finding]:
    """Count in the event log how often the service did not end by itself, in the last day."""
    answer = await context.ask({"do": "events", "limit": 1000})
    if answer is None:
        return []
    now = datetime.fromtimestamp(context.clock.reading().unix_ns // 1_000_000_000, UTC)
    count = sum(_fell(event, now) for event in answer.get("events") or ())
    if not count:
        return []
    figure = say(N_("the alarm service fell {count} times in 24 h"), count=count)
    return [warn(figure, say(N_("see why: journalctl -u {unit}"), unit=ALARM))]


def _fell(event: dict[str, Any], now: datetime) -> bool:
    if event.get("type") != "gatehouse.gateway.started":
        return False
    if (event.get("data") or {}).get("reason") not in _UNWANTED:
        return False
    try:
        return now - datetime.fromisoformat(str(event.get("time"))) < _DAY
    except (ValueError, TypeError):
        return False


CHECK: Final = Check("services", N_("services"), _LIMIT_S, _run)
