"""How much may be under way on one connection. Pure: time is handed in.

Counted in messages, because a broker's Receive Maximum is (MQTT 5 section 3.3.4), and in bytes,
because on a slow line twenty messages can hold an alarm up for seconds.
"""

from collections import deque
from typing import Final

LIMIT: Final = 20
"""Messages under way: an alarm in a drain waits 1.4 ms behind 20, 12 ms behind 100 (design 3)."""

MEMORY_S: Final = 0.25
"""What was acknowledged in the last so many seconds may be under way again."""

GROWTH_BYTES: Final = 2048
"""Besides that, so that the window grows on a line with a long round trip; four small events."""


class Window:
    """What is under way without a PUBACK, and whether more may follow."""

    def __init__(self, receive_maximum: int, limit: int = LIMIT) -> None:
        self._receive_maximum = receive_maximum
        self._backlog = max(1, min(limit, receive_maximum) - 1)  # one slot is kept for a live press
        self._count = 0
        self._alarms = 0
        self._bytes = 0
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_bytes = 0

    @property
    def count(self) -> int:
        """Messages under way."""
        return self._count

    def admits(self, size: int, now_s: float, *, alarm: bool = False) -> bool:
        """Whether a waiting message of so many bytes may go; others pause while an alarm is out."""
        if self._count >= self._backlog or (self._alarms and not alarm):
            return False
        if self._count == 0:
            return True
        self._forget(now_s)
        return self._bytes + size <= self._recent_bytes + GROWTH_BYTES

    def admits_picture(self) -> bool:
        """Whether a picture may go: nothing is under way, and beside it a live press still may."""
        return self._count == 0 and self._receive_maximum > 1

    def admits_press(self) -> bool:
        """Whether a live press may go: always, but for the broker's own Receive Maximum."""
        return self._count < self._receive_maximum

    def sent(self, size: int, *, alarm: bool = False) -> None:
        """Note that a message went out."""
        self._count += 1
        self._alarms += alarm
        self._bytes += size

    def acknowledged(self, size: int, now_s: float, *, alarm: bool = False) -> None:
        """Note that its PUBACK came."""
        self._count -= 1
        self._alarms -= alarm
        self._bytes -= size
        self._recent.append((now_s, size))
        self._recent_bytes += size
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        recent = self._recent
        while recent and recent[0][0] < now_s - MEMORY_S:
            self._recent_bytes -= recent.popleft()[1]
