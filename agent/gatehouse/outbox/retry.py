"""When to try again what the disk refused. Pure; times are CLOCK_MONOTONIC in s."""

from typing import Final

_LEAST_S: Final = 1.0
_MOST_S: Final = 15.0


class Retry:
    """Doubles its pause with each failure in a row."""

    def __init__(self, least_s: float = _LEAST_S, most_s: float = _MOST_S) -> None:
        self._least_s = least_s
        self._most_s = most_s
        self._pause_s = least_s
        self._at_s: float | None = None

    def failed(self, now_s: float) -> None:
        """Wait before the next try."""
        self._at_s = now_s + self._pause_s
        self._pause_s = min(self._most_s, self._pause_s * 2)

    def succeeded(self) -> None:
        """Begin with the shortest pause again."""
        self._at_s = None
        self._pause_s = self._least_s

    def left_s(self, now_s: float) -> float:
        """How long to wait still."""
        return 0.0 if self._at_s is None else max(0.0, self._at_s - now_s)

    def due(self, now_s: float) -> bool:
        """Whether it may be tried."""
        return not self.left_s(now_s)
