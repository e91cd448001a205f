"""A simulated school for the tests of the board: an agent that listens, a hand on the wires."""

import os
import queue
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from gatehouse.alarm.gpio import Board, Edge, open_board
from gatehouse.config.model import Button
from gatehouse_sim.wiring_client import WiringClient

LIMIT_S = 60.0
GATE = Button(name="gate", location="", pin=17, loop=27)
LATCH = Button(name="latch", location="", pin=5, latching=True)
RED = 22
CONFIG = """
[[button]]
pin = 17
loop = 27
[[button]]
pin = 5
latching = true
"""


@dataclass
class School:
    """An open board, what the agent heard of it, and a hand on its wires."""

    board: Board
    path: Path
    client: WiringClient
    edges: "queue.Queue[Edge]"

    def heard(self, count: int) -> list[tuple[int, int]]:
        """Wait for so many edges; return their pins and levels."""
        return [(e.pin, e.level) for e in (self.edges.get(timeout=LIMIT_S) for _ in range(count))]


@contextmanager
def open_school() -> Iterator[School]:
    """Open a simulated board that the agent listens to."""
    with tempfile.TemporaryDirectory(prefix="gh") as folder:
        path, config = Path(folder, "sim.sock"), Path(folder, "gatehouse.toml")
        config.write_text(CONFIG, encoding="utf-8")
        environ = {"GATEHOUSE_CONFIG": str(config), "GATEHOUSE_SIM_SOCKET": str(path)}
        with patch.dict(os.environ, environ):
            board = open_board(
                inputs=[17, 27, 5],
                outputs=[RED],
                runtime_dir=Path(folder),
                factory_name="gatehouse_sim",
            )
            edges: queue.Queue[Edge] = queue.Queue()
            board.listen(edges.put)
            with WiringClient(path, timeout_s=LIMIT_S) as client:
                yield School(board, path, client, edges)
            board.close()
