"""The numbers that came, on disk: a gateway's ledger is read when it is needed and written back.

Only the stretches that changed are written, once a commit: a backlog in order is one row.
"""

import sqlite3
from typing import Final

import msgspec

from gatehouse_district.receiver.lacking import Ledger, Number, Spans

NAMED: Final = 20
"""Sequences named of what a gateway lacks."""


class Numbers:
    """The ledgers of all gateways that spoke since the start."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ledgers: dict[str, Ledger] = {}
        self._changed: dict[str, set[tuple[str, int]]] = {}
        self._promising: dict[str, set[tuple[str, int]]] = {}

    def add(self, gateway: str, number: Number) -> bool:
        """Note a number; False if an event with it came before."""
        new = self._ledger(gateway).add(number)
        self._changed.setdefault(gateway, set()).add((number.store, number.start))
        if number.previous is not None:
            self._promising.setdefault(gateway, set()).add((number.store, number.previous[0]))
        return new

    def touch(self, gateway: str) -> None:
        """Have what a gateway lacks told anew: another start of it runs."""
        self._changed.setdefault(gateway, set())

    def write(self) -> None:
        """Write down what changed, within the transaction that stores the events."""
        for gateway, starts in self._changed.items():
            ledger = self._ledger(gateway)
            for store, start in starts:
                if (spans := ledger.seen.get(store, {}).get(start)) is not None:
                    self._write_spans(gateway, store, start, spans)
            for store, start in self._promising.get(gateway, ()):
                if (last := ledger.promised.get(store, {}).get(start)) is None:
                    continue
                self._db.execute(
                    "INSERT INTO promised VALUES (?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET last = excluded.last",
                    (gateway, store, start, last),
                )
            count, first = ledger.missing(self._running(gateway), most=NAMED)
            self._db.execute(
                "UPDATE gateway SET lacking = ?, lacks = ? WHERE id = ?",
                (count, msgspec.json.encode(first).decode(), gateway),
            )
        self._changed.clear()
        self._promising.clear()

    def undo(self) -> None:
        """Forget what was noted since the last write: the transaction was rolled back."""
        for gateway in self._changed:
            self._ledgers.pop(gateway, None)
        self._changed.clear()
        self._promising.clear()

    def count_again(self, gateway: str, numbers: list[Number]) -> None:
        """Have exactly these numbers be all that came of a gateway."""
        for table in ("seen", "promised"):
            self._db.execute(f"DELETE FROM {table} WHERE gateway = ?", (gateway,))  # noqa: S608  # one of two words
        self._ledgers[gateway] = Ledger()
        for number in numbers:
            self.add(gateway, number)
        self.touch(gateway)

    def _write_spans(self, gateway: str, store: str, start: int, spans: Spans) -> None:
        for first in spans.touched:
            last = spans.last.get(first)
            key = (gateway, store, start, first)
            if last is None:
                self._db.execute(
                    "DELETE FROM seen WHERE (gateway, store, start, first) = (?, ?, ?, ?)", key
                )
            else:
                self._db.execute(
                    "INSERT INTO seen VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET last = excluded.last",
                    (*key, last),
                )
        spans.touched.clear()

    def _running(self, gateway: str) -> tuple[str, int] | None:
        row = self._db.execute(
            "SELECT store, start FROM gateway WHERE id = ? AND start >= 0", (gateway,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def _ledger(self, gateway: str) -> Ledger:
        if (known := self._ledgers.get(gateway)) is not None:
            return known
        ledger = Ledger()
        stretches: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for store, start, first, last in self._db.execute(
            "SELECT store, start, first, last FROM seen WHERE gateway = ?", (gateway,)
        ):
            stretches.setdefault((store, start), []).append((first, last))
        for (store, start), spans in stretches.items():
            ledger.seen.setdefault(store, {})[start] = Spans(spans)
        for store, start, last in self._db.execute(
            "SELECT store, start, last FROM promised WHERE gateway = ?", (gateway,)
        ):
            ledger.promised.setdefault(store, {})[start] = last
        self._ledgers[gateway] = ledger
        return ledger
