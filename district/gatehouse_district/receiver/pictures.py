"""The pictures on disk: so many of an alarm, so many bytes of all, the oldest go."""

import hashlib
import sqlite3
from typing import Final

from gatehouse.events import rfc3339
from gatehouse_district.receiver.heard import Photograph
from gatehouse_district.receiver.judging import RefusedError

TOTAL_BYTES: Final = 4 << 30
"""70,000 pictures of 60 kB."""


class Pictures:
    """Keeps pictures; how many bytes there are is counted once, at the start."""

    def __init__(self, db: sqlite3.Connection, total_bytes: int = TOTAL_BYTES) -> None:
        self._db = db
        self._most = total_bytes
        self._bytes = self._count()

    def keep(self, picture: Photograph) -> None:
        """Keep a picture; the second of the same number changes nothing.

        Raises RefusedError for another gateway's alarm, and for another picture under its number.
        """
        owner = self._db.execute(
            "SELECT gateway FROM alarm WHERE id = ?", (picture.alarm,)
        ).fetchone()
        if owner is not None and owner[0] != picture.gateway:
            raise RefusedError("picture", f"{picture.alarm} is an alarm of another gateway")
        sha256 = hashlib.sha256(picture.body).hexdigest()
        kept = self._db.execute(
            "SELECT gateway, sha256 FROM picture WHERE alarm = ? AND number = ?",
            (picture.alarm, picture.number),
        ).fetchone()
        if kept == (picture.gateway, sha256):
            return
        if kept is not None:
            number = f"picture {picture.number} of {picture.alarm}"
            raise RefusedError("picture", f"{number} is there already, and another one")
        arrived = rfc3339(picture.arrived_unix_ns)
        row = (picture.gateway, picture.alarm, picture.number, arrived, len(picture.body), sha256)
        self._db.execute(
            "INSERT INTO picture (gateway, alarm, number, arrived, size, sha256, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, picture.body),
        )
        self._bytes += len(picture.body)
        self._make_room()

    def undo(self) -> None:
        """Count again: the transaction was rolled back."""
        self._bytes = self._count()

    def _make_room(self) -> None:
        while self._bytes > self._most:
            age, size = self._db.execute(
                "SELECT age, size FROM picture ORDER BY age LIMIT 1"
            ).fetchone()
            self._db.execute("DELETE FROM picture WHERE age = ?", (age,))
            self._bytes -= size

    def _count(self) -> int:
        return int(self._db.execute("SELECT coalesce(sum(size), 0) FROM picture").fetchone()[0])
