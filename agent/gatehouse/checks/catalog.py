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
