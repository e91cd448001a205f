"""How many events a second the outbox stores, beside bare SQLite and bare commits."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Final

from figures import Row, Table
from fill import write
from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.events import Scribe
from gatehouse_sim.school import GATEWAY
from rig import HERE, Child, temporary

_BATCH: Final = 2000
"""What the outbox's writer commits at most in one transaction."""


def measure(count: int, rounds: int) -> list[Table]:
    """Store ``count`` events each way, rounds interleaved, and return events a second."""
    singles = max(1, count // 20)
    kinds: dict[str, tuple[int, Callable[[Path], float]]] = {
        "outbox": (count, lambda path: _outbox(path, count)),
        "bare": (count, lambda path: bare(path, count, _BATCH)),
        "single": (singles, lambda path: bare(path, singles, 1)),
    }
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    with temporary() as folder:
        for number in range(rounds):
            order = list(kinds) if number % 2 == 0 else list(reversed(kinds))
            for kind in order:
                how_many, run = kinds[kind]
                rates[kind].append(how_many / run(folder / f"{kind}{number}.db"))
    found = {kind: median(values) for kind, values in rates.items()}
    rows = (
        Row(
            f"outbox, {count} events",
            "events/s",
            value=found["outbox"],
            beside=f"bare SQLite, {_BATCH} a commit",
            ratio=found["outbox"] / found["bare"],
        ),
        Row(f"bare SQLite, {_BATCH} a commit", "events/s", value=found["bare"]),
        Row("bare SQLite, each its own commit", "events/s", value=found["single"]),
    )
    notes = (
        "the outbox makes the events (id, number, JSON) within that time, the bare ones are there",
        "all with WAL and synchronous=FULL",
    )
    return [Table("storing: events a second", rows, notes)]


def _outbox(path: Path, count: int) -> float:
    with Child([HERE / "fill.py", path, str(count)]) as child:
        return float(child.line())


def bare(path: Path, count: int, batch: int) -> float:
    """Commit so many events over bare SQLite, so many at once; return the seconds it took."""
    scribe = Scribe(gateway=GATEWAY, store="", start=1, clock=SystemClock(), random=os.urandom)
    made = [write(scribe, number) for number in range(count)]
    rows = [(event.id, events.encode(event)) for event in made]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE events (n INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB)")
        began = time.monotonic()
        for at in range(0, count, batch):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO events (id, body) VALUES (?, ?)", rows[at : at + batch])
            db.execute("COMMIT")
        return time.monotonic() - began
