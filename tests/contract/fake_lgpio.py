# ruff: noqa: D102  # the methods are lgpio's, and are described there
"""lgpio without hardware: the functions that gpiozero's factory uses, on chips that live in memory.

Signatures and behaviour follow lgpio 0.2.2.0: errors are ``lgpio.error``, edges come from one
notification thread with kernel timestamps in ns, and an exception in a callback ends that thread.
"""

import queue
import threading
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

IS_OUT: Final = 1 << 1
PULL_UP: Final = 1 << 5
PULL_DOWN: Final = 1 << 6
PULL_NONE: Final = 1 << 7


class FakeError(Exception):
    """``lgpio.error``, which has no other root than Exception."""


@dataclass
class Line:
    """One GPIO line: its flags, what it drives, and what its wire does to it (None: nothing)."""

    flags: int = 0
    driven: int = 0
    wire: int | None = None
    alert: bool = False

    @property
    def level(self) -> int:
        if self.flags & IS_OUT:
            return self.driven
        return self.wire if self.wire is not None else int(bool(self.flags & PULL_UP))


@dataclass(frozen=True)
class Callback:
    """What ``lgpio.callback`` returns."""

    gpio: int
    func: Callable[[int, int, int, int], None]
    all: list["Callback"]

    def cancel(self) -> None:
        if self in self.all:
            self.all.remove(self)


class FakeLgpio(types.ModuleType):
    """A module object that stands in for ``lgpio``; ``labels`` are the machine's chips."""

    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = PULL_UP, PULL_DOWN, PULL_NONE
    error = FakeError

    def __init__(self, labels: Mapping[int, str]) -> None:
        super().__init__("lgpio")
        self.labels = labels
        self.lines: dict[int, Line] = {}
        self.opened: list[int] = []
        self.failing: set[int] = set()
        self._callbacks: list[Callback] = []
        self._edges: queue.Queue[tuple[int, int, int] | None] = queue.Queue()
        self._notify_thread = threading.Thread(target=self._notify, daemon=True)
        self._notify_thread.start()

    def drive(self, gpio: int, level: int) -> int:
        """Move a wire; return when, CLOCK_MONOTONIC in ns."""
        line = self.lines.setdefault(gpio, Line())
        before, line.wire = line.level, level
        at_ns = time.monotonic_ns()
        if line.alert and line.level != before:
            self._edges.put((gpio, level, at_ns))
        return at_ns

    def stop(self) -> None:
        self._edges.put(None)

    def _notify(self) -> None:
        while (edge := self._edges.get()) is not None:
            for callback in tuple(self._callbacks):
                if callback.gpio == edge[0]:
                    callback.func(0, *edge)

    def gpiochip_open(self, gpiochip: int) -> int:
        if gpiochip not in self.labels:
            raise FakeError("can not open gpiochip")
        self.opened.append(gpiochip)
        return gpiochip << 16

    def gpiochip_close(self, handle: int) -> int:
        self.opened.remove(handle >> 16)
        return 0

    def gpio_get_chip_info(self, handle: int) -> list[Any]:
        return [0, 54, f"gpiochip{handle >> 16}", self.labels[handle >> 16]]

    def gpio_claim_input(self, _handle: int, gpio: int, lFlags: int = 0) -> int:  # noqa: N803  # lgpio's name
        line = self.lines.setdefault(gpio, Line())
        line.flags, line.driven, line.alert = lFlags, 0, False
        return 0

    def gpio_claim_output(self, _handle: int, gpio: int, level: int = 0, lFlags: int = 0) -> int:  # noqa: N803  # lgpio's name
        line = self.lines.setdefault(gpio, Line())
        line.flags, line.driven, line.alert = lFlags | IS_OUT, level, False
        return 0

    def gpio_claim_alert(self, _handle: int, gpio: int, _eflags: int, lFlags: int = 0) -> int:  # noqa: N803  # lgpio's name
        line = self.lines[gpio]
        line.flags, line.alert = lFlags, True
        return 0

    def gpio_free(self, _handle: int, gpio: int) -> int:
        self.lines[gpio].flags = 0
        return 0

    def gpio_get_mode(self, _handle: int, gpio: int) -> int:
        return self.lines[gpio].flags

    def gpio_read(self, _handle: int, gpio: int) -> int:
        return self.lines[gpio].level

    def gpio_write(self, _handle: int, gpio: int, level: int) -> int:
        if gpio in self.failing:
            raise FakeError("GPIO not set as an output")
        self.lines[gpio].driven = int(level)
        return 0

    def gpio_set_debounce_micros(self, _handle: int, _gpio: int, _debounce_micros: int) -> int:
        return 0

    def callback(
        self, _handle: int, gpio: int, _edge: int, func: Callable[[int, int, int, int], None]
    ) -> Callback:
        made = Callback(gpio, func, self._callbacks)
        self._callbacks.append(made)
        return made
