"""Keeping something alive beside the receiver."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from gatehouse.errors import GatehouseError

log = logging.getLogger(__name__)

_AGAIN_S: Final = (1.0, 30.0)


async def supervised(name: str, work: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
    """Do work until it returns; what fails is begun again, and told once until it is well.

    ``work`` calls what it is handed once it is well.
    """
    pause_s, longest_s = _AGAIN_S
    told = ""

    def well() -> None:
        nonlocal pause_s, told
        pause_s = _AGAIN_S[0]
        if told:
            log.info("%s works again", name)
        told = ""

    while True:
        try:
            await work(well)
        except (GatehouseError, TimeoutError) as exc:
            if str(exc) != told:
                log.error("%s does not work, and is tried on: %s", name, exc)  # noqa: TRY400  # its text says all
            told = str(exc)
        except Exception as exc:  # whatever it is, alarms are received
            log.exception("%s failed, and is tried on", name)
            told = str(exc)
        else:
            return
        await asyncio.sleep(pause_s)
        pause_s = min(longest_s, pause_s * 2)
