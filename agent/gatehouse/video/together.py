"""Whether cameras went blind one by one or all at once. Pure; times are CLOCK_MONOTONIC in ns.

A switch that lost its power is one fault of the gateway, not twenty of cameras (issue 3).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

LOSSES: Final = frozenset({"unreachable", "stalled"})
"""Faults that a common cause (switch, cable, power, the machine itself) gives to every camera."""

HOLD_NS: Final = 8_000_000_000
"""How long a loss is held back, to see whether the others follow. A stall is found after 10 s of
silence, so one camera's loss is still told within 20 s; cameras behind one switch stop together,
and their eyes find it within some seconds of each other."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One camera as its eye sees it: a fault of the contract or None, and since when."""

    name: str
    fault: str | None
    since_ns: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be told: ``held`` cameras are told neither faulty nor well for now."""

    systemic: bool = False
    held: frozenset[str] = frozenset()
    due_ns: int | None = None
    """When to judge again though nothing changed."""


def judge(
    sights: Collection[Sight], before: Judgement, told: Collection[str], now_ns: int
) -> Judgement:
    """Judge the losses of all cameras; ``told`` are those whose loss the district knows of."""
    lost = [sight for sight in sights if sight.fault in LOSSES]
    fresh = [sight for sight in lost if sight.name not in told]
    all_lost = len(lost) == len(sights) >= 2
    if before.systemic and all_lost:
        return Judgement(systemic=True, held=frozenset(s.name for s in fresh))
    if all_lost and len(fresh) >= 2 and _together(fresh):
        return Judgement(systemic=True, held=frozenset(s.name for s in fresh))
    if len(sights) < 2:
        return Judgement()
    held = [sight for sight in fresh if now_ns < sight.since_ns + HOLD_NS]
    due = min((sight.since_ns + HOLD_NS for sight in held), default=None)
    return Judgement(held=frozenset(s.name for s in held), due_ns=due)


def _together(fresh: Collection[Sight]) -> bool:
    """Whether these losses began within the hold time of each other."""
    began = [sight.since_ns for sight in fresh]
    return max(began) - min(began) < HOLD_NS
