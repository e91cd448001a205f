"""What a file still knows of the starts before: what waits, the last number, the last event.

All raise what SQLite raises: `Store` says on which file.
"""

from collections.abc import Iterator
from typing import Final

from gatehouse import events
from gatehouse.events import Event, Importance
from gatehouse.outbox import numbers
from gatehouse.outbox.model import Pending
from gatehouse.outbox.sqlite import Connection

_FAREWELL_ROWS: Final = 20
"""How many events may follow `gateway.stopped`: presses within its second of farewell."""


def waiting(db: Connection) -> Iterator[Pending]:
    """Yield what the district lacks, in the order in which it was stored."""
    rows = db.execute(
        "SELECT id, type, subject, start, count, importance, length(body), stored_unix"
        " FROM events WHERE done_unix IS NULL AND dropped = 0 ORDER BY n"
    )
    for id_, type_, subject, start, count, kind, size, unix in rows:
        number = f"{start:08d}.{count:010d}"
        yield Pending(id_, type_, subject, number, Importance(kind), size, int(unix * 1e9))


def previous(db: Connection, hole: str | None, store: str) -> str | None:
    """Return the number of the last start up to which nothing is missing.

    Where the disk took alarms but not the events between them, that is the one before the ``hole``.
    """
    newest = db.execute(
        "SELECT start FROM events WHERE store = ? ORDER BY n DESC LIMIT 1", (store,)
    ).fetchone()
    if newest is None:
        return None
    start = newest[0]
    last = db.execute(
        "SELECT max(count) FROM events WHERE store = ? AND start = ?", (store, start)
    ).fetchone()[0]
    return numbers.previous(hole, store, start, last)


def commands(db: Connection, now_unix: float) -> list[tuple[str, float]]:
    """Return the commands seen that could still be replayed."""
    query = "SELECT id, expires FROM commands WHERE expires > ?"
    return [(str(id_), float(at)) for id_, at in db.execute(query, (now_unix,))]


def last_event(db: Connection) -> Event | None:
    """Return the newest event; of a start that ended in order, its `gateway.stopped`.

    A press during the farewell may have come after that.
    """
    rows = db.execute(
        "SELECT start, type, body FROM events ORDER BY n DESC LIMIT ?", (_FAREWELL_ROWS,)
    ).fetchall()
    last = [(type_, body) for start, type_, body in rows if start == rows[0][0]]
    stopped = [body for type_, body in last if type_ == events.GATEWAY_STOPPED]
    return events.decode((stopped or [last[0][1]])[0]) if last else None
