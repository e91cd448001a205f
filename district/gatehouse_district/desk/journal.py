"""Who did what, from where, on what, when, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gatehouse.clock import Clock
from gatehouse_district.desk.storage import Connection, Storage

DONE: Final = "done"
REFUSED: Final = "refused"
_LENGTH: Final = 200
_KEPT: Final = 1_000_000
"""Lines; at 250 bytes each a quarter of a gigabyte. The oldest go first."""
_TRIM_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Action:
    """One action, before it has a time."""

    who: str
    """The account; of a failed sign-in what was typed."""
    address: str
    action: str
    """A word: ``sign-in``, ``acknowledge``, ``snapshot``, …"""
    target: str = ""
    outcome: str = DONE
    """``done`` or ``refused``."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal; its time is in whole seconds since 1970, UTC."""

    position: int
    at_s: int
    action: Action


def write(db: Connection, now_s: int, action: Action) -> None:
    """Add one line, in the transaction that is open: strangers' texts are cut, not refused."""
    texts = [
        "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text[:_LENGTH])
        for text in (
            action.who,
            action.address,
            action.action,
            action.target,
            action.outcome,
            action.detail,
        )
    ]
    position = db.execute(
        "INSERT INTO journal (at_s, who, address, action, target, outcome, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (now_s, *texts),
    ).lastrowid
    if position is not None and position % _TRIM_EVERY == 0:
        db.execute("DELETE FROM journal WHERE position <= ?", (position - _KEPT,))


class Journal:
    """The journal, to read and to write."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def note(self, action: Action) -> None:
        """Write one action down: on disk when this returns. Raises DistrictStoreError."""
        now_s = self._clock.reading().unix_ns // 10**9
        await self._storage.run(lambda db: write(db, now_s, action))

    async def lines(self, *, limit: int = 100, before: int | None = None) -> Sequence[Line]:
        """Return lines, the newest first; ``before`` is a position. Raises DistrictStoreError."""
        rows = await self._storage.run(
            lambda db: db.execute(
                "SELECT position, at_s, who, address, action, target, outcome, detail FROM journal"
                " WHERE position < ? ORDER BY position DESC LIMIT ?",
                (2**62 if before is None else before, limit),
            ).fetchall()
        )
        return [Line(row[0], row[1], Action(*row[2:])) for row in rows]
