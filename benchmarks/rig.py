"""What is measured on: real mosquitto, the district and a subscriber as processes, agent, by hand.

All children die with the benchmark. Nothing runs in the benchmark's own process while it waits for
a figure, so that it takes no part of the two cores a small machine has.
"""

import contextlib
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from gatehouse.control import client
from gatehouse.control.protocol import Message
from gatehouse_sim.child import die_with_parent
from gatehouse_sim.identity import Identity
from gatehouse_sim.school import Plan, School, short_folder
from gatehouse_sim.wiring_client import WiringClient

HERE: Final = Path(__file__).parent
PINS: Final = (2, 3, 4, 5, 6, 7, 8, 9)
BY_HAND: Final = "by-hand"
RAW: Final = "raw-socket"
FILTER: Final = "gatehouse/v1/+/up/alarm"
_LIMIT_S: Final = 60.0

BUTTONS: Final = "\n".join(
    f'[[button]]\nname = "b{pin}"\nlocation = "南门门卫室"\npin = {pin}\nfilter_ms = 0\n'
    f"lamps = {{ red = {pin + 8} }}\n"
    for pin in PINS
)


class Child:
    """A Python process of the rig, and the lines it prints."""

    def __init__(
        self, args: Sequence[str | Path], environ: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environ or {})},
            preexec_fn=die_with_parent,  # noqa: PLW1509  # no threads run here
        )
        self._text = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def end_input(self) -> None:
        """Tell the child that nothing more is wanted of it."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def line(self, limit_s: float = _LIMIT_S) -> str:
        """Wait for the next line. Raises TimeoutError, or EOFError when the child has ended."""
        if self.process.stdout is None:
            raise EOFError("the child has no output")
        pipe = self.process.stdout.fileno()
        while b"\n" not in self._text:
            if not select.select([pipe], [], [], limit_s)[0]:
                raise TimeoutError(f"{self.process.args!r} said nothing for {limit_s:g} s")
            if not (data := os.read(pipe, 65536)):
                raise EOFError(f"{self.process.args!r} has ended")
            self._text += data
        line, _, self._text = self._text.partition(b"\n")
        return line.decode()


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as the subscriber heard it."""

    at_ns: int
    id: str
    type: str


@dataclass(slots=True)
class Rig:
    """One broker with the district and a subscriber on it, and an agent that may be started."""

    school: School
    subscriber: Child
    stack: contextlib.AsyncExitStack
    identities: Mapping[str, Identity | None] = field(default_factory=dict)

    def heard(self, type_: str = "gatehouse.alarm.raised") -> Heard:
        """Wait until the subscriber hears the next event of a type."""
        while True:
            at_ns, id_, type_heard = self.subscriber.line().split()
            if type_heard == type_:
                return Heard(int(at_ns), id_, type_)

    def follow(self) -> Iterator[Message]:
        """Follow the stages of the agent's alarms; returns when it misses none."""
        lines = client.stream(self.school.place.control, {"do": "follow"}, timeout_s=3600)
        next(lines)
        return lines

    def status(self) -> Message:
        """Ask the agent how it is."""
        return client.ask(self.school.place.control, {"do": "status"})

    def reset(self) -> None:
        """End all alarms, as a guard would, and wait until the district has everything."""
        for pin in PINS:
            asked = {"do": "reset", "button": f"b{pin}", "by": "bench", "reason": "test"}
            client.ask(self.school.place.control, asked)
        self.settle()

    def settle(self) -> None:
        """Wait until the agent is connected and nothing waits for the district."""
        end = time.monotonic() + 600
        while time.monotonic() < end:
            status = self.status()
            if status["link"]["state"] == "connected" and not status["outbox"]["pending"]:
                return
            time.sleep(0.05)
        raise TimeoutError(f"the agent did not come to rest: {status}")

    def start_by_hand(self, environ: Mapping[str, str]) -> WiringClient:
        """Start the twenty lines; returns a hand on their wiring."""
        root = self.school.place.root
        socket = root / "by-hand.sock"
        place = self.school.broker.url.removeprefix("mqtts://").removeprefix("mqtt://")
        topic = f"gatehouse/v1/{BY_HAND}/up/alarm"
        pins = ",".join(map(str, PINS))
        mine = {
            "GPIOZERO_PIN_FACTORY": "gatehouse_sim",
            "GATEHOUSE_CONFIG": str(self.school.place.config),
            "GATEHOUSE_SIM_SOCKET": str(socket),
        }
        words = [topic, *place.split(":"), pins, *files(self.identities[BY_HAND])]
        program = Child([HERE / "by_hand.py", *words], {**mine, **environ})
        child = self.stack.enter_context(program)
        if child.line() != "ready":
            raise ChildProcessError("by_hand.py is not ready")
        return self.stack.enter_context(WiringClient(socket))


def files(identity: Identity | None) -> list[str | Path]:
    """Return an identity as words of a command line."""
    return [] if identity is None else [identity.ca, identity.cert, identity.key]


@contextlib.asynccontextmanager
async def opened(*, tls: bool) -> AsyncIterator[Rig]:
    """Start broker, district and subscriber; the agent is started by who wants it."""
    async with contextlib.AsyncExitStack() as stack:
        root = stack.enter_context(temporary())
        # The machine's own clock: the simulated one looks at a file at every reading.
        plan = Plan(tls=tls, buttons=BUTTONS, environ={"GATEHOUSE_CLOCK": ""})
        school = School(root, plan)
        names = (BY_HAND, RAW)
        identities = {n: school.authority.client(n) if tls else None for n in names}
        await stack.enter_async_context(school.broker)
        url, mine = school.broker.url, files(school.identity)
        district = [HERE / "receiver.py", url, root / "district.db", *mine]
        receiver = stack.enter_context(Child(district))
        subscriber = stack.enter_context(Child([HERE / "subscriber.py", url, FILTER, *mine]))
        for child in (receiver, subscriber):
            if child.line() != "ready":
                raise ChildProcessError("not ready")
        stack.push_async_callback(school.agent.stop)
        yield Rig(school, subscriber, stack, identities)


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """Make a folder short enough for socket paths, and remove it at the end."""
    folder = short_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
