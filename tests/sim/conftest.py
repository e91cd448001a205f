"""A simulated district, its broker, and a gateway of the tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatehouse_sim.broker import Broker
from gatehouse_sim.district import District
from sim.paho_gateway import PahoGateway, connected


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Start a plain broker."""
    async with Broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def district(broker: Broker, tmp_path: Path) -> AsyncIterator[District]:
    """Start a district."""
    async with District(broker.url, tmp_path / "district.db") as district:
        yield district


@pytest.fixture
async def gateway(broker: Broker) -> AsyncIterator[PahoGateway]:
    """Connect a gateway."""
    async with connected(broker.url, "gw-1") as gateway:
        yield gateway
