"""A really full file system: what the outbox in it still does. Prints one JSON document.

``full_disk.py FOLDER``, where FOLDER is a small file system of its own.
"""

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

from outbox.child import Child, Filler

ALARMS = 10_000
ONE_BY_ONE = 1500


def killed(path: Path) -> tuple[dict[str, Any], Filler]:
    """Make the reserve, have the disk filled, press one by one, and be killed in the middle."""
    with Child(path) as child:
        child.ask("put", alarms=1, others=20)
        child.ask("wait", what="reserve")
        filler = Filler(path.parent)
        child.ask("put", others=1000, wait=False)
        child.ask("put", alarms=1, others=1, rounds=ONE_BY_ONE, long=True)
        child.ask("put", alarms=50, others=10, rounds=(ALARMS // 2 - ONE_BY_ONE) // 50, long=True)
        state = child.ask("state")
        child.tell("put", alarms=2, others=2, rounds=200, long=True)
        child.kill_after(len(child.stored) + 50)
    return {**state, "stored": child.stored}, filler


def stopped(path: Path) -> dict[str, Any]:
    """Open on the disk that is still full; press on, with many others, and stop in order."""
    with Child(path) as child:
        child.ask("put", others=6000, wait=False)
        child.ask("put", alarms=50, others=10, rounds=60, long=True)
        state = child.ask("state")
        child.ask("close")
        return {**state, "opening": child.opening, "stored": child.stored}


def again(path: Path) -> dict[str, Any]:
    """Open once more on the full disk, up to 10,000 alarms in all."""
    with Child(path) as child:
        child.ask("put", alarms=50, others=10, rounds=40, long=True)
        return {**child.ask("state"), "opening": child.opening, "stored": child.stored}


def with_room(path: Path) -> dict[str, Any]:
    """Open once there is room again."""
    with Child(path) as child:
        child.ask("put", alarms=1, others=50)
        child.ask("wait", what="reserve")
        state = child.ask("state")
        child.ask("close")
        return {**state, "opening": child.opening, "stored": child.stored}


def main(folder: Path) -> None:
    """Run it all."""
    path = folder / "outbox.db"
    first, filler = killed(path)
    found = [first, stopped(path), again(path)]
    filler.leave()
    found.append(with_room(path))
    with contextlib.closing(sqlite3.connect(path)) as db:
        kept = {id_ for (id_,) in db.execute("SELECT id FROM events")}
        reserve = db.execute("SELECT count(*) FROM reserve").fetchone()[0]
    for turn in found:
        turn["lost"] = sorted(set(turn.pop("stored")) - kept)
    sys.stdout.write(json.dumps({"turns": found, "reserve": reserve}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
