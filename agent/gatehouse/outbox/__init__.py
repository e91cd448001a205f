"""What must reach the district, kept until it has."""

from gatehouse.outbox.model import (
    Limits,
    LogEntry,
    Opening,
    PastEvent,
    Pending,
    StandingAlarm,
    Timing,
    Trouble,
)
from gatehouse.outbox.outbox import Outbox

__all__ = [
    "Limits",
    "LogEntry",
    "Opening",
    "Outbox",
    "PastEvent",
    "Pending",
    "StandingAlarm",
    "Timing",
    "Trouble",
]
