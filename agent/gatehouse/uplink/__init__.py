"""The way to the district: MQTT 5, receipts, commands."""

from gatehouse.uplink.messages import Birth
from gatehouse.uplink.ports import Hooks, LinkState, LinkStatus
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.uplink import Uplink

__all__ = ["Birth", "Hooks", "LinkState", "LinkStatus", "Timing", "Uplink"]
