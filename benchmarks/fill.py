"""An outbox filled offline, as after a day without the district.

``fill.py FILE COUNT`` puts so many events through ``gatehouse.outbox`` and prints how many seconds
it took until all were on disk.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.events import Event, Happening, Scribe
from gatehouse.outbox import Outbox
from gatehouse_sim.school import GATEWAY

_AHEAD: Final = 4000
"""Events that wait for the disk at most: beyond 5000 the outbox would begin to shed."""


def write(scribe: Scribe, number: int) -> Event:
    """Make an event of middling length that leaves nothing standing."""
    now = datetime.now(UTC).isoformat()
    data = {"from": now, "to": now, "seconds": 300 + number}
    return scribe.write(Happening("gatehouse.recording.gap", "camera/gate", data))


async def fill(path: Path, count: int) -> float:
    """Put them all; return the seconds until the last was stored."""
    room = asyncio.Semaphore(_AHEAD)
    stored = 0
    done = asyncio.Event()

    def on_stored(_id: str, _at_ns: int) -> None:
        nonlocal stored
        stored += 1
        room.release()
        if stored == count:
            done.set()

    def on_trouble(fault: str, begins: bool, data: Mapping[str, Any]) -> None:
        raise RuntimeError(f"{fault} {begins} {data}")

    clock = SystemClock()
    outbox, opening = await Outbox.open(
        path, clock=clock, random=os.urandom, on_stored=on_stored, on_trouble=on_trouble
    )
    scribe = Scribe(
        gateway=GATEWAY,
        store=opening.store,
        start=opening.start,
        clock=clock,
        random=os.urandom,
    )
    began = time.monotonic()
    for number in range(count):
        await room.acquire()
        event = write(scribe, number)
        outbox.put(event, events.encode(event))
    await done.wait()
    took = time.monotonic() - began
    await outbox.close(10.0)
    return took


if __name__ == "__main__":
    print(asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2]))), flush=True)
