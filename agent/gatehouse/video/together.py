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

GRACE_NS: Final = 60_000_000_000
"""How long cameras may take to follow the first that came back: they boot, each in its own time,
and an eye that failed often tries again only after half a minute."""


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
    back_ns: int | None = None
    """When the first camera came back after a loss of all; None: there is none to wait for."""


def judge(
    sights: Collection[Sight], before: Judgement, told: Collection[str], now_ns: int
) -> Judgement:
    """Judge the losses of all cameras; ``told`` are those whose loss the district knows of."""
    lost = [sight for sight in sights if sight.fault in LOSSES]
    fresh = [sight for sight in lost if sight.name not in told]
    back_ns = _back(before, now_ns)
    if len(lost) == len(sights) >= 2:
        one_cause = before.systemic or back_ns is not None
        if one_cause or (len(fresh) >= 2 and _together(fresh)):
            return Judgement(systemic=True, held=frozenset(s.name for s in fresh))
    if len(sights) < 2 or not lost:
        return Judgement()
    until = {sight.name: _held_until(sight, back_ns) for sight in fresh}
    held = {name: until_ns for name, until_ns in until.items() if now_ns < until_ns}
    return Judgement(held=frozenset(held), due_ns=min(held.values(), default=None), back_ns=back_ns)


def _back(before: Judgement, now_ns: int) -> int | None:
    """Return when the first camera came back, as long as the others may follow."""
    if before.systemic:
        return now_ns
    if before.back_ns is not None and now_ns < before.back_ns + GRACE_NS:
        return before.back_ns
    return None


def _held_until(sight: Sight, back_ns: int | None) -> int:
    """Return until when a loss is held; one that began later is none of that cause."""
    if back_ns is not None and sight.since_ns <= back_ns:
        return max(back_ns + GRACE_NS, sight.since_ns + HOLD_NS)
    return sight.since_ns + HOLD_NS


def _together(fresh: Collection[Sight]) -> bool:
    """Whether these losses began within the hold time of each other."""
    began = [sight.since_ns for sight in fresh]
    return max(began) - min(began) < HOLD_NS
