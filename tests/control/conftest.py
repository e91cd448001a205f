"""A house for each test of the control socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from control.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Give a house, and leave nothing of it behind."""
    house = House(tmp_path)
    yield house
    await house.close()
