"""What stands around a station: a loop whose time is turned by hand, pins and ears that fail."""

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.alarm.gpio import Deliver
from gatehouse.errors import BoardError
from gatehouse.events import ALARM_RAISED, Event, Happening, Mode

MS = 1_000_000
S = 1_000 * MS
NOW_NS = 5_000 * S


class Handle:
    """What the loop gives for a callback that waits."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        """Let it never be called."""
        self.cancelled = True


class FakeLoop:
    """An event loop whose time moves only when it is told to; it runs in order of time."""

    def __init__(self, now_ns: int = NOW_NS) -> None:
        self.now_ns = now_ns
        self.errors: list[Exception] = []
        self._waiting: list[tuple[int, int, Callable[[], object], Handle]] = []
        self._number = itertools.count()

    def time(self) -> float:
        """Return the loop's time in s."""
        return self.now_ns / 1e9

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call back at that time."""
        handle = Handle()
        due_ns = max(self.now_ns, round(when * 1e9))
        entry = (due_ns, next(self._number), lambda: callback(*args), handle)
        heapq.heappush(self._waiting, entry)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call back after so many seconds."""
        return self.call_at(self.time() + delay, callback, *args)

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Handle:
        """Call back in the next turn."""
        return self.call_at(self.time(), callback, *args)

    def run(self, for_ns: int = 0) -> None:
        """Let so much time pass, and do what falls due; an exception ends only its callback."""
        end_ns = self.now_ns + for_ns
        while self._waiting and self._waiting[0][0] <= end_ns:
            due_ns, _, callback, handle = heapq.heappop(self._waiting)
            self.now_ns = max(self.now_ns, due_ns)
            if not handle.cancelled:
                try:
                    callback()
                except Exception as exc:  # noqa: BLE001  # as asyncio does
                    self.errors.append(exc)
        self.now_ns = end_ns

    def waiting(self) -> int:
        """Return how many callbacks wait."""
        return sum(not handle.cancelled for *_, handle in self._waiting)


class FakeBoard:
    """Pins with levels; each may fail to be read or written."""

    name = "simulated"

    def __init__(self, loop: FakeLoop, log: list[tuple[str, Any]]) -> None:
        self._loop = loop
        self._log = log
        self.levels: dict[int, int] = {}
        self.outputs: dict[int, bool] = {}
        self.writes: list[tuple[int, int, bool]] = []
        self.unreadable: set[int] = set()
        self.unwritable: set[int] = set()

    def listen(self, deliver: Deliver) -> None:
        """Do nothing: the bench gives the edges."""

    def level(self, pin: int) -> int:
        """Read a pin now."""
        if pin in self.unreadable:
            raise BoardError(f"cannot read GPIO {pin}")
        return self.levels[pin]

    def write(self, pin: int, on: bool) -> None:
        """Switch an output."""
        if pin in self.unwritable:
            raise BoardError(f"cannot write GPIO {pin}")
        self.outputs[pin] = on
        self.writes.append((self._loop.now_ns, pin, on))
        self._log.append(("write", (pin, on)))

    def alive(self) -> bool:
        """Whether edges can still come."""
        return True

    def close(self) -> None:
        """Switch off."""


class FakeVoice:
    """Remembers what it is told; ``broken`` makes it raise as no voice should."""

    def __init__(self, log: list[tuple[str, Any]]) -> None:
        self._log = log
        self._number = itertools.count(1)
        self.told: list[tuple[str, Happening]] = []
        self.faults: list[tuple[str, str, bool]] = []
        self.standing: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.broken = False
        self.on_fault: Callable[[], None] = lambda: None

    def tell(self, happening: Happening) -> Event:
        """Make an event."""
        if self.broken:
            raise RuntimeError("no voice")
        event = Event(
            id=f"event-{next(self._number)}",
            source="/gatehouse/bench",
            type=happening.type,
            subject=happening.subject,
            time="",
            store="",
            sequence="",
            bootid="",
            monotonic="",
            clock="synced",
            mode=happening.mode,
            data=dict(happening.data),
        )
        self._log.append(("tell", happening))
        self.told.append((event.id, happening))
        return event

    def fault(
        self,
        name: str,
        begins: bool,
        *,
        subject: str = "gateway",
        family: str | None = None,
        data: Mapping[str, Any] | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Note that a fault began or ended, once, as the real one does."""
        del family, at_ns
        if self.broken:
            raise RuntimeError("no voice")
        key = (subject, name)
        if begins == (key in self.standing):
            return
        if begins:
            self.standing[key] = dict(data or {})
        else:
            del self.standing[key]
        self._log.append(("fault", (name, begins)))
        self.faults.append((subject, name, begins))
        self.on_fault()

    def of_type(self, type_: str) -> list[Happening]:
        """Return what was told of one type."""
        return [happening for _, happening in self.told if happening.type == type_]

    def alarms(self) -> list[Happening]:
        """Return the alarms that were raised."""
        return self.of_type(ALARM_RAISED)

    def modes(self) -> list[Mode]:
        """Return the modes of the alarms that were raised."""
        return [happening.mode for happening in self.alarms()]


@dataclass
class FakeOutside:
    """What the station asks of the rest of the house."""

    voice: FakeVoice
    is_proven: bool = True

    def proven(self) -> bool:
        """Whether the district was proven within the last minute."""
        return self.is_proven

    def faulty(self) -> bool:
        """Whether any fault stands."""
        return bool(self.voice.standing)
