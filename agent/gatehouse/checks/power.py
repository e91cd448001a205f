"""Power and heat: what the Pi's firmware says of its supply, and how warm it is."""

import re
from typing import Final

from gatehouse.checks.context import Context, Machine
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing, ok, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_

UNDER_VOLTAGE: Final = "under-voltage"
OVERHEATED: Final = "overheated"
HOT_C: Final = 75.0
TOO_HOT_C: Final = 82.0
"""The firmware slows a Pi down from 80 °C on, and at 85 °C for good."""

_NOW: Final = 1 << 0
_SLOWED: Final = 1 << 2
_BEFORE: Final = 1 << 16
_THROTTLED: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"


def _look(context: Context) -> Findings:
    machine = context.machine
    found = [*_supply(machine), *_heat(machine)]
    if not found:
        return [nothing(N_("no Raspberry Pi: its supply and temperature cannot be read"))]
    return found


def _supply(machine: Machine) -> list[Finding]:
    bits = _throttled(machine)
    if bits is None:
        alarm = _hwmon(machine)
        if alarm is None:
            return []
        bits = _NOW if alarm else 0
    supply = say(N_("use the Pi's own power supply and a short, thick cable"))
    if bits & _NOW:
        return [fail(say(N_("under-voltage now")), supply, UNDER_VOLTAGE)]
    if bits & _BEFORE:
        return [warn(say(N_("under-voltage since the last boot")), supply)]
    if bits & _SLOWED:
        figure = say(N_("the processor is slowed down"))
        return [warn(figure, say(N_("cool the box: let air through, keep it out of the sun")))]
    return [fine(N_("supply fine"))]


def _throttled(machine: Machine) -> int | None:
    """Return the firmware's bits (vcgencmd's documentation), None where nobody tells them."""
    bits = machine.number(_THROTTLED, 16)
    if bits is not None:
        return bits
    if "Raspberry Pi" not in (machine.read("proc/device-tree/model") or ""):
        return None
    said = machine.command(["vcgencmd", "get_throttled"]) or ""
    found = re.search(r"throttled=0x([0-9a-fA-F]+)", said)
    return int(found[1], 16) if found else None


def _hwmon(machine: Machine) -> bool | None:
    """Return whether the driver raspberrypi-hwmon sees too low a voltage; None without it."""
    for name in machine.find("sys/class/hwmon/hwmon*/name"):
        if machine.read(name) == "rpi_volt":
            return machine.number(name.with_name("in0_lcrit_alarm")) == 1
    return None


def _heat(machine: Machine) -> list[Finding]:
    zones = machine.find("sys/class/thermal/thermal_zone*/temp")
    read = [value / 1000 for zone in zones if (value := machine.number(zone)) is not None]
    if not read:
        return []
    figure = say(N_("{degrees} °C"), degrees=f"{max(read):.0f}")
    cool = say(N_("cool the box: let air through, keep it out of the sun"))
    if max(read) >= TOO_HOT_C:
        return [fail(figure, cool, OVERHEATED)]
    if max(read) >= HOT_C:
        return [warn(figure, cool)]
    return [ok(figure)]


CHECK: Final = Check.beside("power", N_("power and heat"), 5.0, _look)
