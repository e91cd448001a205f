"""The guard's language: what lamps and buzzer show (contract section 6), and who plays it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from gatehouse.alarm.button import Stage

_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """On and off in turn for ever, each in ns, beginning with on; () is dark, (0,) is steady."""

    steps_ns: tuple[int, ...]

    @property
    def moves(self) -> bool:
        """Whether it changes by itself."""
        return len(self.steps_ns) > 1


DARK: Final = Pattern(())
STEADY: Final = Pattern((0,))
FAST: Final = Pattern((166_666_667, 166_666_667))
SLOW: Final = Pattern((500 * _MS, 500 * _MS))
BLIP: Final = Pattern((100 * _MS, 9_900 * _MS))
CHIRP: Final = Pattern((100 * _MS, 59_900 * _MS))
SIREN: Final = Pattern((400 * _MS, 200 * _MS))
"""Longer on than off, and never like the chirp."""
TRIED: Final = Pattern((250 * _MS, 250 * _MS))
"""2 Hz: what no alarm looks like."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one button shows."""

    red: Pattern
    yellow: Pattern
    green: Pattern
    buzzer: Pattern


@dataclass(frozen=True, slots=True)
class Trial:
    """The outputs are being tried, with or without the buzzers."""

    sound: bool


def look(
    stage: Stage | None,
    *,
    ready: bool,
    fault: bool,
    silent: bool,
    walk_test: bool,
    chirp_silenced: bool,
    has_green: bool,
    has_yellow: bool,
    trial: Trial | None = None,
) -> Look:
    """Choose the patterns for one button.

    ``stage`` is its least advanced alarm that is not reset; ``ready``: line normal and district
    proven. Where no yellow lamp can show a fault, a fault takes the sign of readiness away. A
    ``trial`` shows only where there is no alarm.
    """
    if trial is not None and stage is None:
        return Look(TRIED, TRIED, TRIED, TRIED if trial.sound else DARK)
    shown_ready = ready and (has_yellow or not fault)
    idle_red = BLIP if shown_ready and not has_green else DARK
    red = idle_red if stage is None else _red(stage)
    sounds = stage is not None and stage < Stage.ACKNOWLEDGED and (walk_test or not silent)
    chirps = fault and not chirp_silenced and stage is None
    return Look(
        red=red,
        yellow=STEADY if fault else DARK,
        green=STEADY if shown_ready and stage is None else DARK,
        buzzer=SIREN if sounds else CHIRP if chirps else DARK,
    )


def _red(stage: Stage) -> Pattern:
    if stage is Stage.ACKNOWLEDGED:
        return STEADY
    return SLOW if stage is Stage.RECEIVED else FAST


class Loop(Protocol):
    """The two methods of an event loop that the player needs; tests hand in a simulated one."""

    def time(self) -> float:
        """Return the loop's time in s."""

    def call_at(
        self, when: float, callback: Callable[[int], None], pin: int
    ) -> asyncio.TimerHandle:
        """Call back at that time."""


@dataclass(slots=True)
class _Output:
    pattern: Pattern = DARK
    began_s: float = 0.0
    step: int = 0
    failed: bool = False
    timer: asyncio.TimerHandle | None = field(default=None)


class Player:
    """Plays patterns on outputs; one that fails is told once, and never stops an alarm."""

    def __init__(
        self,
        *,
        loop: Loop,
        write: Callable[[int, bool], None],
        on_failure: Callable[[int, Exception], None],
        on_mended: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._write = write
        self._on_failure = on_failure
        self._on_mended = on_mended
        self._outputs: dict[int, _Output] = {}

    def show(self, pin: int, pattern: Pattern) -> None:
        """Play a pattern on a pin; one that is playing already goes on undisturbed."""
        output = self._outputs.setdefault(pin, _Output())
        if pattern == output.pattern and not (output.failed and not pattern.moves):
            return
        if output.timer is not None:
            output.timer.cancel()
            output.timer = None
        output.pattern, output.began_s, output.step = pattern, self._loop.time(), 0
        self._set(pin, output, bool(pattern.steps_ns))
        self._arm(pin, output)

    def close(self) -> None:
        """Stop playing; all outputs dark, relays open."""
        for pin, output in self._outputs.items():
            if output.timer is not None:
                output.timer.cancel()
            self._set(pin, output, False)
        self._outputs.clear()

    def _arm(self, pin: int, output: _Output) -> None:
        """Set the timer for the pattern's next change, counted from its beginning: no drift."""
        steps = output.pattern.steps_ns
        if not output.pattern.moves:
            return
        rounds, within = divmod(output.step + 1, len(steps))
        at_ns = rounds * sum(steps) + sum(steps[:within])
        output.timer = self._loop.call_at(output.began_s + at_ns / 1e9, self._turn, pin)

    def _turn(self, pin: int) -> None:
        output = self._outputs[pin]
        output.step += 1
        self._set(pin, output, output.step % 2 == 0)
        self._arm(pin, output)

    def _set(self, pin: int, output: _Output, on: bool) -> None:
        try:
            self._write(pin, on)
        except Exception as exc:  # noqa: BLE001  # a lamp is never worth an alarm
            if not output.failed:
                output.failed = True
                self._on_failure(pin, exc)
            return
        if output.failed:
            output.failed = False
            self._on_mended(pin)
