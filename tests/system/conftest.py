"""Fixtures of the whole-process tests."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gatehouse_sim.school import School, opened, short_folder
from system.seen import PLAN, at_rest


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
