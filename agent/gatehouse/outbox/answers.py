"""How long each alarm took to the district's machine and to a person; always in a transaction.

A time of its own would be worth little: the wall clock may be set between the press and its
receipt. So the length is kept, by the boot clock where both were in one boot, else by the wall
clock where it was set both times; otherwise nothing, which is told as not known.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from gatehouse.events import ALARM_RAISED
from gatehouse.outbox.orders import Answered, Moment
from gatehouse.outbox.sqlite import Connection

_SYNCED: Final = "synced"


class _Pressed(msgspec.Struct):
    """What is needed of the event; ``monotonic`` is CLOCK_BOOTTIME in ns."""

    time: str
    bootid: str
    monotonic: str
    clock: str


_decoder: Final = msgspec.json.Decoder(_Pressed)
_ALARM: Final = "SELECT body FROM events WHERE id = ? AND type = ?"


def received(db: Connection, ids: Iterable[str], at: Moment) -> None:
    """Note when alarms arrived; what was noted before stays."""
    for id_ in ids:
        if (body := _alarm(db, id_)) is not None:
            update = "UPDATE events SET received_s = ? WHERE id = ? AND done_unix IS NULL"
            db.execute(update, (took_s(body, at), id_))


def acknowledged(db: Connection, ids: Iterable[str], by: str, at: Moment) -> None:
    """Note when a person answered alarms, and who; the first answer counts."""
    for id_ in ids:
        if (body := _alarm(db, id_)) is not None:
            db.execute(
                "UPDATE events SET acknowledged_s = ?, acknowledged_by = ?"
                " WHERE id = ? AND acknowledged_by IS NULL",
                (took_s(body, at), by, id_),
            )


def took_over(db: Connection, id_: str, known: Answered) -> None:
    """Note what a damaged file still said."""
    db.execute(
        "UPDATE events SET received_s = ?, acknowledged_s = ?, acknowledged_by = ? WHERE id = ?",
        (known.received_s, known.acknowledged_s, known.acknowledged_by, id_),
    )


def took_s(body: bytes, at: Moment) -> float | None:
    """Return the seconds from a press to that moment; None where no clock can tell."""
    try:
        pressed = _decoder.decode(body)
        if pressed.bootid == at.bootid:
            return max(0.0, (at.boottime_ns - int(pressed.monotonic)) / 1e9)
        if pressed.clock == _SYNCED and at.synced:
            return max(0.0, at.unix - datetime.fromisoformat(pressed.time).timestamp())
    except (msgspec.MsgspecError, ValueError, OverflowError):
        pass  # a receipt must be kept whatever the alarm's JSON is like
    return None


def _alarm(db: Connection, id_: str) -> bytes | None:
    found: Any = db.execute(_ALARM, (id_, ALARM_RAISED)).fetchone()
    return found[0] if found is not None and isinstance(found[0], bytes) else None
