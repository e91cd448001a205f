"""The checks that are the gateway's health: looked at by the clock, inside the alarm service."""

from typing import Final

from gatehouse.checks import certificates, disk, memory, power, wear
from gatehouse.checks.frame import Check

HEALTH: Final[tuple[Check, ...]] = (
    disk.CHECK,
    power.CHECK,
    memory.CHECK,
    certificates.CHECK,
)
"""What is looked at by the clock: quick, and nothing of it is written, asked or sent."""

FAULTS: Final = {
    disk.CHECK.name: frozenset({disk.SPACE, disk.READ_ONLY, wear.WORN}),
    power.CHECK.name: frozenset({power.UNDER_VOLTAGE, power.OVERHEATED}),
    memory.CHECK.name: frozenset({memory.FAULT}),
    certificates.CHECK.name: frozenset({certificates.EXPIRES}),
}
"""The faults of the gateway that each of them may find."""

FAMILIES: Final = dict.fromkeys(FAULTS[disk.CHECK.name], "disk")
"""Those that are told as another family than ``gateway``: contract section 4, ``disk.fault``."""
