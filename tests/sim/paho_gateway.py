"""A gateway of the tests: plain paho in its own thread; shares no code with what is tested."""

import asyncio
import itertools
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse_sim.identity import Identity

LIMIT_S: Final = 60.0
T = TypeVar("T")


class PahoGateway:
    """Publishes and hears; every answer of the broker comes with its reason code."""

    def __init__(self, client_id: str, files: Identity | None = None) -> None:
        self.heard: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._answers: dict[tuple[str, int], asyncio.Future[int]] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
        if files is not None:
            context = ssl.create_default_context(cafile=files.ca)
            context.load_cert_chain(files.cert, files.key)
            self._client.tls_set_context(context)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    async def connect(self, url: str) -> int:
        """Connect; return the code of the CONNACK. Raises OSError, ssl.SSLError."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 0
        await asyncio.to_thread(self._client.connect, host, port)
        self._client.loop_start()
        return await self._answer("connect", 0)

    async def publish(self, topic: str, body: bytes | str, *, retain: bool = False) -> int:
        """Publish with QoS 1; return the code of the PUBACK."""
        mid = self._client.publish(topic, body, qos=1, retain=retain).mid
        return await self._answer("publish", mid)

    async def subscribe(self, topic: str) -> int:
        """Subscribe with QoS 1; return the code of the SUBACK."""
        _, mid = self._client.subscribe(topic, qos=1)
        return await self._answer("subscribe", mid or 0)

    async def reply(self, gateway: str, body: dict[str, Any], correlation: bytes) -> int:
        """Answer a command."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own
        properties.CorrelationData = correlation
        said = json.dumps(body)
        topic = f"gatehouse/v1/{gateway}/up/reply"
        mid = self._client.publish(topic, said, qos=1, properties=properties).mid
        return await self._answer("publish", mid)

    async def next(self) -> MQTTMessage:
        """Return the next message. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            return await self.heard.get()

    async def receipted(self, count: int) -> list[str]:
        """Return the next so many event ids for which receipts come."""
        ids: list[str] = []
        while len(ids) < count:
            message = await self.next()
            if message.topic.endswith("/receipt"):
                ids += json.loads(message.payload)["ids"]
        return ids

    async def close(self) -> None:
        """Disconnect and end the thread."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        self._client._reset_sockets()  # its thread may end before it closes them

    async def _answer(self, kind: str, mid: int) -> int:
        async with asyncio.timeout(LIMIT_S):
            return await self._future((kind, mid))

    def _future(self, key: tuple[str, int]) -> "asyncio.Future[int]":
        return self._answers.setdefault(key, self._loop.create_future())

    def _settle(self, kind: str, mid: int, code: int) -> None:
        def settle() -> None:
            future = self._future((kind, mid))
            if not future.done():
                future.set_result(code)

        self._loop.call_soon_threadsafe(settle)

    def _on_connect(self, _c: Client, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
        self._settle("connect", 0, code.value)

    def _on_publish(self, _c: Client, _u: object, mid: int, code: ReasonCode, _p: object) -> None:
        self._settle("publish", mid, code.value)

    def _on_subscribe(
        self, _c: Client, _u: object, mid: int, codes: list[ReasonCode], _p: object
    ) -> None:
        self._settle("subscribe", mid, max(code.value for code in codes))

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self.heard.put_nowait, message)


@asynccontextmanager
async def connected(
    url: str, client_id: str, files: Identity | None = None
) -> AsyncIterator[PahoGateway]:
    """Connect a gateway that hears its own ``down/#``."""
    gateway = PahoGateway(client_id, files)
    try:
        assert await gateway.connect(url) == 0
        assert await gateway.subscribe(f"gatehouse/v1/{client_id}/down/#") < 0x80
        yield gateway
    finally:
        await gateway.close()


class Writer:
    """Writes events of one gateway, one start after the other."""

    def __init__(self, gateway: str, store: str = "store-1") -> None:
        self.gateway = gateway
        self.topic = f"gatehouse/v1/{gateway}/up/alarm"
        self._store = store
        self._starts = itertools.count(1)
        self.start()

    def start(self) -> None:
        """Begin the next start of the alarm service."""
        self._scribe = events.Scribe(
            gateway=self.gateway,
            store=self._store,
            start=next(self._starts),
            clock=SystemClock(),
            random=os.urandom,
        )

    def write(self, type_: str = events.ALARM_RAISED, **data: object) -> events.Event:
        """Return the next event."""
        return self._scribe.write(events.Happening(type_, "button/gate", data))
