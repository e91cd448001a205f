"""The gateway's health: a fault begins and ends with three looks in a row, and not before."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse import events, texts
from gatehouse.checks.context import Context, StatVfs
from gatehouse.checks.frame import Check, Finding, Findings, Result, fine
from gatehouse.checks.text import say
from gatehouse.contract import remarks
from gatehouse.service import documents
from gatehouse.service.health import EVERY_S, IN_A_ROW, Health, Hysteresis
from service.house import SCHOOL, MovableClock, joined, loaded

BAD = Finding(Result.FAIL, say("3 % free"), say("larger"), "disk-space")


@dataclass
class Machine:
    """What the looks find, one after the other; an exception is a look that failed."""

    found: list[Findings | Exception]
    told: list[tuple[str, bool, Any]] = field(default_factory=list)

    async def look(self, _context: Context) -> Findings:
        """Find what comes next."""
        found = self.found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def tell(
        self,
        name: str,
        begins: bool,
        *,
        family: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Note what is told; a disk's fault is of its own family."""
        assert family == ("disk" if name.startswith("disk-") else None)
        self.told.append((name, begins, data))

    def health(self, tmp_path: Path) -> Health:
        """Return the health of this machine."""
        check = Check("disk", "disk", 5.0, self.look)
        context = Context(config=loaded(tmp_path).config, clock=MovableClock(), gentle=True)
        return Health(context, self.tell, (check,), {"disk": frozenset({"disk-space"})})


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([True] * 2, []),
        ([True] * 3, [True]),
        ([True, True, False, True, True], []),
        ([False] * 3, [False]),
        ([True] * 3 + [False] * 2 + [True], [True]),
        ([True] * 3 + [False] * 3, [True, False]),
    ],
)
async def test_three_in_a_row(tmp_path: Path, looks: list[bool], told: list[bool]) -> None:
    """A disk at the very edge would else be a fault and well again every minute."""
    machine = Machine([[BAD] if bad else [fine("well")] for bad in looks])
    health = machine.health(tmp_path)
    for _ in looks:
        await health.look()
    assert [begins for name, begins, _ in machine.told if name == "disk-space"] == told
    assert all(data == {"text": "3 % free"} for _, begins, data in machine.told if begins)


async def test_a_look_that_failed_says_nothing(tmp_path: Path) -> None:
    """What hangs is not well, and not known to be bad: what stood, stands."""
    machine = Machine([[BAD], [BAD], OSError("I/O"), [BAD], OSError("I/O")])
    health = machine.health(tmp_path)
    for _ in range(5):
        await health.look()
    assert [begins for _, begins, _ in machine.told] == [True]
    assert health.document() == {"disk": "unknown"}


async def test_it_looks_again_and_again(tmp_path: Path) -> None:
    """By the clock, and not at once: a start has enough to do."""
    machine = Machine([[fine("well")], [fine("well")]])
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 2:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await machine.health(tmp_path).run(sleep)
    assert slept == [EVERY_S] * 3
    assert machine.found == []
    assert machine.told == [("health", False, None)] * 2


@given(st.lists(st.booleans(), max_size=40))
def test_nothing_is_told_without_three_in_a_row(looks: list[bool]) -> None:
    """Whatever the looks find, each answer rests on the last three of them."""
    rows = Hysteresis()
    for n, bad in enumerate(looks):
        said = rows.look(bad=bad)
        last = looks[max(0, n + 1 - IN_A_ROW) : n + 1]
        sure = len(last) == IN_A_ROW and len(set(last)) == 1
        assert said == (bad if sure else None)


async def test_the_real_checks_look_at_this_machine(tmp_path: Path) -> None:
    """They are joined with the service, write nothing, and are in its heartbeat."""
    async with joined(tmp_path, text=SCHOOL) as house:
        assert documents.heartbeat(house.rooms, None)["health"] == {}
        before = sorted(path.name for path in (tmp_path / "state").iterdir())
        await house.rooms.health.look()
        beat = documents.heartbeat(house.rooms, None)
        assert beat["health"].keys() == {"disk", "power", "memory", "certificates"}
        assert beat["health"]["certificates"] == "SKIP"
        assert sorted(path.name for path in (tmp_path / "state").iterdir()) == before
        assert json.dumps(beat["health"])


async def test_a_full_disk_is_a_fault_and_ends_as_one(tmp_path: Path) -> None:
    """All the way from the disk to the event, by the checks that the service really has."""
    async with joined(tmp_path) as house:
        texts.use("en")
        health = house.rooms.health
        well = health.context
        full = SimpleNamespace(
            f_frsize=4096, f_blocks=1000, f_bavail=1, f_files=0, f_favail=0, f_flag=0
        )
        statvfs = cast("Callable[[Path], StatVfs]", lambda _folder: full)
        health.context = replace(well, machine=replace(well.machine, statvfs=statvfs))
        for _ in range(IN_A_ROW):
            await health.look()
        (fault,) = [f for f in documents.status(house.rooms)["faults"] if "disk" in f["fault"]]
        assert fault["fault"] == "disk-space"
        assert "0.0 GB free" in fault["text"]
        roomy = SimpleNamespace(**{**vars(full), "f_blocks": 10**8, "f_bavail": 10**8})
        statvfs = cast("Callable[[Path], StatVfs]", lambda _folder: roomy)
        health.context = replace(well, machine=replace(well.machine, statvfs=statvfs))
        for _ in range(IN_A_ROW):
            await health.look()
        told = [e for e in await house.told() if e.data.get("fault") == "disk-space"]
        assert [e.type for e in told] == [events.DISK_FAULT, events.DISK_RESTORED]
        assert [remarks(event) for event in told] == [[], []]
