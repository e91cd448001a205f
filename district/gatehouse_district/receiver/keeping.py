"""What one commit does with each thing that came (see ``schema.py`` for what must hold)."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gatehouse import events
from gatehouse.events import rfc3339
from gatehouse.faults import family_of
from gatehouse_district.receiver import alarms, gateways
from gatehouse_district.receiver.heard import Heartbeat, Item, Photograph, Record, Refused, State
from gatehouse_district.receiver.judging import RefusedError, boot_ns
from gatehouse_district.receiver.lacking import Number
from gatehouse_district.receiver.numbers import Numbers
from gatehouse_district.receiver.pictures import TOTAL_BYTES, Pictures

REFUSED_KEPT: Final = 1000
REFUSED_BYTES: Final = 4096
"""Of each refused message's body."""
BOOT_NS_MOST: Final = 2**62
_UNIX_NS_MOST: Final = 2**62
"""The year 2116: SQLite takes no number much larger, and the event must be kept all the same."""
_EVIDENCE_READY: Final = "gatehouse.evidence.ready"

_KEEP: Final = """
INSERT INTO event (id, gateway, topic, type, bootid, time, clock, body, odd,
                   arrived_ns, arrived_unix_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one thing that came."""

    item: Item
    receipt: bool = False
    """Whether it is an event that is on disk now."""
    times: int = 1
    """How often an event came."""
    conflict: bool = False


class Keeper:
    """Writes into the tables; the transaction around it belongs to the store."""

    def __init__(self, db: sqlite3.Connection, pictures_bytes: int = TOTAL_BYTES) -> None:
        self.db = db
        self.numbers = Numbers(db)
        self._pictures = Pictures(db, pictures_bytes)
        self._heard: dict[str, str] = {}
        self._refused = False

    def keep(self, item: Item) -> Kept:
        """Take one thing. Raises sqlite3.Error, and what a poisonous message brings about."""
        if isinstance(item, Refused):
            self._refuse(item)
            return Kept(item)
        if item.gateway not in self._heard:
            gateways.known(self.db, item.gateway)
        now = self._heard[item.gateway] = rfc3339(item.arrived_unix_ns)
        if isinstance(item, Record):
            return self._event(item)
        if isinstance(item, State):
            gateways.said(self.db, item, now)
            self.numbers.touch(item.gateway)
        elif isinstance(item, Heartbeat):
            gateways.beat(self.db, item, now)
        else:
            return self._picture(item)
        return Kept(item)

    def finish(self) -> None:
        """Write what is written once a commit."""
        self.numbers.write()
        for gateway, time in self._heard.items():
            self.db.execute("UPDATE gateway SET heard = ? WHERE id = ?", (time, gateway))
        self._heard.clear()
        if self._refused:
            self.db.execute(
                "DELETE FROM refused WHERE number <= (SELECT max(number) FROM refused) - ?",
                (REFUSED_KEPT,),
            )
            self._refused = False

    def undo(self) -> None:
        """Forget what is noted in memory: the transaction was rolled back."""
        self.numbers.undo()
        self._pictures.undo()
        self._heard.clear()
        self._refused = False

    def _event(self, record: Record) -> Kept:
        event = record.event
        time, clock = self._time(record.gateway, event)
        row = (
            *(event.id, record.gateway, record.topic, event.type, event.bootid, time, clock),
            *(record.body, record.odd, record.arrived_ns, record.arrived_unix_ns),
        )
        position = self.db.execute(_KEEP, row)
        if position.rowcount == 0:
            return self._again(record)
        new = self.numbers.add(record.gateway, Number.of(event))
        if not new:
            why = f"the number {event.sequence} has come with another id; stored all the same"
            self._refuse(_conflict(record, why))
        self._tell_from(record, position.lastrowid or 0, time, clock)
        return Kept(record, receipt=True, conflict=not new)

    def _again(self, record: Record) -> Kept:
        """Count an event that is here; with another body it is another event, and is not kept."""
        gateway, body, times = self.db.execute(
            "SELECT gateway, body, deliveries FROM event WHERE id = ?", (record.id,)
        ).fetchone()
        if gateway != record.gateway:
            self._refuse(_conflict(record, "the id of another gateway's event"))
            return Kept(record, conflict=True)
        self.db.execute("UPDATE event SET deliveries = deliveries + 1 WHERE id = ?", (record.id,))
        conflict = body != record.body
        if conflict:
            self._refuse(_conflict(record, "the id has come with another body"))
        return Kept(record, receipt=True, times=times + 1, conflict=conflict)

    def _tell_from(self, record: Record, position: int, time: str, clock: str) -> None:
        """Bring up to date what is told from events."""
        event = record.event
        if event.type == events.ALARM_RAISED:
            arrived = rfc3339(record.arrived_unix_ns)
            alarms.raised(self.db, record, position, time=time, clock=clock, arrived=arrived)
        elif event.type == events.ALARM_RESET:
            alarms.reset(self.db, record, time)
        elif event.type == events.ALARM_RELEASED:
            alarms.released(self.db, record, time)
        elif event.type == _EVIDENCE_READY:
            alarms.evidence(self.db, record)
        elif event.type in {events.WALKTEST_REPORT, events.SELFTEST_REPORT}:
            gateways.tried(self.db, record, time)
        elif event.type == events.GATEWAY_STOPPED:
            gateways.stopped(self.db, record, time)
        elif event.type == events.CLOCK_CORRECTED:
            self._corrected(record)
        elif family_of(event.type) is not None:
            gateways.fault(self.db, record, time)

    def _time(self, gateway: str, event: events.Event) -> tuple[str, str]:
        """Return when an event happened, as far as that is known, and how well."""
        if event.clock != "unsynced":
            return event.time[:64], event.clock[:16]
        row = self.db.execute(
            "SELECT zero_unix_ns FROM boot WHERE gateway = ? AND bootid = ?",
            (gateway, event.bootid),
        ).fetchone()
        up = boot_ns(event.monotonic)
        if row is None or up is None or up > BOOT_NS_MOST:
            return event.time[:64], "unsynced"
        return rfc3339(row[0] + up), "corrected"

    def _corrected(self, record: Record) -> None:
        """Put right what a boot told before its clock was set.

        The event itself is told by the clock as it was set, so that its own time and boot clock say
        when the boot began; the sum of all ``offset_s`` since comes to the same. One that is
        ``unsynced`` itself only moved a wrong clock.
        """
        event, gateway = record.event, record.gateway
        up, at = boot_ns(event.monotonic), _unix_ns(event.time)
        if event.clock != "synced" or up is None or at is None or up > BOOT_NS_MOST:
            return
        zero = at - up
        if abs(zero) > _UNIX_NS_MOST:
            return
        self.db.execute(
            "INSERT INTO boot VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET zero_unix_ns = excluded.zero_unix_ns",
            (gateway, event.bootid, zero),
        )
        for position, body in self.db.execute(
            "SELECT position, body FROM event "
            "WHERE gateway = ? AND bootid = ? AND clock = 'unsynced'",
            (gateway, event.bootid),
        ).fetchall():
            up = boot_ns(events.decode(body).monotonic)
            if up is not None and up <= BOOT_NS_MOST:
                right = (rfc3339(zero + up), position)
                for table in ("event", "alarm"):
                    self.db.execute(
                        f"UPDATE {table} SET time = ?, clock = 'corrected' WHERE position = ?",  # noqa: S608  # one of two words
                        right,
                    )

    def _picture(self, picture: Photograph) -> Kept:
        try:
            self._pictures.keep(picture)
        except RefusedError as exc:
            topic = f"{picture.gateway} up/picture/{picture.alarm}/{picture.number}"
            refused = Refused(exc.reason, str(exc), topic, picture.body, picture.arrived_unix_ns)
            self._refuse(refused)
            return Kept(refused)
        return Kept(picture)

    def _refuse(self, refused: Refused) -> None:
        now = rfc3339(refused.arrived_unix_ns)
        self._refused = True
        self.db.execute(
            "INSERT INTO refusal VALUES (?, 1, ?) "
            "ON CONFLICT DO UPDATE SET count = count + 1, newest = excluded.newest",
            (refused.reason, now),
        )
        row = (now, refused.reason, refused.why, refused.topic[:500], len(refused.body))
        self.db.execute(
            "INSERT INTO refused (arrived, reason, why, topic, size, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*row, refused.body[:REFUSED_BYTES]),
        )


def unstorable(item: Item, exc: Exception) -> Refused:
    """Return the refusal of a thing that the tables do not take."""
    if isinstance(item, Refused):
        return Refused(item.reason, "could not be kept", "", b"", item.arrived_unix_ns)
    body = item.body if isinstance(item, Record | Photograph) else b""
    topic = f"of {item.gateway}"
    return Refused("unstorable", repr(exc)[:500], topic, body, item.arrived_unix_ns)


def _conflict(record: Record, why: str) -> Refused:
    return Refused("conflict", why, record.topic, record.body, record.arrived_unix_ns)


def _unix_ns(time: str) -> int | None:
    try:
        read = datetime.fromisoformat(time)
        if read.tzinfo is None:
            return None
        seconds = (read - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return int(seconds * 1e6) * 1000
