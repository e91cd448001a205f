"""The outbox's file: the only place that speaks SQL.

What must hold, at every moment and after kill -9 or a power cut:

* an event is durable once `write` has returned, with ``synchronous=FULL``;
* ``start`` is durable before the first number of that start is used;
* `alarms`, `faults` and the drill mark are what a replay of `events` would give, besides `sent`,
  `received` and `acknowledged`, which come from outside;
* a row that the district lacks (``done_unix`` null, ``dropped`` 0) is never deleted;
* the file holds RESERVE_BYTES of freed pages, and its WAL has grown as far, so that alarms can be
  committed when the disk has no room left. A checkpoint lets the WAL be used again from its head.
"""

import contextlib
import json
import sqlite3
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from gatehouse import events
from gatehouse.errors import OutboxError
from gatehouse.events import Event, Importance, Mode
from gatehouse.faults import Fault, family_of
from gatehouse.outbox.model import LogEntry, Pending, StandingAlarm
from gatehouse.outbox.orders import Acknowledged, Drop, Order, Put, Received, Seen, Sent

VERSION: Final = 1
RESERVE_BYTES: Final = 16 * 1024 * 1024
"""Room for 10,000 alarms of about 1.6 kB with their index entries (design section 3)."""
_SLICE: Final = 256 * 1024
_CHECKPOINT_PAGES: Final = 2000
_CHECK_S: Final = 0.7
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_VERSION_AT: Final = 60
"""Where SQLite keeps ``user_version`` in the file's head (file format, section 1.3)."""

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    store TEXT NOT NULL,
    start INTEGER NOT NULL,
    count INTEGER NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    importance INTEGER NOT NULL,
    stored_unix REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    done_unix REAL,
    dropped INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
);
CREATE INDEX waiting ON events (n) WHERE done_unix IS NULL AND dropped = 0;
CREATE TABLE alarms (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    button TEXT NOT NULL,
    mode TEXT NOT NULL,
    raised_unix REAL NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL DEFAULT 0,
    acknowledged TEXT,
    released INTEGER NOT NULL DEFAULT 0,
    reset INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE faults (
    subject TEXT NOT NULL, fault TEXT NOT NULL, family TEXT NOT NULL,
    since TEXT, data TEXT NOT NULL, PRIMARY KEY (subject, fault)
) WITHOUT ROWID;
CREATE TABLE commands (id TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE reserve (body BLOB NOT NULL);
"""


class DamagedError(OutboxError):
    """The file is not a sound database."""


@contextlib.contextmanager
def _told(doing: str, path: Path) -> Iterator[None]:
    """Say what was tried, on what, and why it failed, in Gatehouse's own errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as exc:
        if isinstance(exc, OutboxError):
            raise
        code = getattr(exc, "sqlite_errorcode", None)
        kind = DamagedError if code is not None and code & 0xFF in _DAMAGED else OutboxError
        raise kind(f"cannot {doing} {path}: {exc}") from exc


def version_in_head(path: Path) -> int | None:
    """Read a file's ``user_version`` without SQLite touching it; None when it is no database."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return 0
    if not head:
        return 0
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        return None
    return int(struct.unpack_from(">I", head, _VERSION_AT)[0])


class Store:
    """One open file, used by one thread. Raises OutboxError; DamagedError when it is unsound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA wal_autocheckpoint = 0")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
            self.clean = self.meta("clean") == "1"

    def leave(self) -> None:
        """Mark the file clean. It stays open: closing would give up the room in the WAL."""
        with _told("close", self.path):
            self.set_meta("clean", "1")

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self._db.close()

    def meta(self, key: str) -> str | None:
        """Return one of the file's own facts."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set one of the file's own facts, durably."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def check(self) -> None:
        """Look for damage, for less than a second. Raises DamagedError."""
        end = time.monotonic() + _CHECK_S
        self._db.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            with _told("check", self.path):
                found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except OutboxError as exc:
            if isinstance(exc, DamagedError):
                raise
            return  # not found within the time: what is read later will tell
        finally:
            self._db.set_progress_handler(None, 0)
        if found != "ok":
            raise DamagedError(f"{self.path} is damaged: {found}")

    def write(self, orders: Sequence[Order], now_unix: float) -> None:
        """Carry out all orders in one durable transaction, or none of them."""
        with _told("write to", self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for order in orders:
                    self._carry_out(order, now_unix)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _carry_out(self, order: Order, now_unix: float) -> None:
        run = self._db.execute
        match order:
            case Put():
                self._put(order.event, order.body, now_unix)
            case Sent():
                run("UPDATE events SET sent = 1 WHERE id = ?", (order.id,))
                run("UPDATE alarms SET sent = 1 WHERE id = ?", (order.id,))
            case Received():
                ids = [(now_unix, id_) for id_ in order.ids]
                self._db.executemany("UPDATE events SET done_unix = ? WHERE id = ?", ids)
                self._db.executemany(
                    "UPDATE alarms SET received = 1, sent = 1 WHERE id = ?", [(i,) for _, i in ids]
                )
            case Acknowledged():
                self._db.executemany(
                    "UPDATE alarms SET acknowledged = ? WHERE id = ?",
                    [(order.by, id_) for id_ in order.ids],
                )
            case Drop():
                self._db.executemany(
                    "UPDATE events SET dropped = 1 WHERE id = ?", [(id_,) for id_ in order.ids]
                )
            case Seen():
                run("INSERT OR REPLACE INTO commands VALUES (?, ?)", (order.id, order.expires))
                run("DELETE FROM commands WHERE expires < ?", (now_unix - 86400,))

    def _put(self, event: Event, body: bytes, now_unix: float) -> None:
        kind = events.importance(event.type, event.data)
        row = (event.id, event.store, event.start, event.count, event.type, event.subject)
        self._db.execute(
            "INSERT OR IGNORE INTO events (id, store, start, count, type, subject, importance,"
            " stored_unix, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, int(kind), now_unix, body),
        )
        self.derive(event, now_unix)

    def derive(self, event: Event, now_unix: float) -> None:
        """Change the tables of what stands as this event says."""
        run = self._db.execute
        match event.type:
            case events.ALARM_RAISED:
                button = event.subject.partition("/")[2]
                run(
                    "INSERT OR IGNORE INTO alarms (id, button, mode, raised_unix)"
                    " VALUES (?, ?, ?, ?)",
                    (event.id, button, str(event.mode), now_unix),
                )
            case events.ALARM_RELEASED:
                run("UPDATE alarms SET released = 1 WHERE id = ?", (event.data.get("alarm"),))
            case events.ALARM_RESET:
                ended = [(str(id_),) for id_ in event.data.get("alarms", ())]
                self._db.executemany("UPDATE alarms SET reset = 1 WHERE id = ?", ended)
                run(
                    "DELETE FROM alarms WHERE reset = 1 AND n NOT IN"
                    " (SELECT max(n) FROM alarms GROUP BY button)"
                )
            case events.DRILL_STARTED | events.DRILL_ENDED:
                self.set_meta("drill", "1" if event.type == events.DRILL_STARTED else "0")
        self._derive_fault(event)

    def _derive_fault(self, event: Event) -> None:
        family = family_of(event.type)
        if family is None:
            return
        name, begins = family
        fault = str(event.data.get("fault"))
        if not begins:
            key = (event.subject, fault)
            self._db.execute("DELETE FROM faults WHERE subject = ? AND fault = ?", key)
            return
        rest = {key: value for key, value in event.data.items() if key != "fault"}
        data = json.dumps(rest, ensure_ascii=False)
        self._db.execute(
            "INSERT OR REPLACE INTO faults VALUES (?, ?, ?, ?, ?)",
            (event.subject, fault, name, event.time, data),
        )

    # What opening reads.

    def waiting(self) -> Iterator[Pending]:
        """Yield what the district lacks, in the order in which it was stored."""
        rows = self._db.execute(
            "SELECT id, type, subject, start, count, importance, length(body), stored_unix"
            " FROM events WHERE done_unix IS NULL AND dropped = 0 ORDER BY n"
        )
        for id_, type_, subject, start, count, kind, size, unix in rows:
            number = f"{start:08d}.{count:010d}"
            yield Pending(id_, type_, subject, number, Importance(kind), size, int(unix * 1e9))

    def previous(self, store: str) -> str | None:
        """Return the number of the last start up to which nothing is missing.

        Where the disk took alarms but not the events between them, that is the one before the hole.
        """
        newest = self._db.execute(
            "SELECT start FROM events WHERE store = ? ORDER BY n DESC LIMIT 1", (store,)
        ).fetchone()
        if newest is None:
            return None
        last = newest[0]
        counts = self._db.execute(
            "SELECT count FROM events WHERE store = ? AND start = ? ORDER BY count", (store, last)
        )
        whole = None
        for (count,) in counts:
            if whole is not None and count != whole + 1:
                break
            whole = count
        return None if whole is None else f"{last:08d}.{whole:010d}"

    def alarms(self) -> list[StandingAlarm]:
        """Return the alarms that stand and the newest of each button."""
        rows = self._db.execute(
            "SELECT id, button, mode, raised_unix, sent, received, acknowledged IS NOT NULL,"
            " released, reset FROM alarms WHERE reset = 0 OR n IN"
            " (SELECT max(n) FROM alarms GROUP BY button) ORDER BY n"
        )
        return [
            StandingAlarm(id_, button, Mode(mode), int(unix * 1e9), *map(bool, flags))
            for id_, button, mode, unix, *flags in rows
        ]

    def faults(self) -> list[Fault]:
        """Return the faults that stood."""
        rows = self._db.execute("SELECT subject, fault, family, since, data FROM faults")
        return [
            Fault(s, fault, family, since, json.loads(d)) for s, fault, family, since, d in rows
        ]

    def commands(self, now_unix: float) -> list[tuple[str, float]]:
        """Return the commands seen that could still be replayed."""
        rows = self._db.execute("SELECT id, expires FROM commands WHERE expires > ?", (now_unix,))
        return [(id_, expires) for id_, expires in rows]

    def last_event(self) -> Event | None:
        """Return the newest event."""
        row = self._db.execute("SELECT body FROM events ORDER BY n DESC LIMIT 1").fetchone()
        return None if row is None else events.decode(row[0])

    # Room.

    def room(self) -> tuple[int, int]:
        """Return the bytes of freed pages in the file, and the bytes in use."""
        page, free, pages = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_size", "freelist_count", "page_count")
        )
        return free * page, (pages - free) * page

    def reserve(self) -> bool:
        """Make a slice of the reserve; False when it is whole. Raises OutboxError if it cannot."""
        with _told("reserve room in", self.path):
            held = self._db.execute("SELECT count(*) FROM reserve").fetchone()[0]
            if not held and self.room()[0] >= RESERVE_BYTES and self.wal_bytes() >= RESERVE_BYTES:
                return False
            if held * _SLICE >= RESERVE_BYTES:
                self.give_reserve()
                return False
            self._db.execute("INSERT INTO reserve VALUES (zeroblob(?))", (_SLICE,))
            return True

    def give_reserve(self) -> None:
        """Turn what is held so far into freed pages, for whoever writes next."""
        with _told("free room in", self.path):
            self._db.execute("DELETE FROM reserve")

    def wal_bytes(self) -> int:
        """Return the size of the WAL file."""
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except OSError:
            return 0

    def checkpoint(self) -> None:
        """Bring the WAL into the file, so that it is used again from its head."""
        with _told("checkpoint", self.path):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def prune(self, before_unix: float, most_bytes: int, rows: int) -> int:
        """Delete the oldest finished events, at most ``rows``; returns how many.

        Events that the district lacks, and alarms that stand, stay whatever their age.
        """
        with _told("prune", self.path):
            too_large = self.room()[1] > most_bytes
            return self._db.execute(
                "DELETE FROM events WHERE n IN (SELECT n FROM events WHERE"
                " (done_unix IS NOT NULL OR dropped = 1) AND (stored_unix < ? OR ?)"
                " AND id NOT IN (SELECT id FROM alarms) ORDER BY n LIMIT ?)",
                (before_unix, too_large, rows),
            ).rowcount


class Reader:
    """Reads beside the writer, for as long as one question takes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told("read", path):
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)

    def bodies(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the exact JSON of these events, as far as they are there."""
        with _told("read", self._path):
            wanted = list(ids)
            marks = ",".join("?" * len(wanted))
            query = f"SELECT id, body FROM events WHERE id IN ({marks})"  # noqa: S608  # only marks
            return {id_: bytes(body) for id_, body in self._db.execute(query, wanted)}

    def log(self, limit: int, *, pending_only: bool) -> list[LogEntry]:
        """Return the newest events, the newest last."""
        with _told("read", self._path):
            where = "WHERE done_unix IS NULL AND dropped = 0" if pending_only else ""
            rows: list[Any] = self._db.execute(
                f"SELECT body, done_unix IS NULL AND dropped = 0 FROM events {where}"  # noqa: S608  # constants
                " ORDER BY n DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [LogEntry(bytes(body), bool(waits)) for body, waits in reversed(rows)]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class Wreck:
    """Reads what can still be read of a damaged file that was set aside."""

    def __init__(self, path: Path) -> None:
        with _told("read", path):
            self._db = sqlite3.connect(path, timeout=1.0)

    def rows(self) -> Iterator[tuple[bytes, bool, bool, float]]:
        """Yield body, sent, pending and time of storing of every event that can be read, in order.

        A damaged page ends a query; the next one begins behind it, in growing steps.
        """
        after, step, last = 0, 1, self._newest()
        while after < last:
            try:
                query = (
                    "SELECT n, body, sent, done_unix IS NULL AND dropped = 0, stored_unix"
                    " FROM events NOT INDEXED WHERE n > ? ORDER BY n"
                )
                for n, body, sent, waits, unix in self._db.execute(query, (after,)):
                    after, step = n, 1
                    yield bytes(body), bool(sent), bool(waits), float(unix)
            except (sqlite3.Error, TypeError, ValueError):
                after, step = after + step, step * 2
            else:
                return

    def acknowledged(self) -> dict[str, str]:
        """Return who answered which alarm, as far as it can be read."""
        try:
            query = "SELECT id, acknowledged FROM alarms WHERE acknowledged IS NOT NULL"
            return {str(id_): str(by) for id_, by in self._db.execute(query)}
        except sqlite3.Error:
            return {}

    def events(self) -> int | None:
        """Return how many events the file said it held; None if even that is lost."""
        try:
            return int(self._db.execute("SELECT count(*) FROM events").fetchone()[0])
        except sqlite3.Error:
            return None

    def _newest(self) -> int:
        for query in ("SELECT max(n) FROM events", "SELECT max(n) FROM events INDEXED BY waiting"):
            with contextlib.suppress(sqlite3.Error):
                return int(self._db.execute(query).fetchone()[0] or 0)
        return 1 << 24  # unknown: step until the doubling has passed any file that fits a card

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
