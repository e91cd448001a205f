"""Which events the log may forget: finished ones, from the oldest on.

What the district lacks, alarms that stand, and the newest event are never deleted.
"""

from typing import Final

from gatehouse.outbox.sqlite import Connection

ROW_BYTES: Final = 400
"""What a row and its index entries need besides the body, about."""


def end(db: Connection, used_bytes: int, before_unix: float, most_bytes: int) -> int:
    """Return the row before which finished events may be deleted.

    By age those from the oldest on up to the first that is young: a time that was stored while the
    clock was wrong makes no event old. By size all, while the log's own bytes are too many.
    """
    newest = db.execute("SELECT max(n) FROM events").fetchone()[0] or 0
    young = db.execute(
        "SELECT n FROM events WHERE stored_unix >= ? ORDER BY n LIMIT 1", (before_unix,)
    ).fetchone()
    if young is None or _too_large(db, used_bytes, most_bytes):
        return int(newest)
    return min(int(young[0]), int(newest))


def delete(db: Connection, before: int, rows: int) -> int:
    """Delete the oldest finished events before that row, at most ``rows``; returns how many."""
    return db.execute(
        "DELETE FROM events WHERE n IN (SELECT n FROM events WHERE n < ? AND"
        " (done_unix IS NOT NULL OR dropped = 1)"
        " AND id NOT IN (SELECT id FROM alarms) ORDER BY n LIMIT ?)",
        (before, rows),
    ).rowcount


def _too_large(db: Connection, used_bytes: int, most_bytes: int) -> bool:
    """Whether the log is too large: what waits is not the log's."""
    if used_bytes <= most_bytes:
        return False
    pending = db.execute(
        "SELECT coalesce(sum(length(body) + ?), 0) FROM events"
        " WHERE done_unix IS NULL AND dropped = 0",
        (ROW_BYTES,),
    ).fetchone()[0]
    return bool(used_bytes - pending > most_bytes)
