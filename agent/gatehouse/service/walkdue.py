"""Which buttons have not been walked for too long: from the event log, and by the clock.

It looks beside the alarm path, and tells one fault of the gateway.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from gatehouse import events
from gatehouse.clock import Clock, Reading
from gatehouse.errors import MessageError, OutboxError
from gatehouse.events import Event
from gatehouse.faults import GATEWAY
from gatehouse.service.voice import Voice

FAULT: Final = "walktest-due"
LOG_FAULT: Final = "walktest-log"
"""What was walked before this start cannot be read."""
DAYS: Final = 90
_TYPES: Final = (events.WALKTEST_REPORT, events.GATEWAY_STARTED, events.CLOCK_CORRECTED)
_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _NS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LOOK_S: Final = 3600.0
"""A fault that is counted in days, and a clock that may be set minutes after the start."""
_AGAIN_S: Final = 5.0


class Log(Protocol):
    """What is asked of the outbox."""

    async def of_types(
        self, types: Sequence[str], before: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return some events, the newest first, and before which row to go on; None: no more."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was: of this boot by the clock that cannot be wrong, else by the wall."""

    unix_ns: int
    boottime_ns: int | None = None

    def age_ns(self, now: Reading) -> int:
        """Return how long ago it was."""
        if self.boottime_ns is not None:
            return now.boottime_ns - self.boottime_ns
        return now.unix_ns - self.unix_ns


@dataclass
class History:
    """What the log says; fed from the newest event to the oldest."""

    bootid: str
    walked: dict[str, Moment] = field(default_factory=dict)
    """When each button was last walked with success."""
    first: Moment | None = None
    """The oldest start that is known: from then on a button has its first 90 days."""
    _corrections: dict[str, int] = field(default_factory=dict)

    def learn(self, event: Event) -> None:
        """Take the next older event."""
        if event.type == events.CLOCK_CORRECTED:
            offset_s = event.data.get("offset_s")
            if isinstance(offset_s, int | float):
                self._corrections[event.bootid] = int(offset_s * _NS)
        elif event.type == events.GATEWAY_STARTED:
            self.first = self._moment(event)
        else:
            for name in walked(event.data.get("buttons")):
                self.walked.setdefault(name, self._moment(event))

    def _moment(self, event: Event) -> Moment:
        """A time that was told unsynced is put right by the correction that came after it."""
        off_ns = self._corrections.get(event.bootid, 0) if event.clock != "synced" else 0
        of_this_boot = event.bootid == self.bootid and event.monotonic.isdecimal()
        unix_ns = (datetime.fromisoformat(event.time) - _EPOCH) // _MICROSECOND * 1000
        return Moment(unix_ns + off_ns, int(event.monotonic) if of_this_boot else None)


def walked(rows: object) -> tuple[str, ...]:
    """Return the buttons that a report says were walked with success."""
    found = rows if isinstance(rows, list | tuple) else []
    return tuple(
        str(row.get("name")) for row in found if isinstance(row, dict) and row.get("result") == "OK"
    )


def due(
    names: Iterable[str], history: History, now: Reading, *, standing: frozenset[str]
) -> tuple[str, ...]:
    """Return the buttons that were not walked for 90 days.

    A button that was put in later has no days of its own: until it is walked nobody knows that it
    works. One that was due stays so until it is walked, also where a full log has forgotten since
    when.
    """
    late = []
    for name in names:
        since = history.walked.get(name)
        known = since or history.first
        if (since is None and name in standing) or (
            known is not None and known.age_ns(now) > DAYS * _DAY_NS
        ):
            late.append(name)
    return tuple(late)


async def read_history(log: Log, bootid: str) -> History:
    """Read the log back to its beginning. Waits for a disk that does not answer."""
    history = History(bootid)
    before: int | None = None
    while True:
        try:
            bodies, before = await log.of_types(_TYPES, before)
        except (OutboxError, TimeoutError):  # the outbox tells of it
            await asyncio.sleep(_AGAIN_S)
            continue
        for body in bodies:
            with contextlib.suppress(MessageError, ValueError, TypeError):  # not one of ours
                history.learn(events.decode(body))
        if before is None:
            return history


class WalkDue:
    """Looks when the service starts, each hour, and when something was walked."""

    def __init__(self, *, log: Log, voice: Voice, clock: Clock, buttons: Iterable[str]) -> None:
        self._log = log
        self._voice = voice
        self._clock = clock
        self._buttons = tuple(buttons)
        self._fresh: dict[str, Moment] = {}
        self._walked = asyncio.Event()

    def report(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """A walk has ended."""
        now = self._clock.reading()
        for name in walked(rows):
            self._fresh[name] = Moment(now.unix_ns, now.boottime_ns)
        self._walked.set()

    async def watch(self) -> None:
        """Look until cancelled."""
        history = await read_history(self._log, self._clock.bootid)
        self._voice.fault(LOG_FAULT, False)
        while True:
            self._walked.clear()
            history.walked.update(self._fresh)
            self.look(history)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._walked.wait()

    def look(self, history: History) -> None:
        """Begin, amend or end the fault. A clock that is not set begins none, and ends none."""
        before = self._standing()
        if self._clock.synced():
            late = due(
                self._buttons, history, self._clock.reading(), standing=frozenset(before or ())
            )
        else:
            late = tuple(name for name in before or () if name not in self._fresh)
        late = tuple(name for name in self._buttons if name in late)
        if late == before:
            return
        data = {"buttons": list(late), "days": DAYS}
        if before is not None and late:
            self._voice.amend(FAULT, data)
        else:
            self._voice.fault(FAULT, bool(late), data=data if late else None)

    def _standing(self) -> tuple[str, ...] | None:
        for fault in self._voice.faults:
            if (fault.subject, fault.fault) == (GATEWAY, FAULT):
                return tuple(str(name) for name in fault.data.get("buttons") or ())
        return None
