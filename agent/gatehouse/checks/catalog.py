"""All checks, in the order in which a technician wants to know."""

from typing import Final

from gatehouse.checks import (
    broker,
    cameras,
    certificates,
    clock,
    configuration,
    disk,
    district,
    lamps,
    memory,
    outbox,
    power,
    recordings,
    services,
    wear,
    wiring,
)
from gatehouse.checks.frame import Check

ALL: Final[tuple[Check, ...]] = (
    configuration.CHECK,
    wiring.CHECK,
    lamps.CHECK,
    outbox.CHECK,
    disk.CHECK,
    clock.CHECK,
    power.CHECK,
    memory.CHECK,
    certificates.CHECK,
    broker.CHECK,
    district.CHECK,
    cameras.CHECK,
    recordings.CHECK,
    services.CHECK,
)
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
