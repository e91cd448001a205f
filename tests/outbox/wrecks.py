"""Files of an outbox to be damaged, and what is found of them afterwards."""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from gatehouse.events import Event
from gatehouse.outbox import salvage
from gatehouse.outbox.orders import Acknowledged, Drop, Received, Seen, Sent
from gatehouse.outbox.reader import Reader
from gatehouse.outbox.sqlite import DamagedError
from gatehouse.outbox.store import Store
from outbox.house import NOON, alarm, other, put, rows, scribe

DAMAGED = "outbox-damaged"


def write_file(path: Path, count: int = 60) -> list[Event]:
    """Leave a file of several pages with every kind of row, in the file itself; returns its events.

    Even ones wait; alarms are of two buttons; the last alarm is acknowledged, none is reset.
    """
    store = salvage.open_store(path, NOON, os.urandom)
    made = scribe(store.meta("store") or "", store.begin_start())
    told = [
        alarm(made, ("gate", "hall")[n % 4 // 2], text="x" * 500)
        if n % 2
        else other(made, text="y" * 700)
        for n in range(count)
    ]
    told.append(other(made, text="z" * 9000))  # reaches over several pages
    told.append(alarm(made))
    store.write([put(event) for event in told], NOON - 86400)
    store.write([Sent(event.id) for event in told[::3]], NOON)
    store.write([Received(tuple(event.id for event in told[1::2]))], NOON)
    store.write([Acknowledged((told[-1].id,), "李"), Seen("c-1", NOON + 60)], NOON)
    store.write([Drop((told[0].id,))], NOON)
    store.checkpoint()
    store.abandon()
    return told


def contents(store: Store) -> dict[str, tuple[bytes, bool]]:
    """Return the body of each event, and whether it waits."""
    query = "SELECT id, body, done_unix IS NULL AND dropped = 0 FROM events"
    return {id_: (bytes(body), bool(waits)) for id_, body, waits in rows(store, query)}


def reopened(path: Path) -> tuple[Store, dict[str, Any] | None]:
    """Open the file as the service does; returns the store and what was amiss."""
    for how in (salvage.open_store, salvage.salvage):
        store = how(path, NOON, os.urandom)
        try:
            opening = salvage.opening(store, NOON, lambda _: None)
            with closing(Reader(path)) as reader:  # as the uplink does, sooner or later
                reader.log(1000, pending_only=False)
        except DamagedError:
            store.abandon()
            continue
        found = {trouble.fault: dict(trouble.data) for trouble in opening.trouble}
        assert found.keys() <= {DAMAGED}
        return store, found.get(DAMAGED)
    raise AssertionError("a salvaged file is damaged")


def copied(source: Path, folder: Path) -> Path:
    """Copy a file and its WAL into a folder of its own."""
    folder.mkdir()
    for file in source.parent.glob(f"{source.name}*"):
        shutil.copy(file, folder / file.name)
    return folder / source.name
