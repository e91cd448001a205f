"""What the writer does while nothing waits, little by little: the WAL, the room, the log's age."""

from dataclasses import dataclass
from typing import Final

from gatehouse.clock import Clock
from gatehouse.outbox.store import Store

_QUIET_S: Final = 0.25
_NEXT_S: Final = 0.02
_HOUR_S: Final = 3600.0
_PRUNE_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much of the log is kept: seconds and bytes."""

    seconds: float
    bytes: int


def horizon(last: float | None, before: float, *, synced: bool) -> float | None:
    """Return up to which Unix time the log may be deleted; None while nothing may be, by its age.

    It moves at most twice as fast as time does, from one hour to the next: a clock that is a year
    ahead for a day must not delete the year. While the clock is unset it does not move.
    """
    if last is None:
        return before if synced else None
    if not synced or before < last:
        return last
    return min(before, last + 2 * _HOUR_S)


class Upkeep:
    """Knows what is due; does one small thing when asked."""

    def __init__(self, keeping: Keeping, clock: Clock) -> None:
        self._keeping = keeping
        self._clock = clock
        self._next_s = 0.0
        self._prune_s = self._now_s() + _HOUR_S
        self._to_checkpoint = False
        self._to_restock = True

    def wrote(self) -> None:
        """Orders were carried out: tidy up once it is quiet."""
        self._to_checkpoint = self._to_restock = True
        self._next_s = self._now_s() + _QUIET_S

    def left_s(self, now_s: float) -> float:
        """How long nothing is due."""
        return max(0.0, self._next_s - now_s)

    def step(self, store: Store) -> None:
        """Do the next thing. Raises OutboxError; it is not due again at once."""
        now_s = self._now_s()
        self._next_s = now_s + _QUIET_S
        if self._to_restock:
            self._to_restock = store.room.restock()
            self._to_checkpoint |= self._to_restock
        elif self._to_checkpoint:
            store.checkpoint()
            self._to_checkpoint = False
        elif now_s >= self._prune_s and self._prune(store) < _PRUNE_ROWS:
            self._prune_s = now_s + _HOUR_S
        more = self._to_restock or self._to_checkpoint
        self._next_s = now_s + _NEXT_S if more or now_s >= self._prune_s else self._prune_s

    def _prune(self, store: Store) -> int:
        noted = store.meta("horizon")
        last = None if noted is None else float(noted)
        before = self._clock.reading().unix_ns / 1e9 - self._keeping.seconds
        until = horizon(last, before, synced=self._clock.synced())
        if until is not None and until != last:
            store.set_meta("horizon", repr(until))
        self._to_checkpoint = True
        return store.prune(0.0 if until is None else until, self._keeping.bytes, _PRUNE_ROWS)

    def _now_s(self) -> float:
        return self._clock.reading().monotonic_ns / 1e9
