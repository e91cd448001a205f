"""The alarm service joined as it is in a school, on a board of numbers and with no way out."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from gatehouse import config
from gatehouse.alarm.gpio import Deliver, Edge
from gatehouse.clock import Reading, SystemClock
from gatehouse.errors import BoardError
from gatehouse.events import Event, Happening
from gatehouse.outbox import Opening, Outbox, Timing
from gatehouse.service.alarm import AlarmService
from gatehouse.service.documents import Rooms
from gatehouse.service.joints import Joints
from gatehouse.service.requests import Requests
from gatehouse.service.voice import Voice
from gatehouse.systemd import Notifier

LIMIT_S: Final = 60.0
BOOT: Final = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
MS: Final = 1_000_000

SCHOOL: Final = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
state_dir = "{root}/state"
runtime_dir = "{root}/run"

[[button]]
name = "gate"
location = "南门"
pin = 17
loop = 27
reset = 24
lamps = {{ red = 22, yellow = 5, green = 6 }}
buzzer = 23
relay = 26

[[button]]
name = "office"
location = "教务处"
pin = 13

[enclosure]
tamper = 12

[district]
brokers = ["mqtt://127.0.0.1:1"]

[[camera]]
name = "gate"
source = "picamera2:0"
area = "critical"
"""


class MovableClock(SystemClock):
    """The machine's clock, moved and unset by a test."""

    def __init__(self, bootid: str = BOOT) -> None:
        super().__init__(bootid)
        self.offset_ns = 0
        self.set_by_server = True
        self.disk_goes_on = threading.Event()
        self.disk_goes_on.set()

    def reading(self) -> Reading:
        """Read all clocks, the wall clock with its offset; the disk's thread may hang here."""
        if threading.current_thread().name == "outbox-writer":
            self.disk_goes_on.wait(LIMIT_S)
        reading = super().reading()
        return replace(reading, unix_ns=reading.unix_ns + self.offset_ns)

    def synced(self) -> bool:
        """Say what the test says."""
        return self.set_by_server


@dataclass
class NumberBoard:
    """A board whose pins are numbers in a dictionary."""

    name: str = "simulated"
    levels: dict[int, int] = field(default_factory=lambda: {17: 1, 27: 0, 24: 1, 13: 1, 12: 0})
    outputs: dict[int, bool] = field(default_factory=dict)
    living: bool = True
    deliver: Deliver | None = None

    def listen(self, deliver: Deliver) -> None:
        """Remember who hears the edges."""
        self.deliver = deliver

    def level(self, pin: int) -> int:
        """Read a pin; one that is not there cannot be read."""
        if pin not in self.levels:
            raise BoardError(f"pin {pin} cannot be read")
        return self.levels[pin]

    def write(self, pin: int, on: bool) -> None:
        """Switch an output."""
        self.outputs[pin] = on

    def alive(self) -> bool:
        """Say what the test says."""
        return self.living

    def close(self) -> None:
        """Do nothing."""


@dataclass
class House:
    """One joined service, before its duties begin."""

    service: AlarmService
    board: NumberBoard
    clock: MovableClock
    joints: Joints
    rooms: Rooms
    voice: Voice
    opening: Opening
    put: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def outbox(self) -> Outbox:
        """The real outbox."""
        return self.rooms.outbox

    def requests(self) -> dict[str, Any]:
        """Return the handlers of the control socket."""
        return Requests(self.rooms, self.joints.stages, self.joints.changes).handlers()

    def press(self) -> str:
        """Press the gate's button longer than its filter, let go; return the alarm's id."""
        now = self.clock.reading().monotonic_ns
        for pin, level, ago_ms in ((27, 1, 400), (17, 0, 400), (17, 1, 200), (27, 0, 200)):
            self.board.levels[pin] = level
            self.rooms.station.edge(Edge(pin, level, now - ago_ms * MS))
        alarm = self.rooms.station.channels["gate"].last_alarm
        assert alarm is not None
        return alarm

    async def told(self) -> list[Event]:
        """Return all that was told in this and earlier starts, when it is durable."""
        await self.durable()
        log = await self.outbox.log(limit=1000, pending_only=False)
        return [msgspec.json.decode(row.body, type=Event) for row in log]

    async def durable(self) -> None:
        """Wait until the disk has everything."""
        async with asyncio.timeout(LIMIT_S):
            while self.put - self.stored:
                self.moved.clear()
                await self.moved.wait()


def loaded(root: Path, text: str = SCHOOL) -> config.Loaded:
    """Write and read the school's configuration."""
    (root / "run").mkdir(exist_ok=True)
    file = root / "gatehouse.toml"
    file.write_text(text.format(root=root), encoding="utf-8")
    return config.read_for_alarm(file, {})


@asynccontextmanager
async def joined(
    root: Path, clock: MovableClock | None = None, text: str = SCHOOL
) -> AsyncIterator[House]:
    """Join the rooms as the service does, tell the start, and read the levels."""
    clock = clock or MovableClock()
    board = NumberBoard()
    service = AlarmService(loaded(root, text), board, clock, Notifier({}))
    joints = Joints(clock)
    put: set[str] = set()
    stored: set[str] = set()
    moved = asyncio.Event()

    def durable(event_id: str, at_ns: int) -> None:
        joints.stored(event_id, at_ns)
        stored.add(event_id)
        moved.set()

    outbox, opening = await Outbox.open(
        root / "state" / "outbox.db",
        clock=clock,
        random=os.urandom,
        on_stored=durable,
        on_trouble=joints.trouble,
        timing=Timing(open_s=LIMIT_S, hang_s=LIMIT_S),  # a loaded disk is not what is tried
    )
    rooms, voice = service._join(asyncio.get_running_loop(), joints, outbox, opening)
    told = voice._on_event

    def noting(event: Event, happening: Happening) -> None:
        put.add(event.id)
        told(event, happening)

    voice._on_event = noting
    service._tell_start(voice, opening)
    joints.catch_up()
    rooms.station.begin(board.levels, clock.reading().monotonic_ns - 1_000 * MS)
    rooms.video.begin()
    try:
        yield House(service, board, clock, joints, rooms, voice, opening, put, stored, moved)
    finally:
        rooms.station.close()
        rooms.video.close()
        await outbox.close(LIMIT_S)
