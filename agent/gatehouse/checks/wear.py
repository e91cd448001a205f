"""How worn a disk is: eMMC by sysfs, others by SMART, where there is any. SD cards tell nothing."""

import json
import os
from pathlib import Path
from typing import Final

from gatehouse.checks.context import Context, Machine
from gatehouse.checks.frame import Finding, fail, fine, ok, warn
from gatehouse.checks.text import Text, say
from gatehouse.texts import N_

WORN: Final = "disk-worn"
_OLD_STEP: Final = 8
"""life_time is in steps of 10 % (JEDEC eMMC 5.0, EXT_CSD 268 and 269): 8 is 70 to 80 %."""
_OVER_STEP: Final = 10
_EOL_WARNING: Final = 2
_EOL_URGENT: Final = 3
_SMART: Final = ("sd", "nvme")


def look(context: Context, device: int) -> list[Finding]:
    """Look at the disk with this device number; nothing where it tells nothing."""
    machine = context.machine
    disk = _disk(machine, device)
    if disk is None:
        return []
    return [*_emmc(machine, disk), *([] if context.gentle else _smart(machine, disk.name))]


def _disk(machine: Machine, device: int) -> Path | None:
    """Return the folder of the whole disk in sysfs; None for what is no disk (tmpfs, overlay)."""
    link = machine.root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
    try:
        here = link.resolve(strict=True)
    except OSError:
        return None
    return here.parent if (here / "partition").exists() else here


def _emmc(machine: Machine, disk: Path) -> list[Finding]:
    life = machine.read(disk / "device/life_time")
    if life is None:
        return []
    eol = machine.number(disk / "device/pre_eol_info", 16) or 0
    try:
        step = max(int(part, 16) for part in life.split())
    except ValueError:
        return []
    figure = say(N_("{disk}: life used: {percent} %"), disk=disk.name, percent=step * 10)
    if step > _OVER_STEP or eol >= _EOL_URGENT:
        return [fail(figure, _change(disk.name), WORN)]
    if step >= _OLD_STEP or eol == _EOL_WARNING:
        return [warn(figure, _change(disk.name))]
    return [ok(figure)] if step else []


def _smart(machine: Machine, name: str) -> list[Finding]:
    if not name.startswith(_SMART):
        return []
    said = machine.command(["smartctl", "-j", "-H", f"/dev/{name}"])
    try:
        passed = json.loads(said)["smart_status"]["passed"] if said else None
    except (ValueError, KeyError, TypeError):  # no SMART behind that bridge, or not allowed
        return []
    if passed is False:
        return [fail(say(N_("{disk}: SMART says it fails"), disk=name), _change(name), WORN)]
    return [fine(N_("{disk}: SMART fine"), disk=name)] if passed else []


def _change(name: str) -> Text:
    return say(
        N_("change {disk} soon; the outbox can be copied while the service is stopped"), disk=name
    )
