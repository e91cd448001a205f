"""What a visitor's hands do to the school: to wires, cameras, cable, disk and agent."""

import asyncio
from typing import Final

from gatehouse.config.model import Button
from gatehouse_sim.camera_client import COVERED, NORMAL
from gatehouse_sim.page import board_link
from gatehouse_sim.page.stand import Stand
from gatehouse_sim.school import School
from gatehouse_sim.wires import CLOSED, OPEN

BOUNCE_MS: Final = 5.0
_HOLD_S: Final = 3600
"""The longest press that the board takes; it is let go of long before."""


class Hands:
    """Each method does one thing; what cannot be done raises WiringError, OSError or LookupError.

    Wires move also while no agent runs: its next board finds them as they are. While it is being
    ended or started they wait: neither the board that goes nor the one that comes would know.
    """

    def __init__(self, school: School, stand: Stand) -> None:
        self._school = school
        self._stand = stand
        self._buttons = {button.name: button for button in stand.config.buttons}
        self._held: dict[str, tuple[int, int] | None] = {}
        """By which board a contact is held in; None: it was moved while no agent ran."""
        self._starts = 0
        self._cut: set[str] = set()
        self._service = asyncio.Lock()

    def button(self, name: str) -> Button:
        """Return a button. Raises LookupError."""
        return self._buttons[name]

    async def press(self, name: str, *, bounce: bool = False) -> bool:
        """Press a button and keep it in; False when its wire is cut: nothing moves there.

        A latching one stays in by itself.
        """
        button = self.button(name)
        if name in self._cut:
            return False
        async with self._service:
            self._held[name] = self._board
            if button.latching:
                await self._move(button, pressed=True)
            else:
                await self._hold(button, BOUNCE_MS if bounce else 0.0)
        return True

    async def let_go(self, name: str) -> None:
        """Let go of a button, or turn a latching one back with its key."""
        button, board = self.button(name), self._held.pop(name, None)
        async with self._service:
            if button.latching or board != self._board:
                if name not in self._cut:  # what is cut stays open
                    await self._move(button, pressed=False)
                return
            try:
                await board_link.ask(self._school.place.wiring, "release", pin=button.pin)
            except OSError:
                await self._move(button, pressed=False)

    async def key(self, name: str, *, turned: bool) -> None:
        """Turn the key switch that resets a button's alarm, or let it spring back."""
        if (pin := self.button(name).reset) is None:
            raise LookupError(f"the button {name} has no key switch")
        async with self._service:
            await self._set(pin, CLOSED if turned else OPEN)

    async def cut(self, name: str) -> None:
        """Cut the wire that both contacts share: both read open, whatever is pressed."""
        button = self.button(name)
        self._cut.add(name)
        async with self._service:
            await self._set(button.pin, OPEN)
            if button.loop is not None:
                await self._set(button.loop, OPEN)

    async def short(self, name: str) -> None:
        """Short the normally-open contact to ground."""
        self._cut.discard(name)
        button = self.button(name)
        async with self._service:
            if button.loop is not None:
                await self._set(button.loop, CLOSED)
            await self._set(button.pin, CLOSED)

    async def mend(self, name: str) -> None:
        """Make the wiring healthy again, the button let go of."""
        self._cut.discard(name)
        self._held.pop(name, None)
        async with self._service:
            await self._move(self.button(name), pressed=False)

    async def lid(self, *, opened: bool) -> None:
        """Open or close the box."""
        await self._enclosure(self._stand.config.enclosure.tamper, well=not opened)

    async def mains(self, *, on: bool) -> None:
        """Take the mains away, or give it back."""
        await self._enclosure(self._stand.config.enclosure.mains, well=on)

    async def cover(self, camera: str, *, covered: bool) -> None:
        """Hang a cloth over a camera, or take it away."""
        await self._school.cameras.show(camera, COVERED if covered else NORMAL)
        self._stand.mark(self._stand.covered, camera, covered)

    async def power(self, camera: str, *, on: bool) -> None:
        """Switch a camera off, or on."""
        cameras = self._school.cameras
        await (cameras.back(camera) if on else cameras.away(camera))
        self._stand.mark(self._stand.away, camera, not on)

    def network(self, *, plugged: bool) -> None:
        """Pull the cable between gateway and broker, or plug it in. Raises LookupError."""
        if (cable := self._school.cable) is None:
            raise LookupError("this school has no cable to pull")
        if plugged:
            cable.plug()
        else:
            cable.pull()
        self._stand.changed()

    async def disk(self, *, full: bool) -> None:
        """Fill the gateway's disk to the last byte, or free it."""
        await (self._school.disk.fill() if full else self._school.disk.free())
        self._stand.changed()

    async def kill(self) -> None:
        """Kill the agent without a word; it is started again at once, as systemd does."""
        async with self._service:
            await self._school.agent.kill()
            await self._start()

    async def stop(self) -> None:
        """Stop the agent in order."""
        async with self._service:
            await self._school.agent.stop()

    async def start(self) -> None:
        """Start the agent, if it does not run."""
        async with self._service:
            if not self._school.agent.started.is_set():
                await self._start()

    async def _start(self) -> None:
        self._starts += 1
        await self._school.agent.start(levels=self._stand.inputs)

    @property
    def _board(self) -> tuple[int, int]:
        """Which board it is: one that we have just started may not have been seen yet."""
        return self._starts, self._stand.board

    async def _hold(self, button: Button, bounce_ms: float) -> None:
        path = self._school.place.wiring
        try:
            await board_link.ask(path, "press", pin=button.pin, for_s=_HOLD_S, bounce_ms=bounce_ms)
        except OSError:
            self._held[button.name] = None
            await self._move(button, pressed=True)

    async def _move(self, button: Button, *, pressed: bool) -> None:
        contacts = [(button.pin, CLOSED if pressed else OPEN)]
        if button.loop is not None:  # break before make
            contacts.insert(0 if pressed else 1, (button.loop, OPEN if pressed else CLOSED))
        for pin, level in contacts:
            await self._set(pin, level)

    async def _enclosure(self, pin: int | None, *, well: bool) -> None:
        if pin is None:
            raise LookupError("this box has no such switch")
        async with self._service:
            await self._set(pin, CLOSED if well else OPEN)

    async def _set(self, pin: int, level: int) -> None:
        try:
            await board_link.ask(self._school.place.wiring, "set", pin=pin, level=level)
        except OSError:  # no agent runs: the wire moves all the same
            self._stand.edge(pin, level)
