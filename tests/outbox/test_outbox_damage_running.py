"""Damage that is met while the service runs."""

import os
import sqlite3
from pathlib import Path

import pytest

from gatehouse.outbox import sqlite
from gatehouse.outbox.sqlite import PAGE, DamagedError
from outbox.house import opened, until
from outbox.wrecks import DAMAGED


def _spoil(path: Path, *, keep_pages: int) -> None:
    """Overwrite the end of a file that is in use, as a card does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(keep_pages * PAGE)
        file.write(os.urandom(size - keep_pages * PAGE))


async def test_damage_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits must go on, numbers stay unique, and what is lost be told."""
    real = sqlite.connect

    def forgetful(path: Path) -> sqlite3.Connection:
        db = real(path)
        db.execute("PRAGMA cache_size = 1")  # so that the damage is met at once
        return db

    monkeypatch.setattr(sqlite, "connect", forgetful)
    path = tmp_path / "outbox.db"
    async with opened(path) as house:
        first = [house.alarm(location="x" * 900) for _ in range(30)]
        await house.settled()
        await house.idle()
        _spoil(path, keep_pages=2)
        house.outbox._memory._recent.pop(first[3].id)
        second = [house.alarm("hall") for _ in range(5)]
        await house.settled()
        assert house.heard.of(DAMAGED) == [True]
        pending = [entry.id for entry in house.outbox.pending]
        assert set(pending) == {e.id for e in (*first, *second)} - {first[3].id}
        assert set(await house.outbox.bodies(pending)) == set(pending)
        numbers = [event.sequence for event in (*first, *second)]
        assert len(set(numbers)) == 35
    async with opened(path) as after:
        assert {entry.id for entry in after.opening.pending} == set(pending)
        assert after.opening.store != house.opening.store
        assert after.opening.start == 1


async def test_a_reader_that_finds_damage_has_it_mended(tmp_path: Path) -> None:
    """An event that cannot be read would be asked for again and again, and never be told lost."""
    path = tmp_path / "outbox.db"
    async with opened(path) as house:
        events_ = [house.other(text="x" * 9000) for _ in range(20)]
        await house.settled()
        await house.idle()
        house.outbox._memory._recent.clear()
        raw = path.read_bytes()
        at = raw.index(b"x" * 4000) // PAGE * PAGE
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"\xff" * PAGE)
        with pytest.raises(DamagedError):
            await house.outbox.bodies([event.id for event in events_])
        await until(lambda: house.heard.of(DAMAGED) == [True])
        left = [entry.id for entry in house.outbox.pending]
        assert 15 <= len(left) < 20
        assert set(await house.outbox.bodies(left)) == set(left)
