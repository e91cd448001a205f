"""The simulated board: a gpiozero pin factory whose pins hang on simulated wires.

gpiozero finds it under the name ``gatehouse_sim``; the agent cannot tell it from a Pi. As with
lgpio, edges come from a thread of their own, and one exception in a handler ends that thread for
all pins. What a technician's hand does to the wires comes through ``board_socket``.
"""

import errno
import os
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Final

from gpiozero.exc import PinFixedPull, PinInvalidFunction, PinInvalidPull, PinSetInput
from gpiozero.pins.mock import MockFactory, MockPin

from gatehouse_sim import wires, wiring_file
from gatehouse_sim.board_socket import BoardSocket, Teller
from gatehouse_sim.board_thread import BoardThread, answer
from gatehouse_sim.wires import CLOSED, OPEN, Move, WiringError

REVISION: Final = "c04170"
"""A Raspberry Pi 5 (revision code of the vendor's table)."""

HISTORY: Final = 10_000
"""Edges that are kept of each pin; older ones are forgotten."""

LONGEST_BOUNCE_NS: Final = 1_000_000_000
"""What is further away than this is not the bounce of a contact that arrives (board_socket), ns."""

_NS: Final = 1_000_000_000


class SimulatedPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A pin on a simulated wire: an input reads the wire and its pull, an output itself."""

    def __init__(self, factory: "SimulatedFactory", info: Any) -> None:  # noqa: ANN401  # gpiozero ships no types
        super().__init__(factory, info)
        self._function = "input"
        self._state = 0

    def drive_low(self) -> None:
        """Close the contact on this pin's wire."""
        self.factory.set(self._number, CLOSED)

    def drive_high(self) -> None:
        """Open the contact on this pin's wire."""
        self.factory.set(self._number, OPEN)

    def give(self, at_ns: int, level: int) -> None:
        """Give an edge to whoever listens, in the calling thread; what it raises is raised here."""
        wanted = {"both", "falling" if level == CLOSED else "rising"}
        listener = self.when_changed if self.function == "input" else None
        if listener is not None and self._edges in wanted:
            listener(at_ns / _NS, level)

    @property
    def bcm(self) -> int:
        """The pin's BCM number."""
        return int(self._number)

    def _get_state(self) -> int:
        if self._function == "output":
            return int(self._state)
        closed = self.factory.wire(self._number) == CLOSED
        return CLOSED if closed or self._pull == "down" else OPEN

    def _set_state(self, value: float) -> None:
        if self._function != "output":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        self.factory.refuse_if_failing(self._number)
        self._drive(int(bool(value)))

    def _drive(self, level: int) -> None:
        if level != self._state:
            self._state = level
            self.factory.note(self._number, time.monotonic_ns(), level)

    def _set_function(self, value: str) -> None:
        if value not in {"input", "output"}:
            raise PinInvalidFunction("function must be input or output")
        if self._function == "output":
            self._drive(0)
        self._function = value
        self._state = 0

    def _set_pull(self, value: str) -> None:
        if self._function != "input" or self.info.pull not in {"", value}:
            raise PinFixedPull(f"cannot set pull of pin {self!r}")
        if value not in {"floating", "up", "down"}:
            raise PinInvalidPull("pull must be floating, up, or down")
        self._pull = value


class SimulatedFactory(MockFactory):  # type: ignore[misc]  # gpiozero ships no types
    """All pins of the board and the wires they hang on.

    Raises WiringError for wiring that the environment describes wrongly, and OSError when the
    socket cannot be opened.
    """

    def __init__(self) -> None:
        super().__init__(revision=REVISION, pin_class=SimulatedPin)
        installation = wiring_file.read(os.environ)
        self._wires = installation.wires
        self._levels = dict(self._wires.levels)
        self._history: defaultdict[int, deque[tuple[int, int]]] = defaultdict(
            lambda: deque(maxlen=HISTORY)
        )
        self._failing: frozenset[int] = frozenset()
        self._told: list[Teller] = []
        self._thread = BoardThread(self._move)
        try:
            self._socket = BoardSocket(installation.socket, self)
        except OSError:
            self._thread.stop()
            raise

    def close(self) -> None:
        """Let go of all pins, the socket and the thread."""
        self._socket.close()
        super().close()
        self._thread.stop()

    def alive(self) -> bool:
        """Whether the thread that gives edges still lives."""
        return self._thread.alive()

    def stop_thread(self) -> None:
        """End the thread that gives edges, as a raising handler does in lgpio."""
        self._thread.stop()

    def wire(self, pin: int) -> int:
        """Return the level that the wiring gives to a pin: 0 closed to ground, 1 open."""
        return self._levels.get(pin, OPEN)

    def set(self, pin: int, level: int, *, silent: bool = False) -> int:
        """Move a wire now and return when, in ns; a press of the same button that still runs ends.

        Raises WiringError for an output, and when the board's thread is dead.
        """
        self._refuse_output(pin)
        with self._thread.lock:
            self._thread.forget(self._wires.partners(pin))
            done = self._thread.plan([Move(time.monotonic_ns(), pin, level, silent)], pin)
        return answer(done)

    def press(self, pin: int, *, for_s: float, bounce_ms: float, seed: int = 0) -> int:
        """Press a button and return the time of its contact's first edge, in ns, once it is given.

        Raises WiringError for an output, a contact that is closed already or still being pressed,
        and when the board's thread is dead.
        """
        self._refuse_output(pin)
        with self._thread.lock:
            if self._thread.busy(self._wires.partners(pin)):
                raise WiringError(f"pin {pin} is still being pressed: wait until it is released")
            if self.wire(pin) == CLOSED:
                raise WiringError(f"pin {pin} is closed already: open it first (set, mend)")
            moves = wires.press(
                self._wires,
                pin,
                start_ns=time.monotonic_ns(),
                for_s=for_s,
                bounce_ms=bounce_ms,
                seed=seed,
            )
            # A loop that is cut stays cut: the press must not mend it when it ends.
            cut = {loop for loop in self._wires.partners(pin) - {pin} if self.wire(loop) == OPEN}
            done = self._thread.plan([move for move in moves if move.pin not in cut], pin)
        return answer(done)

    def release(self, pin: int) -> None:
        """Let go of a contact that ``press`` still holds: what remains of the press comes now."""
        with self._thread.lock:
            self._thread.hasten(self._wires.partners(pin), beyond_ns=LONGEST_BOUNCE_NS)

    def follow(self, tell: Teller) -> None:
        """Tell the pins in use, and then every edge, until ``tell`` says that nobody listens."""
        with self._thread.lock:
            if tell({"ok": True, "pins": self.in_use()}):
                self._told.append(tell)

    def history(self, pin: int) -> list[tuple[int, int]]:
        """Return the latest edges of a pin, input or output: (CLOCK_MONOTONIC ns, level)."""
        with self._thread.lock:
            return list(self._history[pin])

    def note(self, pin: int, at_ns: int, level: int) -> None:
        """Keep an edge in the pin's history, and tell it to who follows."""
        with self._thread.lock:
            self._history[pin].append((at_ns, level))
            if self._told:
                edge = {"pin": pin, "t": at_ns, "level": level}
                self._told = [tell for tell in self._told if tell(edge)]

    def in_use(self) -> list[dict[str, Any]]:
        """Describe every pin that the agent has opened."""
        return [
            {
                "pin": number,  # the word of the requests
                "number": number,  # the word of the contract's table
                "function": pin.function,
                "pull": pin.pull,
                "level": pin.state,
            }
            for number, pin in self._opened().items()
        ]

    def fail_writes(self, pins: Iterable[int]) -> None:
        """Make every write to these output pins fail from now on, and to no others."""
        self._failing = frozenset(pins)

    def refuse_if_failing(self, pin: int) -> None:
        """Raise OSError for a pin whose writes shall fail."""
        if pin in self._failing:
            raise OSError(errno.EIO, f"the simulated wiring makes writes to GPIO {pin} fail")

    def _opened(self) -> dict[int, SimulatedPin]:
        return {pin.bcm: pin for pin in tuple(self.pins.values())}

    def _refuse_output(self, pin: int) -> None:
        opened = self._opened().get(pin)
        if opened is not None and opened.function == "output":
            raise WiringError(f"pin {pin} is an output of the agent: only its history can be read")

    def _move(self, move: Move) -> int:
        """Move a wire in the board's thread; an edge is given right after its time is taken."""
        opened = self._opened().get(move.pin)
        with self._thread.lock:
            moves = self.wire(move.pin) != move.level
            self._levels[move.pin] = move.level
            at_ns = time.monotonic_ns()
            if moves:
                self.note(move.pin, at_ns, move.level)
        if moves and opened is not None and not move.silent:
            opened.give(at_ns, move.level)
        return at_ns
