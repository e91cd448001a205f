"""How long presses took to each stage, since the service started. Pure."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

KEPT: Final = 1000
"""Presses from which percentiles are taken; ``n`` and ``max`` count all."""


@dataclass(slots=True)
class Latency:
    """The times of one stage, in ms after the edge."""

    n: int = 0
    max: float = 0.0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, ms: float) -> None:
        """Count one press."""
        self.n += 1
        self.max = max(self.max, ms)
        self._recent.append(ms)

    def summary(self) -> dict[str, float | int | None]:
        """Return n, p50, p99 and max; None before the first press."""
        if not self.n:
            return {"n": 0, "p50": None, "p99": None, "max": None}
        ordered = sorted(self._recent)
        return {
            "n": self.n,
            "p50": round(_percentile(ordered, 0.50), 3),
            "p99": round(_percentile(ordered, 0.99), 3),
            "max": round(self.max, 3),
        }


def _percentile(ordered: list[float], share: float) -> float:
    """Take the nearest-rank percentile of sorted values."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Latencies:
    """The three stages that a press goes through without a person."""

    def __init__(self) -> None:
        self._stages = {name: Latency() for name in ("stored", "sent", "received")}
        self._raised: dict[str, tuple[int, set[str]]] = {}

    def raised(self, alarm_id: str, edge_ns: int) -> None:
        """Start the clock of one press at its edge."""
        if len(self._raised) >= KEPT:  # never received: forget the oldest, it is counted as overdue
            self._raised.pop(next(iter(self._raised)))
        self._raised[alarm_id] = (edge_ns, set(self._stages))

    def reached(self, alarm_id: str, stage: str, at_ns: int) -> float | None:
        """Note a stage once; returns the ms it took, None for presses of another start."""
        if alarm_id not in self._raised:
            return None
        edge_ns, missing = self._raised[alarm_id]
        if stage not in missing:
            return None
        missing.discard(stage)
        if not missing:
            del self._raised[alarm_id]
        ms = (at_ns - edge_ns) / 1e6
        self._stages[stage].add(ms)
        return ms

    def summary(self) -> dict[str, dict[str, float | int | None]]:
        """Return the document of `gatehouse status`, ``latency_ms``."""
        return {name: latency.summary() for name, latency in self._stages.items()}
