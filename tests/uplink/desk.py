"""Commands without a broker."""

import asyncio
import time
from typing import Any

import msgspec

from gatehouse.uplink.commands import Commands
from gatehouse.uplink.errands import Errands
from gatehouse.uplink.frames import Incoming
from uplink.fakes import TOPICS, Heard, MovedClock


class Desk:
    """Commands without a broker."""

    def __init__(self, **seen: float) -> None:
        self.heard = Heard()
        self.clock = MovedClock()
        self.remembered: dict[str, float] = {}
        self.stirred = asyncio.Event()
        hooks = self.heard.hooks()
        self.pictures: list[tuple[str, int, str]] = []
        self.errands = Errands(
            ask=hooks.video,
            cameras=("gate", "yard"),
            picture=lambda *picture: self.pictures.append(picture),
            clock=self.clock,
            timeout_s=0.2,
        )
        self.commands = Commands(
            clock=self.clock,
            acknowledge=hooks.acknowledge,
            selftest=hooks.selftest,
            errands=self.errands,
            stir=self.stirred.set,
            refused=hooks.refused,
            remember=self.remembered.__setitem__,
            seen=seen.items(),
        )

    def asks(self, said: dict[str, Any] | bytes) -> dict[str, Any]:
        """Give a command; return the reply."""
        body = said if isinstance(said, bytes) else msgspec.json.encode(said)
        self.commands.arrived(Incoming(TOPICS.command, body, correlation=b"c"))
        reply = self.commands.next_reply()
        assert reply is not None
        assert reply[1] == b"c"
        answer: dict[str, Any] = msgspec.json.decode(reply[0])
        return answer


def acknowledge(number: int = 1, **other: Any) -> dict[str, Any]:
    """Return a command that is in order, changed as asked."""
    said = {"command": "acknowledge", "alarm": "A", "by": "王", "expires": time.time() + 60}
    return {"id": f"c{number}"} | said | other
