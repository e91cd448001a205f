"""The outbox: a disk that refuses, gives back something else, or has no room; a damaged file."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from checks.rig import FAIL, OK, SKIP, WARN, Rig, Room, assert_says
from gatehouse.checks import outbox, scratch
from gatehouse.clock import SystemClock
from gatehouse.control import protocol
from gatehouse.errors import ControlError, OutboxError
from gatehouse.outbox import Outbox
from gatehouse.outbox.reader import Reserve

WELL = {"sound": True, "slices": 96, "of": 96}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Outbox]:
    """Open a real outbox."""
    store, _ = await Outbox.open(
        folder / "outbox.db",
        clock=SystemClock("boot"),
        random=os.urandom,
        on_stored=lambda _id, _at: None,
        on_trouble=lambda *_: None,
    )
    try:
        yield store
    finally:
        await store.close(60)


async def examined(store: Outbox) -> Reserve:
    """Examine it as soon as it is open."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await store.examine()
            except OutboxError:  # not yet; it tells nobody when
                await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "result", "words"),
    [
        (WELL, OK, ("room for 10000 alarms", "written in")),
        ({**WELL, "slices": 48}, WARN, ("room for 5000 alarms", "in a minute")),
        ({"sound": False, "text": "page 7"}, FAIL, ("page 7", "restart gatehouse-alarm")),
        (ControlError("what?", protocol.UNKNOWN), OK, ("older than this command",)),
    ],
)
async def test_the_running_service_is_asked(
    rig: Rig, answer: Any, result: Any, words: tuple[str, ...]
) -> None:
    """It lets nobody else at its file."""
    async with rig.service({"outbox-check": answer}):
        assert_says(await rig.run(outbox.CHECK), result, *words)


async def test_no_room_to_make_room(rig: Rig) -> None:
    """On a full disk the room for alarms will never be made."""
    rig.room = Room(f_bavail=1000)
    async with rig.service({"outbox-check": {**WELL, "slices": 10}}):
        assert_says(await rig.run(outbox.CHECK), FAIL, "50 MB more space")


async def test_without_the_service_the_file_is_read(rig: Rig) -> None:
    """A technician asks before the service runs for the first time, too."""
    assert_says(await rig.run(outbox.CHECK), OK, "no outbox yet")
    async with opened(rig.state) as store:
        reserve = await examined(store)
    assert 0 <= reserve.slices <= reserve.of
    outcome = await rig.run(outbox.CHECK)
    assert outcome.result in {OK, WARN}, outcome.figure()
    assert "sound" in outcome.figure()
    file = rig.state / "outbox.db"
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 12] = os.urandom(4096 * 9)
    file.write_bytes(content)
    (rig.state / "outbox.db-wal").unlink(missing_ok=True)
    assert_says(await rig.run(outbox.CHECK), FAIL, "damaged", "restart gatehouse-alarm")


async def test_a_running_outbox_is_examined_beside_its_writer(rig: Rig) -> None:
    """The question must neither hurt the writer nor be refused."""
    async with opened(rig.state) as store:
        await examined(store)
        assert (await store.examine()).of == 96


async def test_a_disk_that_cannot_be_written(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only card keeps nothing."""

    def refuse(_scratch: scratch.Scratch, _content: bytes) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(scratch.Scratch, "write", refuse)
    assert_says(await rig.run(outbox.CHECK), FAIL, "Read-only", "writable")


async def test_a_card_that_loses_what_it_is_given(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forged cards take everything and give back zeros."""
    monkeypatch.setattr(scratch.Scratch, "read", lambda _scratch: b"\0" * 65_536)
    assert_says(await rig.run(outbox.CHECK), FAIL, "other bytes", "change the card")


async def test_a_slow_card(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is about to die."""
    monkeypatch.setattr(outbox, "_SLOW_MS", 0.0)
    assert_says(await rig.run(outbox.CHECK), WARN, "change the card")


async def test_whoever_may_not_write_is_told_to_use_sudo(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That this user may not is no fault of the installation; that the owner may not is."""

    def refuse(_scratch: scratch.Scratch, _content: bytes) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(scratch.Scratch, "write", refuse)
    assert_says(await rig.run(outbox.CHECK), FAIL, "writable")
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    outcome = await rig.run(outbox.CHECK)
    assert "use sudo" in outcome.figure()
    assert outcome.findings[0].result is SKIP


async def test_nothing_is_left_behind(rig: Rig) -> None:
    """A file left on each run would fill the disk that is to be proven."""
    await rig.run(outbox.CHECK)
    assert list(rig.state.iterdir()) == []
