"""When a child that ended is started again. Pure: randomness and time are handed in."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Restarts:
    """Waits that double from ``first_s`` to ``most_s``, begun anew after ``stable_s`` of life.

    Each is up to a quarter longer by chance, so that the children of one camera, or the cameras
    behind one switch, do not come back in step.
    """

    first_s: float = 1.0
    most_s: float = 30.0
    stable_s: float = 60.0
    random: Callable[[], float] = lambda: 0.0
    _times: int = field(default=0, init=False)

    def next_s(self, lived_s: float) -> float:
        """Return how long to wait after a child that was well for so long."""
        if lived_s >= self.stable_s:
            self._times = 0
        wait_s = min(self.most_s, self.first_s * 2.0 ** min(self._times, 30))
        self._times += 1
        return wait_s * (1 + self.random() / 4)
