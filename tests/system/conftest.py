"""Fixtures of the whole-process tests."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatehouse import contract
from gatehouse_sim.district import District
from gatehouse_sim.school import School, opened, short_folder
from system.seen import PLAN, at_rest


@pytest.fixture(autouse=True)
def as_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test whose district was told an event that does not fit the contract's types."""
    odd: list[str] = []
    stop = District.stop

    async def stopped(district: District) -> None:
        await stop(district)
        for record in district.events():
            odd.extend(f"{record.type}: {each}" for each in contract.remarks(record.event))

    monkeypatch.setattr(District, "stop", stopped)
    yield
    assert not odd


@pytest.fixture
def school_root() -> Iterator[Path]:
    """Lend a short folder for one school (socket paths end at 107 bytes); remove it afterwards."""
    root = short_folder()
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
async def school(school_root: Path) -> AsyncIterator[School]:
    """Open a school of three buttons, connected and with nothing waiting."""
    async with opened(school_root, PLAN) as school:
        await at_rest(school)
        yield school
