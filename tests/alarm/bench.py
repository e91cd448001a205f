"""A station on simulated parts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from alarm.fakes import FakeBoard, FakeLoop, FakeOutside, FakeVoice
from alarm.lines import MS, S
from gatehouse import config
from gatehouse.alarm.channel import Standing
from gatehouse.alarm.gpio import Edge
from gatehouse.alarm.station import Parts, Station

PIN, KEY, RED, BUZZER, RELAY = 17, 24, 22, 23, 26
GATE = config.Button(
    "gate", "South gate", PIN, reset=KEY, lamps=config.Lamps(red=RED), buzzer=BUZZER, relay=RELAY
)
DESK_PIN, DESK_RELAY = 5, 13
DESK = config.Button("desk", "Front desk", DESK_PIN, lamps=config.Lamps(red=6), relay=DESK_RELAY)


@dataclass
class Bench:
    """A station on simulated parts; ``log`` holds writes and words in the order they happened."""

    buttons: tuple[config.Button, ...] = (GATE,)
    enclosure: config.Enclosure = field(default_factory=config.Enclosure)
    standing: Mapping[str, Standing] = field(default_factory=dict)
    levels: Mapping[int, int] = field(default_factory=dict)
    carried: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.loop = FakeLoop()
        self.log: list[tuple[str, Any]] = []
        self.board = FakeBoard(self.loop, self.log)
        self.voice = FakeVoice(self.log)
        self.voice.standing |= {("gateway", name): {} for name in self.carried}
        self.outside = FakeOutside(self.voice)
        self.probes = 0
        self.station = Station(
            Parts(self.buttons, self.enclosure, True, self.standing),
            board=self.board,
            voice=self.voice,
            outside=self.outside,
            loop=cast("asyncio.AbstractEventLoop", self.loop),
            monotonic_ns=lambda: self.loop.now_ns,
            on_probe=self._probed,
        )
        self.voice.on_fault = self.station.refresh
        for button in self.buttons:
            self.board.levels[button.pin] = 1
            if button.loop is not None:
                self.board.levels[button.loop] = 0
            if button.reset is not None:
                self.board.levels[button.reset] = 1
        for pin in (self.enclosure.tamper, self.enclosure.mains):
            if pin is not None:
                self.board.levels[pin] = 0
        self.board.levels |= self.levels
        self.station.begin(dict(self.board.levels), self.loop.now_ns)
        self.loop.run()

    def _probed(self) -> None:
        self.probes += 1

    def put(self, pin: int, level: int, *, ago_ns: int = 0) -> None:
        """Move a pin; the edge was so long ago, and only comes now."""
        self.board.levels[pin] = level
        self.station.edge(Edge(pin, level, self.loop.now_ns - ago_ns))

    def blinks(self, pin: int, for_ns: int) -> int:
        """Let so much time and a little more pass; return how often an output went on."""
        start = len(self.board.writes)
        self.loop.run(for_ns + 20 * MS)
        return sum(on for _, its_pin, on in self.board.writes[start:] if its_pin == pin)

    def press(self, pin: int, for_ns: int = 100 * MS, gap_ns: int = 100 * MS) -> None:
        """Close a contact for a while, and let the debouncing pass."""
        self.put(pin, 0)
        self.loop.run(for_ns)
        self.put(pin, 1)
        self.loop.run(gap_ns)

    def stage(self, button: str = "gate") -> str | None:
        """Return the stage that a button shows."""
        stage = self.station.channels[button].alarms.stage
        return None if stage is None else stage.word

    def tick(self, times: int = 1) -> None:
        """Let seconds pass as the service does."""
        for _ in range(times):
            self.loop.run(S)
            self.station.tick()
        self.loop.run(100 * MS)
