"""Killed at any moment, the receiver has what it receipted (issue 5's first "done when")."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from gatehouse import events, files
from gatehouse_district.receiver import schema
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.broker import Broker
from gatehouse_sim.child import die_with_parent
from sim.paho_gateway import LIMIT_S, PahoGateway, Writer

PROGRAM = Path(__file__).with_name("program.py")
A_ROUND = 100


@asynccontextmanager
async def running(url: str, path: Path) -> AsyncIterator[None]:
    """Run a receiver; SIGKILL it at the end."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, PROGRAM, url, path),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(LIMIT_S * 3):
            assert await child.stdout.readline() == b"ready\n"
        yield
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


def on_disk(path: Path) -> set[str]:
    """Return the ids of all events in the file; it is whole, and what is told from it too."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("BEGIN")  # one look: a receiver may be writing
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        ids = {id_ for (id_,) in db.execute("SELECT id FROM event")}
        assert ids == {id_ for (id_,) in db.execute("SELECT id FROM alarm")}
        (seen,) = db.execute("SELECT coalesce(sum(last - first + 1), 0) FROM seen").fetchone()
        assert seen == len(ids)
    return ids


@pytest.mark.parametrize("rounds", [5, pytest.param(30, marks=pytest.mark.campaign)])
async def test_killed_it_has_lost_nothing_that_it_receipted(
    broker: Broker, gateway: PahoGateway, tmp_path: Path, rounds: int
) -> None:
    """Without it the word receipt would mean no more than PUBACK."""
    path, writer = tmp_path / "district.db", Writer("gw-1")
    receipted: set[str] = set()
    sent: set[str] = set()
    for number in range(rounds):
        async with running(broker.url, path):
            written = [writer.write() for _ in range(A_ROUND)]
            sent |= {event.id for event in written}
            sending = [
                asyncio.create_task(gateway.publish(writer.topic, events.encode(event)))
                for event in written
            ]
            receipted |= set(await gateway.receipted(1 + 37 * number % A_ROUND))
        assert set(await asyncio.gather(*sending)) <= {0, 0x10}
        while not gateway.heard.empty():
            receipted |= set(await gateway.receipted(1))
        assert receipted <= on_disk(path)
    async with Receiver(broker.url, path) as receiver:
        async with asyncio.timeout(LIMIT_S * 3):
            while (await receiver.records.gateways())[0].lacking or on_disk(path) != sent:
                await receiver.news.newer(receiver.news.revision)
        assert (await receiver.records.gateways())[0].open_alarms == len(sent)


def test_a_new_folder_is_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a power cut in the first minute takes the file, and receipts were sent."""
    synced: list[Path] = []
    monkeypatch.setattr(files, "sync", synced.append)
    schema.open_for_writing(tmp_path / "a" / "b" / "d.db").close()
    assert synced == [tmp_path, tmp_path / "a"]
