"""What setup could not prove is struck out by what the service sees, and by nothing else."""

import asyncio
import errno
from pathlib import Path
from typing import Any, Final

import pytest

from gatehouse import events, unproven
from gatehouse.errors import MessageError
from gatehouse.events import Event, Mode
from gatehouse.service import still_unproven
from gatehouse.service.still_unproven import StillUnproven
from gatehouse.unproven import Unproven
from service.house import LIMIT_S, SCHOOL, loaded

BROKER: Final = "broker/mqtt://127.0.0.1:1"
ITEMS: Final = (
    Unproven("button/gate", unproven.PRESS, "not pressed"),
    Unproven("button/gate", unproven.RESET, "not turned"),
    Unproven("button/gate", unproven.LAMPS, "not seen"),
    Unproven(BROKER, unproven.CONNECTION, "no route"),
    Unproven("button/gone", unproven.PRESS, "taken out of the configuration since"),
)


def event(kind: str, data: dict[str, Any], subject: str = "button/gate") -> Event:
    """Return an event of a button."""
    return Event(
        id="a",
        source="/gatehouse/x",
        type=kind,
        subject=subject,
        time="2026-11-26T08:00:00.000000Z",
        store="s",
        sequence="00000001.0000000001",
        bootid="b",
        monotonic="1",
        clock="synced",
        mode=Mode.REAL,
        data=data,
    )


class Kept:
    """A keeper at work on a file, and who is told of changes."""

    def __init__(self, root: Path, items: tuple[Unproven, ...] = ITEMS) -> None:
        self.changed = asyncio.Event()
        self.state_dir = root / "state"
        self.state_dir.mkdir(exist_ok=True)
        unproven.write(self.state_dir, items)
        self.keeper = StillUnproven(loaded(root, SCHOOL).config, self.changed.set)

    @property
    def rows(self) -> set[tuple[str, str]]:
        """What the status shows."""
        return {(row["subject"], row["what"]) for row in self.keeper.rows()}

    async def on_disk(self, count: int) -> None:
        """Wait until so many stand in the file."""
        async with asyncio.timeout(LIMIT_S):
            while len(unproven.read(self.state_dir)) != count:  # noqa: ASYNC110  # a file wakes nobody
                await asyncio.sleep(0.01)


async def test_what_is_seen_is_struck_out(tmp_path: Path) -> None:
    """In the status at once, in the file soon, and what was taken out is not shown for ever."""
    kept = Kept(tmp_path)
    kept.keeper.seen(event(events.ALARM_RAISED, {"held_at_start": True}))
    task = asyncio.create_task(kept.keeper.keep())
    async with asyncio.timeout(LIMIT_S):
        await kept.changed.wait()
    assert kept.rows == {(item.subject, item.what) for item in ITEMS[:4]}
    await kept.on_disk(4)
    kept.keeper.seen(event(events.ALARM_RESET, {"by": "guard"}))
    kept.keeper.seen(event(events.ALARM_RAISED, {}, "button/office"))
    assert len(kept.rows) == 4
    kept.keeper.seen(event(events.ALARM_RAISED, {}))
    kept.keeper.seen(event(events.ALARM_RESET, {"by": "key"}))
    assert kept.rows == {("button/gate", "lamps"), (BROKER, "connection")}
    await kept.on_disk(2)
    kept.keeper.connected("mqtt://127.0.0.1:1")
    await kept.on_disk(1)
    task.cancel()


async def test_the_file_goes_with_the_last(tmp_path: Path) -> None:
    """And what came before the file was read counts as well."""
    kept = Kept(tmp_path, ITEMS[:1])
    kept.keeper.seen(event(events.ALARM_RAISED, {}))
    async with asyncio.timeout(LIMIT_S):
        await kept.keeper.keep()
    assert not unproven.place(kept.state_dir).exists()
    assert not kept.rows


async def test_a_disk_that_fails_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note is written when it can be."""
    monkeypatch.setattr(still_unproven, "_AGAIN_S", 0.01)
    kept, write, tries = Kept(tmp_path, ITEMS[:1]), unproven.write, list[int]()

    def failing(state_dir: Path, items: Any) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.EIO, "the disk is gone")
        write(state_dir, items)

    monkeypatch.setattr(unproven, "write", failing)
    kept.keeper.seen(event(events.ALARM_RAISED, {}))
    async with asyncio.timeout(LIMIT_S):
        await kept.keeper.keep()
    assert len(tries) == 3
    assert not unproven.place(kept.state_dir).exists()


async def test_a_damaged_file_stops_nothing(tmp_path: Path) -> None:
    """It is told in the log."""
    kept = Kept(tmp_path)
    unproven.place(kept.state_dir).write_bytes(b'{"unproven": [{"subject": 1}]}')
    with pytest.raises(MessageError, match="run setup again"):
        unproven.read(kept.state_dir)
    await kept.keeper.keep()
    assert kept.keeper.rows() == []
