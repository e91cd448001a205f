"""Private brokers, and a district on the first of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from uplink.far_end import Mosquitto, Office, Script


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """Start a private mosquitto."""
    broker = Mosquitto(tmp_path)
    await broker.start()
    yield broker
    broker.close()


@pytest.fixture
async def office(mosquitto: Mosquitto) -> AsyncIterator[Office]:
    """Start a district on it."""
    async with Office(mosquitto.port) as office:
        yield office


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    """Start a broker that answers as the test wants."""
    async with Script() as script:
        yield script
