"""The board: contacts in, lamps and relays out. The only file that imports gpiozero and lgpio.

The pin factory is always named: gpiozero's own choice falls back silently to another one, under
systemd for no more than a working directory that is not writable (gpiozero #1106, #1130).
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, Protocol

from gatehouse.alarm.chip import CHIP_LABELS, choose_chip, read_labels
from gatehouse.errors import BoardError

LGPIO: Final = "lgpio"
SIMULATED: Final = "gatehouse_sim"

_OLDEST_EDGE_NS: Final = 60_000_000_000
_AHEAD_NS: Final = 1_000_000
_NS: Final = 1_000_000_000
_HELD: Final = "another program may hold it: gpioinfo tells which"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of an input: the level that the pin has now (a closed contact is 0), and since when.

    ``at_ns`` is CLOCK_MONOTONIC in ns, the kernel's own timestamp where that can be believed.
    """

    pin: int
    level: int
    at_ns: int


Deliver = Callable[[Edge], None]
OnFault = Callable[[BoardError], None]
ChipLabels = Callable[[Any], Mapping[int, str]]


class Board(Protocol):
    """What the alarm needs of its pins; levels are the pin's own, pins are BCM numbers."""

    @property
    def name(self) -> str:
        """``lgpio`` or ``simulated``."""

    def listen(self, deliver: Deliver) -> None:
        """Hand every edge to ``deliver`` from now on, in the board's own thread.

        A contact that is closed already gives no edge: read the levels after this.
        Raises BoardError.
        """

    def level(self, pin: int) -> int:
        """Read a pin now; raises BoardError."""

    def write(self, pin: int, on: bool) -> None:
        """Switch an output; raises BoardError."""

    def alive(self) -> bool:
        """Whether edges can still come; False means that the process has to end."""

    def close(self) -> None:
        """Switch all outputs off and let go of all pins; never raises, may be repeated."""


def open_board(
    *,
    inputs: Sequence[int],
    outputs: Sequence[int],
    runtime_dir: Path,
    factory_name: str | None,
    on_fault: OnFault | None = None,
    chip_labels: ChipLabels = read_labels,
) -> Board:
    """Open the board: inputs pulled up, outputs off. Nothing is heard before ``listen``.

    ``factory_name`` is the value of GPIOZERO_PIN_FACTORY. ``on_fault`` is called in the board's
    thread, once for a pin, when an edge could not be delivered. ``chip_labels`` reads the labels of
    the machine's GPIO chips through lgpio. Raises BoardError.
    """
    if factory_name in {None, "", LGPIO}:
        name = LGPIO
        factory, alive = _open_lgpio(runtime_dir, chip_labels)
    elif factory_name == SIMULATED:
        name = "simulated"
        factory, alive = _open_simulated()
    else:
        raise BoardError(
            f"GPIOZERO_PIN_FACTORY is {factory_name!r}: Gatehouse works with {LGPIO!r} on a Pi and"
            f" {SIMULATED!r} in simulation, and with no other"
        )
    board = _GpioBoard(name, factory, alive, on_fault)
    try:
        for pin in inputs:
            board.add_input(pin)
        for pin in outputs:
            board.add_output(pin)
    except BoardError:
        board.close()
        raise
    return board


def edge_time_ns(ticks: float, now_ns: int) -> int:
    """Return when an edge was, CLOCK_MONOTONIC in ns, from gpiozero's ticks in s.

    Kernels before 5.7 stamp edges with the wall clock. Such a time lies far from now, and then now
    is taken; a process that was frozen for a while still learns how long a press was.
    """
    at_ns = round(ticks * _NS)
    return at_ns if -_OLDEST_EDGE_NS <= at_ns - now_ns <= _AHEAD_NS else now_ns


class _Ear:
    """Hears one input. An exception in here would end lgpio's thread for all pins."""

    def __init__(self, pin: int, deliver: Deliver, on_fault: OnFault | None) -> None:
        self._pin = pin
        self._deliver = deliver
        self._on_fault = on_fault
        self._told = False

    def changed(self, ticks: float, level: int) -> None:
        try:
            at_ns = edge_time_ns(ticks, time.monotonic_ns())
            self._deliver(Edge(self._pin, int(level), at_ns))
        except Exception as exc:  # noqa: BLE001  # whatever it is, the other pins must stay heard
            self._lost(exc)

    def _lost(self, exc: Exception) -> None:
        if self._told:
            return
        self._told = True
        _log.error("GPIO %d: an edge could not be handed on: %r", self._pin, exc)
        if self._on_fault is not None:
            with contextlib.suppress(Exception):  # told in the log; the thread must live
                self._on_fault(BoardError(f"GPIO {self._pin}: an edge was lost: {exc!r}"))


class _GpioBoard:
    """A board on any gpiozero pin factory."""

    def __init__(
        self,
        name: str,
        factory: Any,  # noqa: ANN401  # gpiozero ships no types
        alive: Callable[[], bool],
        on_fault: OnFault | None,
    ) -> None:
        self.name = name
        self.alive = alive
        self._factory = factory
        self._on_fault = on_fault
        self._inputs: dict[int, Any] = {}
        self._outputs: dict[int, Any] = {}
        self._ears: list[_Ear] = []  # gpiozero holds its listeners by weak reference
        self._closed = False

    def add_input(self, number: int) -> None:
        with _failing(f"claim GPIO {number} as an input", _HELD):
            pin = self._factory.pin(number)
            pin.input_with_pull("up")
            pin.edges = "both"
            pin.bounce = None  # every edge counts: contacts.py debounces, and loses nothing
            self._inputs[number] = pin

    def add_output(self, number: int) -> None:
        with _failing(f"claim GPIO {number} as an output", _HELD):
            pin = self._factory.pin(number)
            self._outputs[number] = pin
            pin.output_with_state(False)

    def listen(self, deliver: Deliver) -> None:
        for number, pin in self._inputs.items():
            ear = _Ear(number, deliver, self._on_fault)
            self._ears.append(ear)
            with _failing(f"listen to GPIO {number}", "see the kernel's log"):
                pin.when_changed = ear.changed

    def level(self, pin: int) -> int:
        with _failing(f"read GPIO {pin}", "see the kernel's log"):
            return int((self._inputs | self._outputs)[pin].state)

    def write(self, pin: int, on: bool) -> None:
        with _failing(f"write GPIO {pin}", "see the kernel's log"):
            self._outputs[pin].state = on

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        deafen = [partial(setattr, pin, "when_changed", None) for pin in self._inputs.values()]
        switch_off = [partial(self.write, number, False) for number in self._outputs]
        for step in (*deafen, *switch_off, self._factory.close):
            try:
                step()
            except Exception as exc:  # noqa: BLE001  # one pin must not keep the others
                _log.warning("a pin could not be let go of: %s", exc)


@contextlib.contextmanager
def _failing(doing: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except Exception as exc:  # lgpio's and gpiozero's errors share no root
        raise BoardError(f"cannot {doing}: {exc!r}; {remedy}") from exc


def _open_simulated() -> tuple[Any, Callable[[], bool]]:
    entries = entry_points(group="gpiozero_pin_factories", name=SIMULATED)
    if not entries:
        raise BoardError(f"no package offers the pin factory {SIMULATED!r}: install Gatehouse anew")
    with _failing("open the simulated board", "see what it says"):
        factory = next(iter(entries)).load()()
    return factory, factory.alive


def _open_lgpio(runtime_dir: Path, chip_labels: ChipLabels) -> tuple[Any, Callable[[], bool]]:
    lgpio = _import_lgpio(runtime_dir)
    labels = chip_labels(lgpio)
    chip = choose_chip(labels)
    with _failing(f"open /dev/gpiochip{chip}", "the service's user must be in the group gpio"):
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415  # needs LG_WD first

        class HeaderFactory(LGPIOFactory):  # type: ignore[misc]  # gpiozero ships no types
            """Knows the header by its chip: /proc/device-tree is hidden under ProcSubset=pid."""

            def _get_revision(self) -> int:
                return CHIP_LABELS[labels[chip]]

        factory = HeaderFactory(chip=chip)
    return factory, lgpio._notify_thread.is_alive  # noqa: SLF001  # lgpio offers no other way


def _import_lgpio(runtime_dir: Path) -> Any:  # noqa: ANN401  # lgpio ships no types
    """Import lgpio, which makes its pipe in LG_WD and changes the working directory to there."""
    before = Path.cwd()
    os.environ["LG_WD"] = str(runtime_dir.resolve())
    remedy = f"{runtime_dir} ([gateway] runtime_dir) must exist and be writable"
    try:
        with _failing(f"import lgpio with LG_WD={os.environ['LG_WD']}", remedy):
            import lgpio  # noqa: PLC0415  # see above

            return lgpio
    finally:
        os.chdir(before)
