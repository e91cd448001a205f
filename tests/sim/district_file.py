"""What a district has on its disk, read past it."""

import sqlite3
from pathlib import Path


def stored(path: Path) -> list[bytes]:
    """Return the bodies in a district's database, in order of arrival."""
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT body FROM event ORDER BY rowid").fetchall()
    db.close()
    return [body for (body,) in rows]
