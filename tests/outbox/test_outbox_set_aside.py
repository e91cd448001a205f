"""What else may lie in the file's place: garbage, a newer file, another's, nothing."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gatehouse.outbox.sqlite import VERSION
from outbox.house import opened
from outbox.wrecks import DAMAGED, write_file

GARBAGE: dict[str, Callable[[], bytes]] = {
    "text": lambda: "这不是数据库\n".encode() * 1000,
    "random": lambda: os.urandom(50_000),
    "one byte": lambda: b"x",
    "head alone": lambda: b"SQLite format 3\0" + bytes(84),
    "head and garbage": lambda: b"SQLite format 3\0" + bytes(84) + os.urandom(50_000),
    "zeros": lambda: bytes(50_000),
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage(kind: str, tmp_path: Path) -> None:
    """Whatever lies in the file's place, the service starts, and keeps what it found."""
    path = tmp_path / "outbox.db"
    garbage = GARBAGE[kind]()
    path.write_bytes(garbage)
    async with opened(path) as house:
        [trouble] = house.opening.trouble
        assert (trouble.fault, trouble.data["salvaged"]) == (DAMAGED, 0)
        assert (tmp_path / trouble.data["kept_as"]).read_bytes() == garbage
        raised = house.alarm()
        await house.settled()
        assert house.heard.stored == [raised.id]


async def test_a_folder_in_the_files_place(tmp_path: Path) -> None:
    """Somebody's `mkdir outbox.db` must not keep every alarm from the disk."""
    path = tmp_path / "outbox.db"
    (path / "inside").mkdir(parents=True)
    async with opened(path) as house:
        [trouble] = house.opening.trouble
        assert trouble.fault == DAMAGED
        assert (tmp_path / trouble.data["kept_as"] / "inside").is_dir()
        house.alarm()
        await house.settled()


async def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A read-only card: the service works from memory and says so."""
    del tmp_path
    async with opened(Path("/proc/gatehouse/outbox.db")) as house:
        assert [t.fault for t in house.opening.trouble] == ["outbox-start", "outbox-disk"]
        raised = house.alarm()
        assert list(await house.outbox.bodies([raised.id])) == [raised.id]
        assert [row.pending for row in await house.outbox.log(limit=5, pending_only=True)] == [True]


async def test_somebody_elses_database(tmp_path: Path) -> None:
    """A sound database with other tables is not ours to write to."""
    path = tmp_path / "outbox.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE cats (name); INSERT INTO cats VALUES ('Tom');")
        db.execute(f"PRAGMA user_version = {VERSION}")
    async with opened(path) as house:
        [trouble] = house.opening.trouble
        assert trouble.fault == DAMAGED
        with closing(sqlite3.connect(tmp_path / trouble.data["kept_as"])) as db:
            assert db.execute("SELECT name FROM cats").fetchall() == [("Tom",)]
        house.alarm()
        await house.settled()


async def test_newer_is_set_aside_untouched(tmp_path: Path) -> None:
    """After a downgrade the newer file must be there for the next upgrade, byte by byte."""
    path = tmp_path / "outbox.db"
    write_file(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
        db.execute("CREATE TABLE new_things (a)")
        held = sqlite3.connect(path)  # so that closing leaves the WAL
        held.execute("SELECT * FROM new_things").fetchall()
    wal = path.with_name("outbox.db-wal")
    image, image_wal = path.read_bytes(), wal.read_bytes() if wal.exists() else None
    held.close()
    path.write_bytes(image)
    if image_wal is not None:
        wal.write_bytes(image_wal)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    image = path.read_bytes()
    wal.write_bytes(b"not for us to read")
    async with opened(path) as house:
        [trouble] = house.opening.trouble
        assert trouble.fault == "outbox-newer"
        assert (trouble.data["version"], trouble.data["known"]) == (VERSION + 1, VERSION)
        kept = tmp_path / trouble.data["kept_as"]
        assert kept.read_bytes() == image
        assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"not for us to read"
        assert "damaged" not in kept.name
        assert house.opening.pending == ()
        store, raised = house.opening.store, house.alarm()
        await house.settled()
    async with opened(path) as again:
        assert again.opening.store == store
        assert [entry.id for entry in again.opening.pending] == [raised.id]


async def test_lost_is_a_new_store(tmp_path: Path) -> None:
    """With the old store's name the numbers of a new card would mean two events."""
    path = tmp_path / "outbox.db"
    async with opened(path) as house:
        house.alarm()
        await house.settled()
        first = house.opening
    shutil.rmtree(tmp_path)
    async with opened(path) as house:
        assert house.opening.store != first.store
        assert (house.opening.start, house.opening.previous) == (1, None)
        assert house.opening.trouble == ()
