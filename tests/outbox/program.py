"""An outbox in a process of its own, to be killed: obeys JSON lines, answers each with one.

``program.py FILE``. Every id that the outbox reports as stored is printed at once (``S <id>``), as
what a district would have been told: it must be there after kill -9.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.events import Happening, Scribe
from gatehouse.outbox import Outbox, Timing

LONG = "南门门卫室" * 60
"""Makes an alarm of about 1.5 kB."""
WAITING = 2000
"""Events of a flood that wait for the disk: many more of the others, and the oldest give way."""


def say(line: str) -> None:
    """Print at once, past every buffer."""
    os.write(1, f"{line}\n".encode())


class Program:
    """Does what the lines say."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.troubles: list[tuple[str, bool, dict[str, Any]]] = []
        self.news = asyncio.Event()
        self.outbox: Outbox
        self.scribe: Scribe
        self.alarms: list[str] = []
        self.others: list[str] = []

    def on_stored(self, event_id: str, _at_ns: int) -> None:
        """Report an event as stored."""
        self.stored.add(event_id)
        self.news.set()
        say(f"S {event_id}")

    def on_trouble(self, fault: str, begins: bool, data: Mapping[str, Any]) -> None:
        """Note a trouble."""
        self.troubles.append((fault, begins, dict(data)))

    async def run(self, path: Path) -> None:
        """Open, obey, until the input ends."""
        clock = SystemClock()
        self.outbox, opening = await Outbox.open(
            path,
            clock=clock,
            random=os.urandom,
            on_stored=self.on_stored,
            on_trouble=self.on_trouble,
            timing=Timing(open_s=60.0, hang_s=60.0),  # a loaded disk is not what is tried
        )
        self.scribe = Scribe(
            gateway="gw-1",
            store=opening.store,
            start=opening.start,
            clock=clock,
            random=os.urandom,
        )
        self.answer(
            store=opening.store,
            start=opening.start,
            previous=opening.previous,
            pending=[entry.id for entry in opening.pending],
            trouble=[trouble.fault for trouble in opening.trouble],
        )
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            await self.obey(json.loads(line))

    async def obey(self, asked: dict[str, Any]) -> None:
        """Do one thing and answer."""
        match asked["do"]:
            case "put":
                for _ in range(asked.get("rounds", 1)):
                    await self.put(asked)
                self.answer()
            case "flood":
                while True:
                    await self.put({"alarms": 3, "others": 4, "wait": False})
                    await asyncio.sleep(0)  # let the loop hear of the disk
                    while len(self.alarms) + len(self.others) - len(self.stored) > WAITING:
                        self.news.clear()
                        await self.news.wait()
            case "wait" if asked["what"] == "reserve":
                await self.reserve()
                self.answer()
            case "state":
                self.answer(
                    alarms_stored=len(self.stored & set(self.alarms)),
                    others_stored=len(self.stored & set(self.others)),
                    troubles=self.troubles,
                    pending=self.outbox.pending.pending,
                )
            case "close":
                await self.outbox.close(30.0)
                self.answer()
                os._exit(0)  # as the service ends

    async def put(self, asked: dict[str, Any]) -> None:
        """Put alarms and others; wait until the alarms are durable, and say they were sent."""
        told = {"location": LONG if asked.get("long") else "门", "held_at_start": False}
        fresh = [
            self.tell(Happening(events.ALARM_RAISED, "button/gate", told))
            for _ in range(asked.get("alarms", 0))
        ]
        self.alarms += fresh
        for _ in range(asked.get("others", 0)):
            more = {"text": "x" * 300}
            self.others.append(self.tell(Happening("gatehouse.recording.gap", "camera/gate", more)))
        if asked.get("wait", True):
            while not self.stored.issuperset(fresh):
                self.news.clear()
                await self.news.wait()
            for event_id in fresh:
                self.outbox.sent(event_id)
            self.outbox.received(fresh)

    def tell(self, happening: Happening) -> str:
        """Put one event; print its number, as if it went over the wire."""
        event = self.scribe.write(happening)
        say(f"N {event.store}/{event.sequence} {event.id}")
        self.outbox.put(event, events.encode(event))
        return event.id

    async def reserve(self) -> None:
        """Wait until the room for alarms is whole, and nothing is left to do."""
        writer = self.outbox._writer
        assert writer is not None
        while writer._upkeep.left_s(writer._now_s()) < 60.0 or len(self.outbox._inbox):  # noqa: ASYNC110  # a thread's
            await asyncio.sleep(0.05)

    def answer(self, **told: object) -> None:
        """Answer a line."""
        say(f"A {json.dumps(told)}")


if __name__ == "__main__":
    asyncio.run(Program().run(Path(sys.argv[1])))
