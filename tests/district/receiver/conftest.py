"""What the receiver's tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from district.receiver.gateway_words import Desk, desk
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_sim.broker import Broker
from sim.paho_gateway import PahoGateway, connected


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Desk]:
    """Open a keeper on a new file."""
    with desk(tmp_path / "district.db") as opened:
        yield opened


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """Start a plain broker."""
    async with Broker(tmp_path / "broker") as started:
        yield started


@pytest.fixture
async def receiver(broker: Broker, tmp_path: Path) -> AsyncIterator[Receiver]:
    """Start a receiver."""
    async with Receiver(broker.url, tmp_path / "district.db") as started:
        yield started


@pytest.fixture
async def gateway(broker: Broker) -> AsyncIterator[PahoGateway]:
    """Connect a gateway."""
    async with connected(broker.url, "gw-1") as opened:
        yield opened
