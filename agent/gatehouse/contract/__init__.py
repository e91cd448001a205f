"""The contract's words as types: what each event's data holds, and every other message.

Imports nothing but the words that all others speak, so that either side of the wire can use it.
"""

from gatehouse.contract.kinds import EVENTS, Kind
from gatehouse.contract.remarks import remarks

__all__ = ["EVENTS", "Kind", "remarks"]
