"""Finding the configuration, the database, and the service that runs by it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar

from gatehouse import texts
from gatehouse.control import client
from gatehouse.errors import NotRunningError
from gatehouse.texts import _
from gatehouse_district.config import Config, config_path, read
from gatehouse_district.ports import Records
from gatehouse_district.receiver.reading import Reading

T = TypeVar("T")

UNIT: Final = "gatehouse-district"


def open_config(given: str | None) -> Config:
    """Read the configuration in force, and speak its language. Raises ConfigError."""
    config = read(config_path(given, os.environ))
    texts.use(config.district.language)
    return config


def look(config: Config, question: Callable[[Records], Awaitable[T]]) -> T:
    """Read what is on the disk, whether or not the service runs.

    Raises DistrictStoreError, and NotRunningError where it never did.
    """
    if not config.district.database.exists():
        said = _("nothing was received yet: there is no {path}; has the service ever run?")
        raise NotRunningError(said.format(path=config.district.database))

    async def reading() -> T:
        async with Reading(config.district.database) as records:
            return await question(records)

    return asyncio.run(reading())


def ask(config: Config, request: dict[str, Any]) -> dict[str, Any]:
    """Ask the running service. Raises NotRunningError, ControlError."""
    return client.ask(config.district.socket, request, unit=UNIT)


def stream(config: Config, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Follow what the running service says until it stops or we do. Raises like `ask`."""
    return client.stream(config.district.socket, request, unit=UNIT)
