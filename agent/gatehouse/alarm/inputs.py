"""One simple input (key switch, lid, mains): a level counts once it has been steady. Pure."""

from dataclasses import dataclass, replace
from typing import Final

SETTLE_NS: Final = 50_000_000
"""How long a level must stand, in ns; switch contacts bounce for 1 to 20 ms (as `debounce_ms`)."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the input is (``closed``), and what it may be about to become (``raw`` since when)."""

    closed: bool
    raw: bool
    since_ns: int

    def deadline(self) -> int | None:
        """When `advance` will change ``closed``, in ns; None when it is steady."""
        return None if self.raw == self.closed else self.since_ns + SETTLE_NS


def advance(state: Input, now_ns: int) -> Input:
    """Let the time pass."""
    due = state.deadline()
    if due is None or now_ns < due:
        return state
    return replace(state, closed=state.raw)


def level(state: Input, *, closed: bool, at_ns: int) -> Input:
    """Take a level that the pin had at ``at_ns``."""
    state = advance(state, at_ns)
    if closed == state.raw:
        return state
    return replace(state, raw=closed, since_ns=at_ns)
