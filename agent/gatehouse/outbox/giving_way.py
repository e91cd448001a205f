"""Which events give way where there are too many, told and counted as one fault. Pure."""

from typing import Final

from gatehouse.outbox.memory import MOST_OTHERS, Memory
from gatehouse.outbox.model import Limits, Pending
from gatehouse.outbox.queue import Queue
from gatehouse.outbox.trouble import Tell

FAULT: Final = "outbox-full"
_NAMED: Final = 50
_ROOMY: Final = 0.9


class GivingWay:
    """Keeps the queue and the memory within their limits."""

    def __init__(self, queue: Queue, memory: Memory, limits: Limits, tell: Tell) -> None:
        self._queue = queue
        self._memory = memory
        self._limits = limits
        self._tell = tell
        self._dropped = 0

    def make_room(self) -> tuple[str, ...]:
        """Drop the least important of what is too much; returns the ids."""
        dropped = self._queue.make_room(self._limits.pending, self._limits.pending_bytes)
        for entry in dropped:
            self._memory.gave_way(entry.id)
        unsent: list[Pending] = []
        ids = [entry.id for entry in dropped]
        for event_id in self._memory.shed():
            ids.append(event_id)
            if (waited := self._queue.done(event_id)) is not None:
                unsent.append(waited)
        return self._count(ids, [*dropped, *unsent])

    def _count(self, ids: list[str], lost: list[Pending]) -> tuple[str, ...]:
        """Count what the district never gets; what it has already is lost to the log alone."""
        if lost:
            first = self._dropped == 0
            self._dropped += len(lost)
            if first:
                named = [entry.sequence for entry in lost[:_NAMED]]
                self._tell(FAULT, True, {"dropped": len(lost), "sequences": named})
        return tuple(ids)

    def end(self) -> None:
        """Tell that there is room again, and how many were dropped in all."""
        limits, queue = self._limits, self._queue
        if (
            self._dropped
            and queue.others < _ROOMY * limits.pending
            and queue.other_bytes < _ROOMY * limits.pending_bytes
            and self._memory.others < _ROOMY * MOST_OTHERS
        ):
            total, self._dropped = self._dropped, 0
            self._tell(FAULT, False, {"dropped": total})
