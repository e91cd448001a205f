"""An outbox in memory, hooks that note what they hear, and an agent made of them."""

import asyncio
import contextlib
import os
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gatehouse import events
from gatehouse.clock import Reading, SystemClock
from gatehouse.config.model import Broker, District
from gatehouse.errors import ControlError
from gatehouse.events import Event, Happening, Importance, Mode, Scribe
from gatehouse.uplink import Birth, Hooks, LinkStatus, Timing, Uplink
from gatehouse.uplink.resolve import lookup
from gatehouse.uplink.topics import Topics

GATEWAY = "qd-sn-0042"
TOPICS = Topics.of(GATEWAY)
FAST = Timing(retry_least_s=0.02, retry_most_s=0.1, refused_s=0.05, refused_most_s=0.2)


@dataclass(frozen=True, slots=True)
class Row:
    """One event that waits."""

    id: str
    type: str
    subject: str
    sequence: str
    importance: Importance
    mode: Mode
    raised: bool
    size: int


class MemoryQueue:
    """Alarms and others, each in the order in which they came."""

    def __init__(self) -> None:
        self.alarms: OrderedDict[str, Row] = OrderedDict()
        self.others: OrderedDict[str, Row] = OrderedDict()

    def add(self, row: Row) -> None:
        """Let an event wait."""
        (self.alarms if row.importance is Importance.ALARM else self.others)[row.id] = row

    def done(self, event_id: str) -> Row | None:
        """End an event."""
        return self.alarms.pop(event_id, None) or self.others.pop(event_id, None)

    def next_alarm(self, skip: Container[str]) -> Row | None:
        """Return the oldest alarm that is not in skip."""
        return next((row for row in self.alarms.values() if row.id not in skip), None)

    def next_other(self, skip: Container[str]) -> Row | None:
        """Return the oldest other event that is not in skip."""
        return next((row for row in self.others.values() if row.id not in skip), None)

    def __contains__(self, event_id: str) -> bool:
        return event_id in self.alarms or event_id in self.others

    def __len__(self) -> int:
        return len(self.alarms) + len(self.others)


class MemoryOutbox:
    """Keeps everything in memory; ``hang`` makes reading bodies hang like a dead disk."""

    def __init__(self) -> None:
        self.pending = MemoryQueue()
        self.stored: dict[str, bytes] = {}
        self.sent_ids: list[str] = []
        self.received_ids: list[str] = []
        self.commands: dict[str, float] = {}
        self.hang = False

    def put(self, event: Event, body: bytes) -> None:
        """Store an event."""
        row = Row(
            id=event.id,
            type=event.type,
            subject=event.subject,
            sequence=event.sequence,
            importance=events.importance(event.type, event.data),
            mode=event.mode,
            raised=event.type == events.ALARM_RAISED,
            size=len(body),
        )
        self.stored[event.id] = body
        self.pending.add(row)

    def sent(self, id: str) -> None:  # noqa: A002  # the outbox's own word
        """Note a PUBACK 0x00."""
        self.sent_ids.append(id)

    def received(self, ids: Iterable[str]) -> list[str]:
        """End events; return the known ones."""
        known = [each for each in ids if self.pending.done(each) is not None]
        self.received_ids += known
        return known

    def command_seen(self, command_id: str, expires_unix: float) -> None:
        """Remember a command."""
        self.commands[command_id] = expires_unix

    async def bodies(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return bodies; hang if told to."""
        if self.hang:
            await asyncio.Event().wait()
        return {each: self.stored[each] for each in ids if each in self.stored}


class MovedClock(SystemClock):
    """The machine's clock, moved and unset at will."""

    def __init__(self) -> None:
        super().__init__()
        self.offset_s = 0.0
        self.is_synced = True

    def reading(self) -> Reading:
        """Read all clocks."""
        reading = super().reading()
        return replace(reading, unix_ns=reading.unix_ns + int(self.offset_s * 1e9))

    def synced(self) -> bool:
        """Say what the test says."""
        return self.is_synced


class VideoService:
    """A video service that takes its time while ``free`` is not set, and refuses at will."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any] | Exception] = {}
        self.free = asyncio.Event()
        self.free.set()

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer as told; of what nobody has told it knows nothing."""
        self.asked.append(request)
        await self.free.wait()
        answer = self.answers.get(request["do"], ControlError("unknown", "unknown"))
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Heard:
    """What the hooks were told."""

    sent: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    faults: list[tuple[str, bool, dict[str, Any]]] = field(default_factory=list)
    links: list[LinkStatus] = field(default_factory=list)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    selftests: list[str] = field(default_factory=list)
    video: VideoService = field(default_factory=VideoService)

    def hooks(self) -> Hooks:
        """Return hooks that write here."""

        def acknowledge(alarm: str, by: str) -> bool:
            self.acknowledged.append((alarm, by))
            return not alarm.startswith("unknown")

        return Hooks(
            sent=lambda event_id, _: self.sent.append(event_id),
            received=lambda ids, _: self.received.extend(ids),
            fault=lambda name, begins, data: self.faults.append((name, begins, data)),
            link_changed=self.links.append,
            pictures_changed=lambda: None,
            acknowledge=acknowledge,
            refused=lambda reason, data: self.refused.append((reason, data)),
            selftest=self._selftest,
            video=self.video.ask,
        )

    def _selftest(self, command: str) -> bool:
        """Run one at a time."""
        self.selftests.append(command)
        return len(self.selftests) == 1

    def begun(self, fault: str) -> int:
        """How often a fault began."""
        return sum(name == fault and begins for name, begins, _ in self.faults)

    def ended(self, fault: str) -> int:
        """How often it ended."""
        return sum(name == fault and not begins for name, begins, _ in self.faults)

    def text(self, fault: str) -> str:
        """Return the text with which a fault first began."""
        return next(
            str(data["text"]) for name, begins, data in self.faults if name == fault and begins
        )


class Agent:
    """An uplink with everything around it in memory."""

    def __init__(
        self,
        *brokers: Broker,
        timing: Timing = FAST,
        receipts: bool = True,
        heartbeat_s: float = 20.0,
        ask: Callable[[str], list[str]] | None = None,
        certificates: tuple[Path, Path, Path] | None = None,
        gateway: str = GATEWAY,
        evidence: Path = Path("/nowhere/evidence"),
    ) -> None:
        ca, cert, key = certificates or (None, None, None)
        self.outbox = MemoryOutbox()
        self.heard = Heard()
        self.clock = MovedClock()
        self.scribe = Scribe(
            gateway=gateway, store="store", start=7, clock=self.clock, random=os.urandom
        )
        self.uplink = Uplink(
            gateway=gateway,
            district=District(brokers, ca, cert, key, receipts, heartbeat_s),
            outbox=self.outbox,
            clock=self.clock,
            random=lambda: 0.5,
            birth=self.birth,
            heartbeat=self.heartbeat,
            hooks=self.heard.hooks(),
            evidence=evidence,
            cameras=("gate", "yard"),
            timing=timing,
            ask=ask or lookup,
        )
        self._running: asyncio.Task[None] | None = None

    @staticmethod
    def birth() -> Birth:
        """Return a birth message."""
        return Birth(
            store="store",
            start=7,
            bootid="boot",
            version="0",
            started="2026-11-23T08:00:00Z",
            buttons=("gate",),
            cameras=(),
            faults=(),
        )

    @staticmethod
    async def heartbeat() -> bytes:
        """Return a heartbeat."""
        return b'{"alive":true}'

    def happens(self, type_: str = events.POWER_FAULT, **data: Any) -> str:
        """Have an event stored and waiting; return its id."""
        event = self.scribe.write(Happening(type_, "button/gate", data))
        self.outbox.put(event, events.encode(event))
        self.uplink.wake()
        return event.id

    def press(self) -> str:
        """Press the button; return the alarm's id."""
        event = self.scribe.write(Happening(events.ALARM_RAISED, "button/gate"))
        body = events.encode(event)
        self.uplink.press(event, body)
        self.outbox.put(event, body)
        return event.id

    async def __aenter__(self) -> "Agent":
        self._running = asyncio.create_task(self.uplink.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._running is not None
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running


async def until(condition: Callable[[], object], limit_s: float = 60.0) -> None:
    """Wait for a condition, generously; the condition is looked at every few ms."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  # what is awaited has no event of its own
            await asyncio.sleep(0.005)
