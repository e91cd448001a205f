"""A press while the service opens: between the listening and the first look at the levels."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from gatehouse.alarm.gpio import Deliver, Edge
from gatehouse.control import client
from gatehouse.service.alarm import AlarmService
from gatehouse.systemd import Notifier
from gatehouse.threads import off_loop
from service.house import MS, MovableClock, NumberBoard, loaded

PIN = 17
PATIENCE_S = 60.0


@dataclass
class PressedAtOnce(NumberBoard):
    """A board whose button is pressed and let go before `listen` returns, as on a busy machine."""

    def listen(self, deliver: Deliver) -> None:
        """Give both edges, and return once they are of the past."""
        super().listen(deliver)
        closed_ns = time.monotonic_ns()
        opened_ns = closed_ns + 20 * MS
        deliver(Edge(PIN, 0, closed_ns))
        deliver(Edge(PIN, 1, opened_ns))
        while time.monotonic_ns() <= opened_ns:
            pass


async def test_a_press_that_is_over_before_the_levels_are_read(tmp_path: Path) -> None:
    """Without it a press at the start would lose its length, and pass for a spike."""
    given = loaded(tmp_path)
    service = AlarmService(given, PressedAtOnce(), MovableClock(), Notifier({}))
    running = asyncio.create_task(service.run())
    socket = given.config.gateway.runtime_dir / "control.sock"

    def status() -> dict[str, object]:
        return client.ask(socket, {"do": "status"}, PATIENCE_S)

    async with asyncio.timeout(PATIENCE_S):
        while not socket.exists():
            assert not running.done()
            await asyncio.sleep(0.01)  # a file that comes wakes nobody
    rows = (await off_loop(status, name="status", timeout_s=PATIENCE_S))["buttons"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert isinstance(rows, list)
    (gate,) = [row for row in rows if row["name"] == "gate"]
    assert gate["last_alarm"] is not None
