"""A district that keeps everything on disk, and misbehaves when told to.

It stands in for the platform behind the broker: it stores every event before it sends a receipt,
knows what it lacks, acknowledges, and can refuse, delay, double, forget and go away.
"""

from gatehouse_district.receiver.heard import Record, Reply, State
from gatehouse_district.receiver.lacking import missing
from gatehouse_sim.district.district import District
from gatehouse_sim.district.manners import MALFORMED, Manners

__all__ = ["MALFORMED", "District", "Manners", "Record", "Reply", "State", "missing"]
