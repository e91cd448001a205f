"""Damaged files: the service starts, and everything that can be read is taken over."""

import os
import shutil
from pathlib import Path

import pytest

from gatehouse import events
from gatehouse.outbox import salvage
from gatehouse.outbox.sqlite import PAGE
from gatehouse.outbox.store import Store
from outbox.house import NOON, rows
from outbox.wrecks import contents, copied, reopened, write_file


def test_each_page_in_turn(tmp_path: Path) -> None:
    """Cards lose pages: whichever it is, the service starts with every row of the others."""
    source = tmp_path / "sound" / "outbox.db"
    told = {event.id: events.encode(event) for event in write_file(source)}
    before = Store(source)
    whole = contents(before)
    before.abandon()
    raw = source.read_bytes()
    bad = 0
    for page in range(len(raw) // PAGE):
        folder = tmp_path / f"page-{page}"
        path = copied(source, folder)
        path.write_bytes(raw[: page * PAGE] + bytes(PAGE) + raw[(page + 1) * PAGE :])
        store, found = reopened(path)
        kept = contents(store)
        for event_id, (body, waits) in kept.items():
            assert body == told[event_id], f"page {page}"
            assert waits == whole[event_id][1], f"page {page}"
        if found is None:
            assert kept == whole, f"page {page}: not noticed"
        else:
            bad += 1
            [aside] = folder.glob("outbox.damaged-*.db")
            assert found["kept_as"] == aside.name
            assert found["salvaged"] == len(kept)
            assert found["lost"] in {None, len(whole) - len(kept)}, f"page {page}"
            assert len(kept) >= len(whole) - 8 or _holds_the_table(raw, page), f"page {page}"
            assert store.meta("store") not in {e.store for e in map(events.decode, told.values())}
        store.abandon()
        shutil.rmtree(folder)
    assert bad > 10


def _holds_the_table(raw: bytes, page: int) -> bool:
    """Whether a page is the inner node of a table, without which SQLite finds no row."""
    return raw[page * PAGE] == 5 or page == 0


def test_the_first_page_is_replaced(tmp_path: Path) -> None:
    """The page that is written most often must not take the whole file with it."""
    path = tmp_path / "outbox.db"
    told = write_file(path)
    raw = path.read_bytes()
    path.write_bytes(bytes(PAGE) + raw[PAGE:])
    store, found = reopened(path)
    assert found is not None
    assert (found["salvaged"], found["lost"]) == (len(told), 0)
    assert [each.id for each in store.waiting()] == [e.id for e in told[2::2]]
    store.abandon()
    assert not list(tmp_path.glob("*graft*"))


def test_what_is_salvaged_stands_as_before(tmp_path: Path) -> None:
    """Alarms, stages, receipts, answers, replayed commands, times: all of it is the guard's."""
    path = tmp_path / "outbox.db"
    told = write_file(path)
    before = Store(path)
    alarms, commands = before.alarms(), before.commands(NOON)
    times = rows(before, "SELECT id, stored_unix FROM events ORDER BY n")
    before.abandon()
    store = salvage.salvage(path, NOON, os.urandom)
    assert store.alarms() == alarms
    assert store.alarms()[-1].acknowledged
    assert store.commands(NOON) == commands
    assert rows(store, "SELECT id, stored_unix FROM events ORDER BY n") == times
    assert [event.id for event in told] == [id_ for id_, _ in times]
    store.abandon()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated(share: float, tmp_path: Path) -> None:
    """A file that lost its end, its second half, or all of it."""
    path = tmp_path / "outbox.db"
    told = write_file(path)
    os.truncate(path, int(path.stat().st_size * share))
    store, found = reopened(path)
    kept = contents(store)
    assert kept.keys() <= {event.id for event in told}
    if share == 0.0:
        assert found is None, "an empty file is a new one"
    elif share > 0.99:
        assert len(kept) > len(told) // 2
    else:
        assert found is not None
    store.abandon()
