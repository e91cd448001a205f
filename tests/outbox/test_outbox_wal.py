"""A damaged WAL, which SQLite itself takes for the ordinary end of a power cut."""

from pathlib import Path

import pytest

from gatehouse.events import Event
from gatehouse.outbox.sqlite import PAGE
from gatehouse.outbox.store import Store
from outbox.house import NOON, alarm, put, scribe
from outbox.wrecks import contents, reopened, write_file


def _with_wal(path: Path) -> tuple[list[Event], bytes]:
    """Leave a file whose newest thirty commits are in the WAL alone."""
    told = write_file(path, 4)
    store = Store(path)
    made = scribe(told[0].store, 1, seed=9)
    made._count = 100
    for _ in range(30):
        told.append(alarm(made))
        store.write([put(told[-1])], NOON)
    wal = path.with_name("outbox.db-wal").read_bytes()
    image = path.read_bytes()
    store.abandon()
    for file in path.parent.iterdir():
        file.unlink()
    path.write_bytes(image)
    path.with_name("outbox.db-wal").write_bytes(wal)
    return told, wal


def test_a_sound_wal_is_no_damage(tmp_path: Path) -> None:
    """After every kill -9 the whole outbox would be set aside."""
    path = tmp_path / "outbox.db"
    told, _ = _with_wal(path)
    store, found = reopened(path)
    assert found is None
    assert contents(store).keys() == {event.id for event in told}
    store.abandon()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_a_damaged_wal_is_noticed(share: float, tmp_path: Path) -> None:
    """SQLite ends at the first bad frame, without a word: stored alarms would be gone unseen."""
    path = tmp_path / "outbox.db"
    told, wal = _with_wal(path)
    used = wal.rstrip(b"\0")
    at = int(len(used) * share) // PAGE * PAGE
    path.with_name("outbox.db-wal").write_bytes(wal[:at] + bytes(PAGE) + wal[at + PAGE :])
    store, found = reopened(path)
    assert found is not None
    kept = contents(store)
    assert 6 <= len(kept) < len(told)
    assert kept.keys() == {event.id for event in told[: len(kept)]}
    store.abandon()


def test_a_commit_that_was_never_finished_is_no_damage(tmp_path: Path) -> None:
    """A power cut in the middle of a commit is ordinary, wherever the last sectors went."""
    path = tmp_path / "outbox.db"
    told, wal = _with_wal(path)
    used = len(wal.rstrip(b"\0"))
    for back in (1, 100, PAGE):
        store, _ = Store(path), None
        store.abandon()
        for file in tmp_path.glob("outbox.db*"):
            file.unlink()
        told, wal = _with_wal(path)
        path.with_name("outbox.db-wal").write_bytes(wal[: used - back] + bytes(back))
        store, found = reopened(path)
        assert found is None
        assert len(contents(store)) == len(told) - 1
        store.abandon()
