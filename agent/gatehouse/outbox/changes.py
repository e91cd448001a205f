"""What each order changes in the tables; always inside a transaction."""

import zlib
from typing import Final

from gatehouse import events
from gatehouse.outbox import answers, derived
from gatehouse.outbox.numbers import Numbers
from gatehouse.outbox.orders import (
    Acknowledged,
    Drop,
    Mend,
    Moment,
    Order,
    Put,
    Received,
    Seen,
    Sent,
)
from gatehouse.outbox.sqlite import Connection, DamagedError

_SEEN_KEPT_S: Final = 86400.0
"""Commands are remembered a day longer than they could be replayed: a clock may step back."""


def carry_out(db: Connection, order: Order, now_unix: float, numbers: Numbers) -> None:
    """Do what an order says. Raises sqlite3's errors as they are."""
    match order:
        case Put():
            _put(db, order, now_unix, numbers)
        case Sent():
            _sent(db, order.id)
        case Received():
            _received(db, order.ids, now_unix, order.at)
        case Acknowledged():
            answered = [(order.by, id_) for id_ in order.ids]
            db.executemany("UPDATE alarms SET acknowledged = ? WHERE id = ?", answered)
            if order.at is not None:
                answers.acknowledged(db, order.ids, order.by, order.at)
        case Drop():
            dropped = [(id_,) for id_ in order.ids]
            db.executemany("UPDATE events SET dropped = 1 WHERE id = ?", dropped)
        case Seen():
            db.execute("INSERT OR REPLACE INTO commands VALUES (?, ?)", (order.id, order.expires))
            db.execute("DELETE FROM commands WHERE expires < ?", (now_unix - _SEEN_KEPT_S,))
        case Mend():
            raise DamagedError(order.why)


def _put(db: Connection, order: Put, now_unix: float, numbers: Numbers) -> None:
    event = order.event
    stored_unix = now_unix if order.stored_unix is None else order.stored_unix
    kind = events.importance(event.type, event.data)
    row = (event.id, event.store, event.start, event.count, event.type, event.subject)
    added = db.execute(
        "INSERT OR IGNORE INTO events (id, store, start, count, type, subject, importance,"
        " stored_unix, crc, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, int(kind), stored_unix, zlib.crc32(order.body), order.body),
    ).rowcount
    if added:  # an event that is there already has had its effect
        derived.derive(db, event, stored_unix)
    numbers.took(event.store, event.start, event.count)
    if order.sent:
        _sent(db, event.id)
    if order.received:
        _received(db, (event.id,), now_unix, order.received_at)
    if added and order.answered is not None:
        answers.took_over(db, event.id, order.answered)


def _sent(db: Connection, event_id: str) -> None:
    db.execute("UPDATE events SET sent = 1 WHERE id = ?", (event_id,))
    db.execute("UPDATE alarms SET sent = 1 WHERE id = ?", (event_id,))


def _received(
    db: Connection, ids: tuple[str, ...], now_unix: float, at: Moment | None = None
) -> None:
    if at is not None:
        answers.received(db, ids, at)
    done = "UPDATE events SET done_unix = ?, sent = 1 WHERE id = ? AND done_unix IS NULL"
    db.executemany(done, [(now_unix, id_) for id_ in ids])
    arrived = "UPDATE alarms SET received = 1, sent = 1 WHERE id = ?"
    db.executemany(arrived, [(id_,) for id_ in ids])


def mark_hole(db: Connection, mark: str | None) -> None:
    """Note where the numbers of the running start have a hole, or that there is none."""
    if mark is None:
        db.execute("DELETE FROM meta WHERE key = 'hole'")
    else:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('hole', ?)", (mark,))
