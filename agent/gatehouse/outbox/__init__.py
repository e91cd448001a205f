"""What must reach the district, kept until it has."""

from gatehouse.outbox.model import LogEntry, Opening, Pending, StandingAlarm, Trouble
from gatehouse.outbox.outbox import Limits, Outbox

__all__ = ["Limits", "LogEntry", "Opening", "Outbox", "Pending", "StandingAlarm", "Trouble"]
