"""Fixtures of the whole-process tests."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from gatehouse import contract
from gatehouse.contract import messages
from gatehouse_sim.district import District
from gatehouse_sim.school import School, opened, short_folder
from system.seen import PLAN, at_rest


@pytest.fixture(autouse=True)
def as_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test whose district was told something that does not fit the contract's types."""
    odd: list[str] = []
    stop = District.stop

    async def stopped(district: District) -> None:
        await stop(district)
        odd.extend(_odd(district))

    monkeypatch.setattr(District, "stop", stopped)
    yield
    assert not odd


def _odd(district: District) -> Iterator[str]:
    """Yield what does not fit, of all that a district heard."""
    for record in district.events():
        yield from (f"{record.type}: {each}" for each in contract.remarks(record.event))
    heard: list[tuple[object, type]] = [(each.body, messages.Reply) for each in district.replies]
    heard += [(each.body, messages.Heartbeat) for each in district.telemetry]
    for state in district.states:
        heard.append((state.body, messages.Birth if state.online else messages.Offline))
    for body, kind in heard:
        try:
            msgspec.convert(body, kind)
        except msgspec.ValidationError as exc:
            yield f"{kind.__name__}: {exc}"


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
