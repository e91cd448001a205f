"""Boards of every kind on one test bench: a contact that can be moved, a lamp that can be seen."""

import os
import queue
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract.fake_lgpio import FakeLgpio
from gatehouse.alarm.chip import CHIP_LABELS
from gatehouse.alarm.gpio import Board, Edge, OnFault, open_board
from gatehouse_sim.wiring_client import WiringClient

CONTACT, LAMP = 17, 22
LIMIT_S = 60.0

CONFIG = f"""
[gateway]
id = "bench"
[[button]]
name = "gate"
pin = {CONTACT}
lamps = {{ red = {LAMP} }}
"""


@dataclass
class Heard:
    """Edges as they come in, to be waited for."""

    edges: queue.Queue[Edge] = field(default_factory=queue.Queue)

    def __call__(self, edge: Edge) -> None:
        """Take an edge in, in the board's thread."""
        self.edges.put(edge)

    def next(self) -> Edge:
        """Wait for the next edge; raise queue.Empty when none comes."""
        return self.edges.get(timeout=LIMIT_S)


@dataclass(frozen=True)
class Rig:
    """One board on the bench: ``drive`` moves the contact, ``lamp`` reads the wire of the lamp."""

    board: Board
    contact: int
    lamp_pin: int
    drive: Callable[[int], object]
    lamp: Callable[[], int]


@contextmanager
def simulated(faults: OnFault, *, held: bool = False) -> Iterator[Rig]:
    """Open the simulated board, with its socket in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="gh") as folder, pytest.MonkeyPatch.context() as patch:
        config, socket = Path(folder, "gatehouse.toml"), Path(folder, "sim.sock")
        config.write_text(CONFIG, encoding="utf-8")
        patch.setenv("GATEHOUSE_CONFIG", str(config))
        patch.setenv("GATEHOUSE_SIM_SOCKET", str(socket))
        patch.setenv("GATEHOUSE_SIM_LEVELS", f'{{"{CONTACT}": 0}}' if held else "")
        board = open_board(
            inputs=[CONTACT],
            outputs=[LAMP],
            runtime_dir=Path(folder),
            factory_name="gatehouse_sim",
            on_fault=faults,
        )
        try:
            with WiringClient(socket) as client:

                def lamp() -> int:
                    edges = client.history(LAMP)
                    return edges[-1][1] if edges else 0

                yield Rig(board, CONTACT, LAMP, lambda level: client.set(CONTACT, level), lamp)
        finally:
            board.close()


@contextmanager
def fake_lgpio(labels: dict[int, str]) -> Iterator[FakeLgpio]:
    """Put a fake in the place of lgpio, and gpiozero's factory on top of it."""
    fake = FakeLgpio(labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "lgpio", fake)
        patch.setitem(sys.modules, "gpiozero.pins.lgpio", sys)  # so that the true one comes back
        del sys.modules["gpiozero.pins.lgpio"]
        patch.setenv("LG_WD", "")
        try:
            yield fake
        finally:
            fake.stop()
            sys.modules.pop("gpiozero.pins.lgpio", None)


@contextmanager
def on_fake_lgpio(faults: OnFault, *, held: bool = False) -> Iterator[Rig]:
    """Open gpiozero's lgpio factory on an lgpio that lives in memory."""
    with (
        fake_lgpio({0: "pinctrl-rp1"}) as fake,
        tempfile.TemporaryDirectory(prefix="gh") as folder,
    ):
        if held:
            fake.drive(CONTACT, 0)
        board = open_board(
            inputs=[CONTACT],
            outputs=[LAMP],
            runtime_dir=Path(folder),
            factory_name=None,
            on_fault=faults,
            chip_labels=lambda _: fake.labels,
        )
        try:
            yield Rig(
                board,
                CONTACT,
                LAMP,
                lambda level: fake.drive(CONTACT, level),
                lambda: fake.lines[LAMP].level,
            )
        finally:
            board.close()


@contextmanager
def on_a_pi(faults: OnFault, *, held: bool = False) -> Iterator[Rig]:
    """Open the real board; GATEHOUSE_LOOPBACK=OUT:IN:LAMP names two wired pins and a free one."""
    if not any(Path("/dev").glob("gpiochip*")):
        pytest.skip(f"no GPIO chip here; wanted one of {', '.join(CHIP_LABELS)}")
    if not (wired := os.environ.get("GATEHOUSE_LOOPBACK")):
        pytest.skip(
            "set GATEHOUSE_LOOPBACK=OUT:IN:LAMP, with OUT wired to IN, to use the real board"
        )
    out, contact, lamp = (int(pin) for pin in wired.split(":"))
    with tempfile.TemporaryDirectory(prefix="gh") as folder:
        board = open_board(
            inputs=[contact],
            outputs=[out, lamp],
            runtime_dir=Path(folder),
            factory_name="lgpio",
            on_fault=faults,
        )
        try:
            board.write(out, not held)
            yield Rig(
                board,
                contact,
                lamp,
                lambda level: board.write(out, bool(level)),
                lambda: board.level(lamp),
            )
        finally:
            board.close()


RIGS = {"simulated": simulated, "lgpio-in-memory": on_fake_lgpio, "lgpio-on-a-pi": on_a_pi}
