"""Proving buttons on the board: their lamps blink until each was pressed, and its key turned."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from gatehouse import unproven
from gatehouse.alarm.gpio import Board, Edge, open_board
from gatehouse.alarm.lamps import DARK, STEADY, Pattern, Player
from gatehouse.config.model import Button
from gatehouse.errors import BoardError
from gatehouse.setup.proofs import Proof
from gatehouse.setup.trial import Trial
from gatehouse.texts import _

_MS: Final = 1_000_000
WAITS: Final = Pattern((250 * _MS, 250 * _MS))
"""Neither of the two rhythms that tell a guard of an alarm."""
BEEP: Final = Pattern((100 * _MS, 1_900 * _MS))


def inputs(buttons: Sequence[Button]) -> list[int]:
    """Return the pins that are listened to."""
    pins = [pin for b in buttons for pin in (b.pin, b.loop, b.reset)]
    return [pin for pin in pins if pin is not None]


def lamps(button: Button) -> list[int]:
    """Return the pins of one button's lamps."""
    pins = (button.lamps.red, button.lamps.yellow, button.lamps.green)
    return [pin for pin in pins if pin is not None]


def outputs(buttons: Sequence[Button]) -> list[int]:
    """Return the pins that are switched."""
    more = [pin for b in buttons for pin in (b.buzzer, b.relay) if pin is not None]
    return [pin for b in buttons for pin in lamps(b)] + more


def open_for(buttons: Sequence[Button], room: Path, environ: Mapping[str, str]) -> Board:
    """Open the board with these buttons' pins; lgpio's pipe goes into ``room``. Raises BoardError.

    Not into the service's own folder: what root makes there, the service could not use.
    """
    return open_board(
        inputs=inputs(buttons),
        outputs=outputs(buttons),
        runtime_dir=room,
        factory_name=environ.get("GPIOZERO_PIN_FACTORY"),
    )


def unreached(buttons: Sequence[Button], why: str) -> list[Proof]:
    """Say that nothing of these buttons is proven."""
    proofs = []
    for button in buttons:
        subject = f"button/{button.name}"
        proofs.append(Proof(subject, unproven.PRESS, why))
        if button.reset is not None:
            proofs.append(Proof(subject, unproven.RESET, why))
        if seen(button):
            proofs.append(Proof(subject, unproven.LAMPS, why))
        if button.relay is not None:
            proofs.append(Proof(subject, unproven.RELAY, why))
    return proofs


def seen(button: Button) -> bool:
    """Whether there is anything to be seen or heard at a button."""
    return bool(lamps(button)) or button.buzzer is not None


class Bench:
    """The buttons of an open board, tried once."""

    def __init__(
        self,
        board: Board,
        buttons: Sequence[Button],
        *,
        ready: Callable[[], None],
        told: Callable[[Trial], None],
    ) -> None:
        """``ready`` is called when presses are heard, ``told`` when there is news of a button."""
        self._board = board
        self._ready = ready
        self._buttons = tuple(buttons)
        self._told = told
        self._failed: dict[int, str] = {}

    async def prove(self, limit_s: float) -> list[Proof]:
        """Wait until all were pressed, for ``limit_s`` s at most. Never raises for the board.

        A press says that its lamps were seen, as the technician presses where they blink.
        """
        loop = asyncio.get_running_loop()
        edges: asyncio.Queue[Edge] = asyncio.Queue()

        def deliver(edge: Edge) -> None:
            loop.call_soon_threadsafe(edges.put_nowait, edge)

        player = Player(
            loop=loop,
            write=self._board.write,
            on_failure=self._output_failed,
            on_mended=lambda _pin: None,  # once is too often for a proof
        )
        try:
            self._board.listen(deliver)
            levels = {pin: self._board.level(pin) for pin in inputs(self._buttons)}
            now_ns = time.monotonic_ns()
            trials = [Trial.begin(button, levels, now_ns) for button in self._buttons]
            self._ready()
            await self._wait(trials, edges, player, limit_s)
        except BoardError as exc:
            return unreached(self._buttons, str(exc))
        finally:
            player.close()
        return [proof for trial in trials for proof in (*trial.proofs(), *self._switched(trial))]

    def _output_failed(self, pin: int, exc: Exception) -> None:
        self._failed.setdefault(pin, str(exc))

    async def _wait(
        self, trials: list[Trial], edges: asyncio.Queue[Edge], player: Player, limit_s: float
    ) -> None:
        for trial in trials:
            _show(player, trial)
        ends_ns = time.monotonic_ns() + int(limit_s * 1e9)
        while not all(trial.over for trial in trials):
            now_ns = time.monotonic_ns()
            if now_ns >= ends_ns:
                return
            due = [trial.contacts.deadline(trial.wiring) for trial in trials]
            next_ns = min([ends_ns, *(at for at in due if at is not None)])
            edge = await _next(edges, max(0, next_ns - now_ns) / 1e9)
            for trial in trials:
                news = edge is not None and trial.edge(edge.pin, edge.level, edge.at_ns)
                if trial.advance(time.monotonic_ns()) or news:
                    _show(player, trial)
                    self._told(trial)

    def _switched(self, trial: Trial) -> list[Proof]:
        button, subject = trial.button, f"button/{trial.button.name}"
        if not seen(button):
            return []
        pins = [*lamps(button), *([] if button.buzzer is None else [button.buzzer])]
        why = next((self._failed[pin] for pin in pins if pin in self._failed), None)
        if why is None and not trial.pressed:
            why = _("nobody was there to look")
        return [Proof(subject, unproven.LAMPS, why)]


async def close_relay(board: Board, pin: int, for_s: float) -> str | None:
    """Close a relay for so long; returns why that could not be done."""
    try:
        board.write(pin, True)
        await asyncio.sleep(for_s)
        board.write(pin, False)
    except BoardError as exc:
        return str(exc)
    return None


def _show(player: Player, trial: Trial) -> None:
    pattern = DARK if trial.released else STEADY if trial.pressed else WAITS
    for pin in lamps(trial.button):
        player.show(pin, pattern)
    if trial.button.buzzer is not None:
        player.show(trial.button.buzzer, DARK if trial.pressed else BEEP)


async def _next(edges: asyncio.Queue[Edge], timeout_s: float) -> Edge | None:
    try:
        async with asyncio.timeout(timeout_s):
            return await edges.get()
    except TimeoutError:
        return None
