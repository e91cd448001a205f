"""A gateway to be set up: a folder, the simulated board, a technician's hands and voice."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gatehouse import config
from gatehouse.clock import SystemClock
from gatehouse.config.model import Button
from gatehouse.errors import GatehouseError
from gatehouse.setup.proofs import Limits
from gatehouse.setup.session import Site
from gatehouse.setup.timeserver import Step
from gatehouse_sim import wiring_client
from gatehouse_sim.wires import CLOSED, OPEN
from gatehouse_sim.wiring_client import WiringClient

GATEWAY: Final = "qd-sn-0042"
NOW: Final = datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
QUICK: Final = Limits(presses_s=0.3, press_s=0.3, brokers_s=0.3, cameras_s=0.3)
PATIENT: Final = Limits(presses_s=60, press_s=60, relay_s=0.05)

BUTTONS: Final = """
[[button]]
name = "gate"
location = "南门门卫室"
pin = 17
loop = 27
reset = 24
lamps = { red = 22, yellow = 5 }
buzzer = 23

[[button]]
name = "office"
location = "教务处"
pin = 13
latching = true
lamps = { red = 19 }
"""


def answers_text(
    root: Path, brokers: Iterable[str], more: str = BUTTONS, district: str = ""
) -> str:
    """Return an answers file for a gateway whose folders lie in ``root``."""
    urls = ", ".join(f'"{url}"' for url in brokers)
    return f"""
[gateway]
id = "{GATEWAY}"
school = "实验小学"
language = "en"
state_dir = "{root}/state"
runtime_dir = "{root}/run"
{more}
[district]
brokers = [{urls}]
{district}
"""


@dataclass
class Machine:
    """A machine whose clock is set by notes on a list."""

    timesyncd: bool = True
    fails: str | None = None
    done: list[str] = field(default_factory=list)

    def there(self) -> bool:
        """Say what the test says."""
        return self.timesyncd

    def do(self, step: Step, limit_s: float) -> None:
        """Note it; fail where the test says so."""
        assert limit_s > 0
        if self.fails and self.fails in step.shown():
            raise GatehouseError("it does not want to")
        self.done.append(step.shown())


def site(
    root: Path, limits: Limits = PATIENT, machine: Machine | None = None, **environ: str
) -> Site:
    """Return the place of a gateway with its configuration in ``root``."""
    return Site(
        target=root / "etc" / "gatehouse.toml",
        environ={"GPIOZERO_PIN_FACTORY": "gatehouse_sim", **environ},
        clock=SystemClock(),
        now=lambda: NOW,
        limits=limits,
        machine=machine or Machine(timesyncd=False),
    )


@dataclass
class Technician:
    """Reads the screen, types what was planned, and does things when a line is shown.

    ``when``: a word of a line, and what is then done in a thread of its own, as a hand would.
    """

    typed: list[str] = field(default_factory=list)
    when: dict[str, Callable[[], None]] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    hands: list[threading.Thread] = field(default_factory=list)
    wrong: list[BaseException] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        """Read, and act on it."""
        self.shown.append(text)
        for word, deed in self.when.items():
            if word in text:
                hand = threading.Thread(target=self._act, args=(deed,), daemon=True)
                self.hands.append(hand)
                hand.start()

    def verbatim(self, text: str) -> None:
        """Read it."""
        self.shown.append(text)

    def ask(self, question: str) -> str:
        """Answer; a technician who has nothing more to say has left."""
        self.shown.append(question)
        if not self.typed:
            raise EOFError
        return self.typed.pop(0)

    def done(self) -> str:
        """Wait for the hands, and return all that was shown."""
        for hand in self.hands:
            hand.join(30)
        assert not self.wrong, self.wrong
        return "\n".join(self.shown)

    def _act(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except Exception as exc:  # noqa: BLE001  # told by the test that waits for it
            self.wrong.append(exc)


def press(socket: Path, *buttons: Button, turn: bool = True) -> None:
    """Press each button and let go; turn latching ones back, and reset keys."""
    with WiringClient(socket, timeout_s=60) as client:
        for button in buttons:
            while button.lamps.red is not None and not client.history(button.lamps.red):
                time.sleep(0.01)  # until its lamp blinks, as every technician is told
            wiring_client.press(client, button, for_s=0.05)
            if button.reset is not None and turn:
                client.set(button.reset, CLOSED)
                client.set(button.reset, OPEN)


def buttons_of(path: Path) -> tuple[Button, ...]:
    """Return the buttons of a configuration that setup wrote."""
    return config.read(path).buttons
