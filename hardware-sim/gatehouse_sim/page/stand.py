"""How the school stands now, and waking the browsers that look at it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatehouse.config.model import Config
from gatehouse_sim.wires import CLOSED, OPEN

MOST_EDGES: Final = 500
"""A browser that is further behind than this many edges is given the levels instead."""


@dataclass(eq=False, slots=True)
class Viewer:
    """One browser, and what it was not told yet."""

    edges: list[tuple[int, int]] = field(default_factory=list)
    """(pin, level), in the order in which they happened."""
    stale: bool = True
    """Whether what stands in words has changed."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Stand:
    """Levels of all pins, what the services know, and what was done to the school."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.outputs = frozenset(_outputs(config))
        self.levels: dict[int, int] = {**dict.fromkeys(self.outputs, 0), **_healthy(config)}
        """Each pin's own level: a closed contact is 0, a lamp that is lit is 1."""
        self.board = 0
        """Counts the boards that were there: each start of the agent has its own."""
        self.status: Mapping[str, Any] | None = None
        """What the agent knows; None while it does not run."""
        self.verdicts: dict[str, str] = {}
        self.covered: set[str] = set()
        self.away: set[str] = set()
        self.closed = False
        self.watched = asyncio.Event()
        """Set while anybody looks."""
        self._viewers: set[Viewer] = set()

    @property
    def inputs(self) -> dict[int, int]:
        """The levels of the wires, as the board of the next start must find them."""
        return {pin: level for pin, level in self.levels.items() if pin not in self.outputs}

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers)

    def look(self) -> Viewer:
        """Begin to look."""
        viewer = Viewer(list(self.levels.items()))
        viewer.woken.set()
        self._viewers.add(viewer)
        self.watched.set()
        return viewer

    def look_away(self, viewer: Viewer) -> None:
        """Look no more."""
        self._viewers.discard(viewer)
        if not self._viewers:
            self.watched.clear()

    def edge(self, pin: int, level: int) -> None:
        """Note that a pin moved."""
        self.levels[pin] = level
        for viewer in self._viewers:
            viewer.edges.append((pin, level))
            if len(viewer.edges) > MOST_EDGES:
                viewer.edges = list(self.levels.items())
            viewer.stale = viewer.stale or pin not in self.outputs
            viewer.woken.set()

    def board_came(self, pins: Iterable[Mapping[str, Any]]) -> None:
        """Take over the levels of a board that has just come."""
        self.board += 1
        for pin in pins:
            self.edge(pin["pin"], pin["level"])
        self.changed()

    def board_went(self) -> None:
        """Let everything go dark: a dead process drives no pin. The wires stay as they are."""
        for pin in self.outputs:
            self.edge(pin, 0)
        self.changed()

    def changed(self) -> None:
        """Have every browser told how things stand."""
        for viewer in self._viewers:
            viewer.stale = True
            viewer.woken.set()

    def mark(self, marked: set[str], name: str, so: bool) -> None:
        """Note that something is so, or is so no longer."""
        (marked.add if so else marked.discard)(name)
        self.changed()

    def close(self) -> None:
        """Send all browsers away."""
        self.closed = True
        self.changed()


def _outputs(config: Config) -> Iterable[int]:
    for button in config.buttons:
        lamps = button.lamps
        for pin in (lamps.red, lamps.yellow, lamps.green, button.buzzer, button.relay):
            if pin is not None:
                yield pin


def _healthy(config: Config) -> dict[int, int]:
    levels: dict[int, int] = {}
    for button in config.buttons:
        levels |= {pin: OPEN for pin in (button.pin, button.reset) if pin is not None}
        levels |= {pin: CLOSED for pin in (button.loop,) if pin is not None}
    enclosure = config.enclosure
    return levels | {p: CLOSED for p in (enclosure.tamper, enclosure.mains) if p is not None}
