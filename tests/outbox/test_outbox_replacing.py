"""A file is replaced in steps, of which none loses anything; what was found is told."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gatehouse.events import Happening
from gatehouse.outbox import salvage
from gatehouse.outbox.sqlite import PAGE
from gatehouse.outbox.store import Store
from outbox.house import NOON, opened
from outbox.wrecks import DAMAGED, contents, reopened, write_file


async def test_damage_is_told_until_its_fault_is_stored(tmp_path: Path) -> None:
    """A crash right after the salvage would hide that events were lost."""
    path = tmp_path / "outbox.db"
    write_file(path)
    os.truncate(path, path.stat().st_size // 2)
    said = None
    for _ in range(2):
        async with opened(path) as house:
            [trouble] = house.opening.trouble
            assert said in {None, trouble.data["salvaged"]}
            said = trouble.data["salvaged"]
            fault = {"fault": trouble.fault, **trouble.data}
    async with opened(path) as house:
        event = house.scribe.write(Happening("gatehouse.gateway.fault", "gateway", fault))
        house.put(event)
        await house.settled()
    async with opened(path) as house:
        assert house.opening.trouble == ()
        assert [stood.fault for stood in house.opening.faults] == [DAMAGED]


def test_damaged_files_do_not_pile_up(tmp_path: Path) -> None:
    """A dying card must not be filled by what is kept of it; newer files are never touched."""
    path = tmp_path / "outbox.db"
    newer = tmp_path / "outbox.newer-20260101T000000000000Z.db"
    newer.write_bytes(b"kept")
    for turn in range(9):
        path.write_bytes(b"garbage")
        salvage.open_store(path, NOON + turn, os.urandom).abandon()
    assert len(list(tmp_path.glob("outbox.damaged-*.db"))) == 5
    assert newer.read_bytes() == b"kept"


# kill -9 while a file is replaced.


Again = Callable[[Path, float, Callable[[int], bytes]], Store]


class KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("again", [salvage.open_store, salvage.salvage])
@pytest.mark.parametrize("step", range(12))
def test_killed_while_replacing(
    step: int, again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Salvaging takes long: a second power cut meanwhile must lose nothing of what was readable."""
    path = tmp_path / "outbox.db"
    told = write_file(path)
    raw = path.read_bytes()
    path.write_bytes(bytes(PAGE) + raw[PAGE:])
    steps = 0

    def step_by_step(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: object, **kwargs: object) -> object:
            nonlocal steps
            steps += 1
            if steps == step + 1:
                raise KilledError
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    step_by_step(os, "link")
    step_by_step(Path, "rename")
    step_by_step(Path, "unlink")
    step_by_step(salvage, "_sync")
    step_by_step(Store, "finish")
    with suppress(KilledError):
        salvage.open_store(path, NOON, os.urandom).abandon()
    monkeypatch.undo()
    again(path, NOON + 1, os.urandom).abandon()  # a start, or the same thread once more
    store, found = reopened(path)
    assert found is not None
    assert found["salvaged"] == len(told)
    assert contents(store).keys() == {event.id for event in told}
    aside = tmp_path / str(found["kept_as"])
    assert aside.read_bytes()[PAGE:] == raw[PAGE:]
    store.abandon()
