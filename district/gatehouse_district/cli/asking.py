"""Finding the configuration, the database, and the service that runs by it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar

from gatehouse import texts
from gatehouse.control import client
from gatehouse_district.config import Config, config_path, read
from gatehouse_district.ports import Records

T = TypeVar("T")

UNIT: Final = "gatehouse-district"


def open_config(given: str | None) -> Config:
    """Read the configuration in force, and speak its language. Raises ConfigError."""
    config = read(config_path(given, os.environ))
    texts.use(config.district.language)
    return config


def look(config: Config, question: Callable[[Records], Awaitable[T]]) -> T:
    """Read what is on the disk, whether or not the service runs. Raises DistrictStoreError."""

    async def reading() -> T:
        raise NotImplementedError

    return asyncio.run(reading())


def ask(config: Config, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the running service. Raises NotRunningError, ControlError."""
    return client.ask(config.district.socket, request, unit=UNIT)


def stream(config: Config, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Follow what the running service says until it stops or we do. Raises like `ask`."""
    return client.stream(config.district.socket, request, unit=UNIT)
