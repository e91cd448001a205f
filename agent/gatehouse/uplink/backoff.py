"""How long to wait before trying again. Pure: randomness and time are handed in."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Jitter:
    """Decorrelated jitter: between ``least_s`` and three times the last wait, ``most_s`` at most.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. A thousand gateways that
    lost the same broker do not come back together.
    """

    least_s: float
    most_s: float
    random: Callable[[], float]
    _last_s: float = field(default=0.0, init=False)

    def next_s(self) -> float:
        """Return the next wait in seconds."""
        top = max(self.least_s, self._last_s) * 3
        self._last_s = min(self.most_s, self.least_s + self.random() * (top - self.least_s))
        return self._last_s

    def reset(self) -> None:
        """Begin anew: the connection was stable."""
        self._last_s = 0.0


def doubling(first_s: float, most_s: float, attempt: int) -> float:
    """Return the wait after the ``attempt``-th try (from 0): ``first_s`` doubling to ``most_s``."""
    return min(most_s, first_s * 2.0 ** min(attempt, 30))
