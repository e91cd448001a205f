"""The alarm service's end of the video service's reports, beside a disk that a test moves."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from alarm.fakes import FakeLoop, Handle
from gatehouse import events
from gatehouse.control import reports
from gatehouse.control.reports import Report, Row, Standing, Told
from gatehouse.errors import OutboxError
from gatehouse.events import Event, Happening, Scribe
from gatehouse.faults import Fault, FaultBook
from gatehouse.service.video_reports import VideoReports
from gatehouse.service.voice import Voice
from service.house import MovableClock

GATE: Final = "camera/gate"
YARD: Final = "camera/yard"


def row(subject: str, /, *stands: str, unknown: Sequence[str] = (), **data: Any) -> Row:
    """Return one subject's row; each fault has the same data."""
    return Row(subject, tuple(Standing(fault, data) for fault in stands), tuple(unknown))


def gap(key: str, subject: str = GATE, /, **data: Any) -> Told:
    """Return a gap in a camera's recordings."""
    return Told(key, reports.GAP, subject, {"seconds": 400, **data})


def said(*rows: Row, told: Sequence[Told] = (), **status: Any) -> dict[str, Any]:
    """Return the request that carries a report."""
    return reports.request(Report(rows, tuple(told), status))


async def until(test: Callable[[], object]) -> None:
    """Wait until something holds that wakes nobody."""
    async with asyncio.timeout(60):
        while not test():  # noqa: ASYNC110  # by definition
            await asyncio.sleep(0.005)


class SlowLoop(FakeLoop):
    """Time moves a little with every look at it, as it does on a slow machine."""

    look_ns = 0

    def time(self) -> float:
        """Return the loop's time in s."""
        self.now_ns += self.look_ns
        return super().time()

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call back at that time; that is no look."""
        look_ns, self.look_ns = self.look_ns, 0
        try:
            return super().call_at(when, callback, *args)
        finally:
            self.look_ns = look_ns


@dataclass
class Disk:
    """An outbox and an uplink in one, which note what they get; a test says what is durable."""

    told: list[Event] = field(default_factory=list)
    gave_way: set[str] = field(default_factory=set)
    log: list[bytes] = field(default_factory=list)
    """What the disk held before, the newest first."""
    refusals: int = 0
    durable: Callable[[str], None] | None = None
    """Whom to tell at once that an event is durable; None while the disk hangs."""

    def put(self, event: Event, _body: bytes) -> None:
        """Take an event."""
        self.told.append(event)
        if self.durable is not None:
            asyncio.get_running_loop().call_soon(self.durable, event.id)

    def holds(self, event_id: str) -> bool:
        """Say what the test says."""
        return event_id not in self.gave_way

    async def of_types(
        self, types: Sequence[str], before: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return one event a step; refuse as often as the test says."""
        if self.refusals:
            self.refusals -= 1
            raise OutboxError("the disk does not answer")
        assert set(types) == reports.HAPPENINGS
        place = before or 0
        return self.log[place : place + 1], place + 1 if place < len(self.log) else None

    def press(self, event: Event, body: bytes) -> None:
        """Nothing here is a press."""
        raise AssertionError(event.type, body)

    def wake(self) -> None:
        """Do nothing."""


class Desk:
    """Reports on a voice without a house."""

    def __init__(self, *standing: Fault, cameras: int = 1) -> None:
        self.loop = SlowLoop()
        self.disk = Disk()
        self.clock = MovableClock()
        self.voice = Voice(
            scribe=Scribe(gateway="gw", store="s", start=1, clock=self.clock, random=bytes),
            faults=FaultBook(standing),
            outbox=self.disk,
            uplink=self.disk,
            clock=self.clock,
            on_event=self._noted,
            on_faults=lambda: None,
        )
        self.video = VideoReports(
            voice=self.voice,
            outbox=self.disk,
            clock=self.clock,
            loop=self.loop,
            cameras=cameras,
            changed=self._changed,
        )
        self.changes = 0
        """How often the status was another."""
        self.video._keys.learn([])
        self.video.begin()

    def _changed(self) -> None:
        self.changes += 1

    def _noted(self, event: Event, happening: Happening) -> None:
        assert events.decode(events.encode(event)).data == dict(happening.data)

    @property
    def standing(self) -> set[tuple[str, str]]:
        """The faults that stand."""
        return {(fault.subject, fault.fault) for fault in self.voice.faults}

    def words(self) -> list[tuple[str, str, Any]]:
        """Return what was told since the last look: type, subject, fault."""
        told = [(e.type, e.subject, e.data.get("fault")) for e in self.disk.told]
        self.disk.told.clear()
        return told
