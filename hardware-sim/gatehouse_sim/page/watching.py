"""Keeps what the page shows up to date, over all deaths and starts of the services."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from gatehouse.errors import GatehouseError
from gatehouse_sim.page import board_link
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.school import School
from gatehouse_sim.video import verdicts

_AGAIN_S: Final = 0.05
_LOOK_S: Final = 1.0
"""How often the video service is asked: its socket wakes nobody."""


@contextlib.asynccontextmanager
async def watched(school: School, stand: Stand) -> AsyncIterator[None]:
    """Watch the board, the agent and the cameras while this is open."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(each)
            for each in (_board(school, stand), _agent(school, stand), _cameras(school, stand))
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _board(school: School, stand: Stand) -> None:
    while True:
        await school.agent.started.wait()
        with contextlib.suppress(OSError):
            async with contextlib.aclosing(board_link.follow(school.place.wiring)) as lines:
                async for line in lines:
                    if "pins" in line:
                        stand.board_came(line["pins"])
                    else:
                        stand.edge(line["pin"], line["level"])
        stand.board_went()
        await asyncio.sleep(_AGAIN_S)  # an agent that died by itself is asked in vain


async def _agent(school: School, stand: Stand) -> None:
    while True:
        await school.agent.started.wait()
        with contextlib.suppress(OSError):
            async with contextlib.aclosing(school.agent.watch()) as statuses:
                async for status in statuses:
                    stand.status = status
                    stand.changed()
        stand.status = None
        stand.changed()
        await asyncio.sleep(_AGAIN_S)


async def _cameras(school: School, stand: Stand) -> None:
    while school.plan.cameras:
        await stand.watched.wait()
        try:
            now = verdicts(await school.video.cameras())
        except (GatehouseError, OSError):
            now = {}  # it is not there: nothing is known
        if now != stand.verdicts:
            stand.verdicts = now
            stand.changed()
        await asyncio.sleep(_LOOK_S)
