"""The outbox's file is cut short, overwritten, from the future, or gone: the service starts."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gatehouse_sim.school import GATEWAY, Plan, School, opened
from system.fault_steps import arrived, ended, press, stands, told, well, whole

Damage = Callable[[Path], None]


def truncated(file: Path) -> None:
    """Cut a file behind its first pages, where half of the tables would begin."""
    with file.open("r+b") as open_file:
        open_file.truncate(5 * 4096)


def one_page_zeroed(file: Path) -> None:
    """Overwrite the page in which events lie."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as open_file:
        open_file.seek((root - 1) * size)
        open_file.write(bytes(size))


def garbage(file: Path) -> None:
    """Overwrite the whole file."""
    file.write_bytes(b"\xde\xad\xbe\xef" * (file.stat().st_size // 4))


def beginning_lost(file: Path) -> None:
    """Overwrite the head, by which a database is known."""
    with file.open("r+b") as open_file:
        open_file.write(bytes(4096))


async def with_one_waiting(school: School) -> tuple[str, str]:
    """Stop the agent in order while an alarm waits; return that alarm and the store."""
    await well(school)
    await school.broker.stop()
    await school.agent.wait_for(lambda s: s["link"]["state"] != "connected")
    alarm = await press(school)
    await school.agent.stop()
    await school.broker.start()
    return alarm, str(school.district.states[-1].body["store"])


def outbox(school: School) -> Path:
    """Return the outbox's file."""
    return school.place.state_dir / "outbox.db"


@pytest.mark.parametrize("damage", [truncated, one_page_zeroed, garbage, beginning_lost])
async def test_damaged_outbox(school_root: Path, damage: Damage) -> None:
    """It is set aside and told, what can be read goes on, and a press is never refused for it."""
    async with opened(school_root, Plan()) as school:
        waits, store = await with_one_waiting(school)
        damage(outbox(school))
        await school.agent.start()
        fault = await stands(school, "outbox-damaged")
        kept = school.place.state_dir / fault["kept_as"]
        assert kept.exists()
        alarm = await press(school)
        await arrived(school.district, alarm)
        await well(school)
        fresh = school.district.record(alarm)
        assert fresh is not None
        assert fresh.event.store != store
        assert fault["lost"] is None or fault["lost"] > 0 or school.district.record(waits)
        assert school.district.conflicts == []
        assert not school.district.missing(GATEWAY)
        await school.district.wait_for(lambda d: told(d, "fault", "outbox-damaged"))
        await school.agent.stop()
        await school.agent.start()
        await well(school)
        await ended(school, "outbox-damaged")
        assert told(school.district, "restored", "outbox-damaged") == 1


async def test_outbox_cut_within_its_reserve(school_root: Path) -> None:
    """Half a file may hold all that was said: then nothing may be lost of it, now or later."""
    async with opened(school_root, Plan()) as school:
        waits, _ = await with_one_waiting(school)
        with outbox(school).open("r+b") as file:
            file.truncate(outbox(school).stat().st_size // 2)
        await school.agent.start()
        alarms = [waits, *[await press(school) for _ in range(3)]]
        await arrived(school.district, *alarms)
        await well(school)
        await school.agent.kill()
        await school.agent.start()
        alarms.append(await press(school))
        await arrived(school.district, *alarms)
        await whole(school)


async def test_outbox_of_a_newer_version(school_root: Path) -> None:
    """After a step back to an older Gatehouse its file is kept untouched, and never salvaged."""
    async with opened(school_root, Plan()) as school:
        _, store = await with_one_waiting(school)
        with contextlib.closing(sqlite3.connect(outbox(school))) as db:
            db.execute("PRAGMA user_version = 99")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        newer = outbox(school).read_bytes()
        await school.agent.start()
        fault = await stands(school, "outbox-newer")
        assert fault["version"] == 99
        assert (school.place.state_dir / fault["kept_as"]).read_bytes() == newer
        await ended(school, "outbox-damaged")
        alarm = await press(school)
        await arrived(school.district, alarm)
        await well(school)
        fresh = school.district.record(alarm)
        assert fresh is not None
        assert fresh.event.store != store
        assert school.district.conflicts == []


async def test_outbox_lost(school_root: Path) -> None:
    """A new card: a new store, numbered from one, and nothing is waited for."""
    async with opened(school_root, Plan()) as school:
        _, store = await with_one_waiting(school)
        for file in school.place.state_dir.glob("outbox*"):
            file.unlink()
        await school.agent.start()
        alarm = await press(school)
        await arrived(school.district, alarm)
        await well(school)
        fresh = school.district.record(alarm)
        assert fresh is not None
        assert fresh.event.store != store
        assert fresh.event.start == 1
        starts = school.district.events(GATEWAY, "gatehouse.gateway.started")
        assert starts[-1].event.data["previous"] is None
        assert school.district.conflicts == []
        assert not school.district.missing(GATEWAY)
