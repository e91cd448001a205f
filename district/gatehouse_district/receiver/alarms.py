"""The alarms and how far each got, in the transaction that stores their events.

A reset names the alarms it ends (``data.alarms``). One that names none (the contract does not ask
for it) ends those of its button with a smaller number. Both also end what comes later than they do.
"""

import sqlite3
from dataclasses import astuple, dataclass
from typing import Any, Final

from gatehouse.events import Event
from gatehouse_district.receiver.heard import Record
from gatehouse_district.receiver.lacking import before

RECEIVED, ANSWERING, ACKNOWLEDGED, RESET = range(4)
TEXT_MOST: Final = 200
"""Characters kept of a name or a reason, beside the event itself."""
_ENDED_AT_ONCE: Final = 5000
"""Ids of one reset; no more than 3500 go into a message of 128 KiB."""

_RAISE: Final = """
INSERT INTO alarm (position, id, gateway, button, store, sequence, bootid, location, mode, time,
                   clock, arrived, presses, held_at_start, odd)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END: Final = """
UPDATE alarm SET stage = 3, reset_by = ?, reset_reason = ?, reset = ?
WHERE gateway = ? AND id = ? AND stage < 3
"""


@dataclass(frozen=True, slots=True)
class _Word:
    """A reset that names no alarms, or an answer: for what comes later than it does."""

    what: str
    store: str
    sequence: str
    mode: str
    by: str
    reason: str
    time: str


_NOTE: Final = """
INSERT INTO button (gateway, button, what, store, sequence, mode, by, reason, time)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET store = excluded.store, sequence = excluded.sequence,
    mode = excluded.mode, by = excluded.by, reason = excluded.reason, time = excluded.time
"""


def raised(
    db: sqlite3.Connection, record: Record, position: int, *, time: str, clock: str, arrived: str
) -> None:
    """Note an alarm; it may have been reset or answered before it came."""
    event = record.event
    presses = event.data.get("presses", 1)
    count = presses if type(presses) is int and 1 <= presses <= 1_000_000 else 1
    row = (
        *(position, event.id, record.gateway, button_of(event), event.store, event.sequence),
        *(event.bootid, text(event.data.get("location")), str(event.mode), time, clock, arrived),
        *(count, event.data.get("held_at_start") is True, record.odd),
    )
    db.execute(_RAISE, row)
    ended = db.execute(
        "SELECT by, reason, time FROM ending WHERE gateway = ? AND alarm = ?",
        (record.gateway, event.id),
    ).fetchone()
    if ended is not None:
        db.execute(_END, (*ended, record.gateway, event.id))
        db.execute("DELETE FROM ending WHERE gateway = ? AND alarm = ?", (record.gateway, event.id))
        return
    _meets_what_was(db, record)


def _meets_what_was(db: sqlite3.Connection, record: Record) -> None:
    """Apply the button's newest reset and answer to an alarm that comes after them."""
    event = record.event
    for row in db.execute(
        "SELECT what, store, sequence, mode, by, reason, time FROM button "
        "WHERE gateway = ? AND button = ? ORDER BY what",
        (record.gateway, button_of(event)),
    ).fetchall():
        word = _Word(*row)
        if not before((event.store, event.sequence), (word.store, word.sequence)):
            continue
        if word.what == "reset" and str(event.mode) in _ends(word.mode):
            db.execute(_END, (word.by, word.reason, word.time, record.gateway, event.id))
        elif word.what == "answer":
            _acknowledge(db, [event.id], word.by, word.time)


def reset(db: sqlite3.Connection, record: Record, time: str) -> None:
    """End the alarms that a reset names, or those of its button before it."""
    event, gateway = record.event, record.gateway
    by, reason = text(event.data.get("by")), text(event.data.get("reason"))
    named = event.data.get("alarms")
    if isinstance(named, list) and named and all(isinstance(each, str) for each in named):
        for id_ in named[:_ENDED_AT_ONCE]:
            if db.execute(_END, (by, reason, time, gateway, id_)).rowcount == 0:
                _ends_later(db, gateway, id_, (by, reason, time))
        return
    mode = str(event.mode)
    number = (event.store, event.sequence)
    for id_ in _open_of(db, gateway, button_of(event), number, modes=_ends(mode)):
        db.execute(_END, (by, reason, time, gateway, id_))
    _note(db, gateway, button_of(event), _Word("reset", *number, mode, by, reason, time))


def _ends(mode: str) -> tuple[str, ...]:
    """Return the modes of alarms that a reset ends: a test's or a drill's no real one."""
    return ("real", "test", "drill") if mode == "real" else (mode,)


def _ends_later(db: sqlite3.Connection, gateway: str, id_: str, how: tuple[str, str, str]) -> None:
    known = db.execute("SELECT 1 FROM event WHERE id = ?", (id_,)).fetchone()
    if known is None and len(id_) <= TEXT_MOST:
        db.execute("INSERT OR IGNORE INTO ending VALUES (?, ?, ?, ?, ?)", (gateway, id_, *how))


def released(db: sqlite3.Connection, record: Record, time: str) -> None:
    """Note that the contact of an alarm opened again."""
    alarm = record.event.data.get("alarm")
    if isinstance(alarm, str):
        db.execute(
            "UPDATE alarm SET released = ? WHERE gateway = ? AND id = ?",
            (time, record.gateway, alarm),
        )


def evidence(db: sqlite3.Connection, record: Record) -> None:
    """Mark an alarm whose evidence is ready, and note what its pictures show."""
    data = record.event.data
    alarm, manifest = data.get("alarm"), data.get("manifest")
    if not isinstance(alarm, str):
        return
    db.execute(
        "UPDATE alarm SET evidence = 1 WHERE gateway = ? AND id = ?", (record.gateway, alarm)
    )
    items = (manifest if isinstance(manifest, dict) else data).get("items")
    for item in items if isinstance(items, list) else []:
        number = item.get("number") if isinstance(item, dict) else None
        if type(number) is int and 1 <= number <= 99 and len(alarm) <= TEXT_MOST:
            named = (text(item.get("camera")), text(item.get("begins")))
            db.execute(
                "INSERT OR REPLACE INTO naming VALUES (?, ?, ?, ?, ?)",
                (record.gateway, alarm, number, *named),
            )


def acknowledged(db: sqlite3.Connection, alarm: str, by: str, time: str) -> None:
    """Note that the gateway confirmed an answer, which stands for older ones of the button too."""
    found = db.execute(
        "SELECT gateway, button, store, sequence FROM alarm WHERE id = ?", (alarm,)
    ).fetchone()
    if found is None:
        return
    gateway, button, store, sequence = found
    number = (store, sequence)
    older = _open_of(db, gateway, button, number, modes=("real", "test", "drill"), strict=True)
    _acknowledge(db, [alarm, *older], by, time)
    _note(db, gateway, button, _Word("answer", *number, "real", by, "", time))


def _acknowledge(db: sqlite3.Connection, ids: list[str], by: str, time: str) -> None:
    db.executemany(
        "UPDATE alarm SET stage = 2, acknowledged_by = ?, acknowledged = ?, refused = '' "
        "WHERE id = ? AND stage < 2",
        [(by, time, id_) for id_ in ids],
    )


def _open_of(
    db: sqlite3.Connection,
    gateway: str,
    button: str,
    number: tuple[str, str],
    *,
    modes: tuple[str, ...],
    strict: bool = False,
) -> list[str]:
    """Return the alarms of a button before a number; with ``strict`` only where that is sure."""
    rows = db.execute(
        "SELECT id, store, sequence, mode FROM alarm "
        "WHERE gateway = ? AND button = ? AND stage < 3",
        (gateway, button),
    ).fetchall()
    orders = {True} if strict else {True, None}
    return [
        id_
        for id_, store, sequence, mode in rows
        if mode in modes and before((store, sequence), number) in orders
    ]


def _note(db: sqlite3.Connection, gateway: str, button: str, word: _Word) -> None:
    """Remember the newest reset or answer of a button, for what comes late."""
    known = db.execute(
        "SELECT store, sequence FROM button WHERE gateway = ? AND button = ? AND what = ?",
        (gateway, button, word.what),
    ).fetchone()
    if known is None or before((word.store, word.sequence), known) is not True:
        db.execute(_NOTE, (gateway, button, *astuple(word)))


def button_of(event: Event) -> str:
    """Return the button's name out of the subject; a strange subject is its own name."""
    return event.subject.removeprefix("button/")[:TEXT_MOST]


def text(value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    """Return a stranger's text, cut; empty for what is none."""
    return value[:TEXT_MOST] if isinstance(value, str) else ""
