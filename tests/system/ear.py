"""An ear at a school's broker: what comes there, in its order, whoever else listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiomqtt
import msgspec

from gatehouse.uplink.topics import Topics
from gatehouse_sim.school import GATEWAY, School
from system.fault_steps import LONG_S

TOPICS: Final = Topics.of(GATEWAY)


class Ear:
    """Hears at the broker itself what comes, in its order."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._more = asyncio.Event()

    def pictures(self) -> list[str]:
        """Return the pictures that came: alarm and number."""
        way = f"{TOPICS.pictures}/"
        return [each.removeprefix(way) for each in self.heard if each.startswith(way)]

    async def until(self, count: int) -> None:
        """Wait until so many pictures came."""
        async with asyncio.timeout(LONG_S):
            while len(self.pictures()) < count:
                self._more.clear()
                await self._more.wait()

    async def alarm(self, alarm: str) -> int:
        """Wait until an alarm came; return its place in what was heard."""
        async with asyncio.timeout(LONG_S):
            while alarm not in self.heard:
                self._more.clear()
                await self._more.wait()
        return self.heard.index(alarm)

    async def listen(self, port: int, ready: asyncio.Event) -> None:
        """Note what comes, until cancelled."""
        version = aiomqtt.ProtocolVersion.V5
        async with aiomqtt.Client("127.0.0.1", port, protocol=version) as client:
            await client.subscribe([(f"{TOPICS.pictures}/#", 1), (TOPICS.alarm, 1)])
            ready.set()
            async for message in client.messages:
                topic = str(message.topic)
                if topic == TOPICS.alarm:
                    topic = msgspec.json.decode(bytes(message.payload))["id"]
                self.heard.append(topic)
                self._more.set()


@asynccontextmanager
async def ear(school: School) -> AsyncIterator[Ear]:
    """Listen at the school's broker, which asks nobody who he is."""
    heard, ready = Ear(), asyncio.Event()
    task = asyncio.create_task(heard.listen(school.broker.port, ready))
    async with asyncio.timeout(LONG_S):
        await ready.wait()
    yield heard
    while not task.done():  # Python 3.11: aiomqtt's wait_for may swallow a cancelling
        task.cancel()
        await asyncio.wait((task,), timeout=1)
