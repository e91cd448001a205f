"""What the video service reports becomes faults and events of ours.

It is another process, which may be restarted, hang, flap or be replaced by something mad: all it
can do is to say what is wrong with its own cameras, so much at once, beside the alarm path.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.control import protocol, reports
from gatehouse.control.reports import Report, Row, Told
from gatehouse.errors import ControlError, MessageError
from gatehouse.events import Happening
from gatehouse.service.allowance import Allowance
from gatehouse.service.bounded import bounded
from gatehouse.service.silence import SILENT_S, Loop, Silence
from gatehouse.service.video_keys import Keys, Log, read_keys
from gatehouse.service.voice import Voice

log = logging.getLogger(__name__)

FAULT: Final = "video"
"""The video service does not report."""
KEYS_FAULT: Final = "video-keys"
"""What it told before this start cannot be read."""
AT_ONCE: Final = 600
EVERY_S: Final = 6.0
"""64 cameras may all fail at once and come back; one that flaps for good makes 600 events an hour,
and the log is twelve days long."""
_STORED_S: Final = 5.0
_FAULT_BYTES: Final = 2000
_TOLD_BYTES: Final = 8000
_READY_BYTES: Final = 28_000
"""A manifest of evidence goes with its happening, up to 24 kB."""
_STATUS_BYTES: Final = 4000
_ROWS: Final = 64
_ROW_BYTES: Final = 250
_TURN_S: Final = 0.001
_TOLD: Final = "told"

_Deed = Callable[[], None]


class Outbox(Log, Protocol):
    """What is asked of the outbox."""

    def holds(self, event_id: str) -> bool:
        """Whether an event waits for the disk or for the district."""


class VideoReports:
    """Hears the video service, and notices its silence."""

    def __init__(
        self,
        *,
        voice: Voice,
        outbox: Outbox,
        clock: Clock,
        loop: Loop,
        cameras: int,
        changed: Callable[[], None],
    ) -> None:
        """Prepare it; ``changed`` is called when `status` says something else than before.

        ``cameras`` are those of our own configuration; the loop's times are in s.
        """
        self._voice = voice
        self._outbox = outbox
        self._clock = clock
        self._loop = loop
        self._changed = changed
        self._configured = cameras > 0
        self._watched = self._configured
        self._keys = Keys()
        self._allowance = Allowance(AT_ONCE, EVERY_S, loop.time())
        self._silence = Silence(loop, self._silent)
        self._is_silent = False
        self._turn = asyncio.Lock()
        self._stored = asyncio.Event()
        self._served = ""
        self._status: dict[str, Any] = {}
        self._retention: list[dict[str, Any]] = []
        self._reported: str | None = None
        self._misread = False
        self._closed = False
        self.malformed = 0

    def begin(self) -> None:
        """Expect a report from now on, if there are cameras."""
        if self._watched:
            self._silence.heard()

    def close(self) -> None:
        """Take no report any more: `gateway.stopped` is to be the last event but for a press."""
        self._closed = True
        self._silence.stop()

    async def learn(self) -> None:
        """Learn from the log what was told before this start; then there is nothing to do."""
        if not self._keys.learnt:
            self._keys.learn(await read_keys(self._outbox))
        self._voice.fault(KEYS_FAULT, False)
        await asyncio.get_running_loop().create_future()

    def stored(self, event_id: str) -> None:
        """An event is durable."""
        if self._keys.stored(event_id):
            self._stored.set()

    def status(self) -> dict[str, Any] | None:
        """Return ``video`` of the status; None where there are no cameras."""
        if not self._watched:
            return None
        state = "never" if self._reported is None else "silent" if self._is_silent else "running"
        refused = {"malformed": self.malformed} if self.malformed else {}
        return {**self._status, **refused, "state": state, "reported": self._reported}

    def retention(self) -> list[dict[str, Any]]:
        """Return how far back each camera's recordings are proven, as was said last."""
        return self._retention

    async def take(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do as a report says, and answer the keys of the happenings that are on our disk.

        Raises ControlError for what is no report, and once the service ends.
        """
        if self._closed:
            raise ControlError("the alarm service ends")
        report = self._read(request)
        self._heard(report)
        async with self._turn:  # a sender that came again must not mix two states
            await self._carry_out(report)
        keys = tuple(dict.fromkeys(each.key for each in report.told))
        await self._durable(keys)
        return {"received": [key for key in keys if self._keys.is_stored(key)]}

    def _read(self, request: dict[str, Any]) -> Report:
        try:
            report = reports.read(request)
        except MessageError as exc:
            self.malformed += 1
            if not self._misread:
                log.warning("a report of the video service is refused: %s", exc)
            self._misread = True
            raise ControlError(str(exc), protocol.MALFORMED) from exc
        if self._misread:
            log.info("the reports of the video service are understood again")
        self._misread = False
        return report

    def _heard(self, report: Report) -> None:
        before, first = self._status, self._reported is None
        status = dict(report.status)
        self._retention = _rows(status.pop(reports.RETENTION_ROWS, None))
        self._status = bounded(status, _STATUS_BYTES)
        self._reported = events.rfc3339(self._clock.reading().unix_ns)
        self._is_silent = False
        self._voice.fault(FAULT, False)
        reported = any(row.subject != reports.GATEWAY for row in report.rows)
        self._watched = self._configured or reported
        if self._watched:
            self._silence.heard()
        else:
            self._silence.stop()
        if first or self._status != before:
            self._changed()

    def _silent(self) -> None:
        self._is_silent = True
        self._voice.fault(FAULT, True, data={"silent_s": int(SILENT_S)})

    async def _carry_out(self, report: Report) -> None:
        """Do what is news, as far as the allowance reaches; the next report says the rest again.

        The loop goes on in between: a press is not held up by 64 cameras that fail at once. Whoever
        comes after the one served last is served first, so that a flapping camera hides no other.
        """
        began_s = self._loop.time()
        for name, deeds in self._in_turn(self._units(report)):
            for deed in deeds:
                if self._closed or not self._allowance.take(self._loop.time()):
                    return
                deed()
                self._served = name
                if self._loop.time() - began_s > _TURN_S:
                    await asyncio.sleep(0)
                    began_s = self._loop.time()

    def _in_turn(
        self, units: Mapping[str, Iterator[_Deed]]
    ) -> Iterator[tuple[str, Iterator[_Deed]]]:
        names = list(units)
        first = names.index(self._served) + 1 if self._served in units else 0
        return ((name, units[name]) for name in [*names[first:], *names[:first]])

    def _units(self, report: Report) -> dict[str, Iterator[_Deed]]:
        rows = reports.merged(report.rows)
        units = {row.subject: self._of_row(row) for row in rows}
        for fault in self._voice.faults:
            subject = fault.subject
            if subject not in units and subject != reports.GATEWAY:
                units[subject] = self._of_row(Row(subject), {"reason": "removed"})
        units[_TOLD] = self._of_told(report.told)
        return units

    def _of_row(self, row: Row, why: Mapping[str, Any] | None = None) -> Iterator[_Deed]:
        """Yield what changed; beginnings first, so that no lamp says "ready" in between."""
        subject, book = row.subject, self._voice.faults
        named = {each.fault for each in row.stands} | set(row.unknown)
        for each in row.stands:
            if not book.stands(subject, each.fault):
                yield partial(self._begin, subject, each.fault, each.data)
        for fault in sorted(reports.vocabulary(subject) - named):
            if book.stands(subject, fault):
                yield partial(self._voice.fault, fault, False, subject=subject, data=why)

    def _begin(self, subject: str, fault: str, data: Mapping[str, Any]) -> None:
        family = reports.family(subject, fault)
        told = bounded(data, _FAULT_BYTES)
        self._voice.fault(fault, True, subject=subject, family=family, data=told)

    def _of_told(self, told: Sequence[Told]) -> Iterator[_Deed]:
        """Yield what has no event yet, or one that gave way before it was durable."""
        if not self._keys.learnt:  # it might have one: it is told again
            return
        for each in told:
            event_id = self._keys.event(each.key)
            waits = event_id is not None and self._outbox.holds(event_id)
            if not (waits or self._keys.is_stored(each.key)):
                yield partial(self._tell, each)

    def _tell(self, told: Told) -> None:
        most_bytes = _READY_BYTES if told.type == reports.EVIDENCE_READY else _TOLD_BYTES
        data = {**bounded(told.data, most_bytes), "key": told.key}
        event = self._voice.tell(Happening(told.type, told.subject, data))
        self._keys.told(told.key, event.id)

    async def _durable(self, keys: Sequence[str]) -> None:
        """Wait until the disk has what waits for it, but not for a disk that takes nothing."""
        try:
            async with asyncio.timeout(_STORED_S):
                while any(self._keys.event(key) is not None for key in keys):
                    self._stored.clear()
                    await self._stored.wait()
        except TimeoutError:
            log.debug("the disk has not taken what the video service told")


def _rows(said: object) -> list[dict[str, Any]]:
    """Return what of the rows of retention goes into a heartbeat: 16 kB at most."""
    rows = said if isinstance(said, list) else []
    short = (bounded(row, _ROW_BYTES) for row in rows[:_ROWS] if isinstance(row, dict))
    return [row for row in short if row]
