"""The heartbeat: telemetry with QoS 0, worth nothing later."""

import asyncio
import logging
from collections.abc import Callable

from gatehouse.uplink import frames
from gatehouse.uplink.ports import Heartbeat
from gatehouse.uplink.wire import Wire

_log = logging.getLogger(__name__)


class Heart:
    """Beats while a connection lasts."""

    def __init__(self, *, topic: str, make: Heartbeat, every_s: float) -> None:
        self._head = frames.as_string(topic)
        self._make = make
        self._every_s = every_s
        self._failed = False

    async def beat(self, wire: Wire, beaten: Callable[[], None]) -> None:
        """Publish, wait, call ``beaten``, again and again."""
        tail = frames.properties()
        while True:
            try:
                wire.publish_soon(self._head, tail, await self._make(), qos=0)
                self._failed = False
            except Exception:  # noqa: BLE001  # a heartbeat is not worth a connection
                if not self._failed:
                    self._failed = True
                    _log.exception("making the heartbeat failed")
            await asyncio.sleep(self._every_s)
            beaten()
