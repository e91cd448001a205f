"""The walk test on the control socket: it lasts as long as the connection of whoever walks.

Whoever is gone, by Ctrl-C or with a flat telephone, has ended it: every press is real again.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatehouse import events
from gatehouse.alarm import walktest
from gatehouse.alarm.button import Stage
from gatehouse.alarm.contacts import Line
from gatehouse.errors import ControlError
from gatehouse.events import Happening, Mode
from gatehouse.service.documents import Rooms
from gatehouse.service.requests import Watchers
from gatehouse.service.voice import Voice
from gatehouse.service.walkdue import WalkDue
from gatehouse.texts import _

_NS: Final = 1_000_000_000
_NAME_LENGTH: Final = 100
_USUAL_S: Final = 900.0

Queue = asyncio.Queue[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; no buttons are all of them."""

    buttons: tuple[str, ...]
    timeout_s: float
    by: str | None


class WalkTests:
    """Begins one walk at a time, follows its presses, and leaves a report."""

    def __init__(self, rooms: Rooms, voice: Voice, stages: Watchers, changes: Watchers) -> None:
        """``stages`` says when an alarm got how far, ``changes`` that anything changed."""
        self._station = rooms.station
        self._voice = voice
        self._clock = rooms.clock
        self._receipts = rooms.config.district.receipts
        self._stages = stages
        self._changes = changes
        self._by: str | None = None
        self._last: dict[str, Any] = {}
        """What is said of a walk that is over."""
        self.due = WalkDue(
            log=rooms.outbox, voice=voice, clock=rooms.clock, buttons=rooms.station.channels
        )

    async def take(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Answer ``walktest``: how far it is, at every change. Raises ControlError."""
        return self._follow(_read(request))

    def close(self) -> None:
        """End the walk that is on, if there is one: the service ends."""
        self._finish("stopped")

    async def _follow(self, asked: Asked) -> AsyncIterator[dict[str, Any]]:
        """Begin and end within one generator: who never reads it has begun nothing."""
        with self._stages.queue() as stages, self._changes.queue() as changes:
            self._begin(asked)
            ended = False
            try:
                while (walk := self._station.walk) is not None:
                    walk = self._go_on(walk, stages)
                    if (over := self._over(walk)) is not None:
                        self._finish(over)
                        break
                    yield self._document(walk, None)
                    await self._change(walk, changes)
                ended = True
                yield self._last
            finally:
                if not ended:  # else another walk may have begun
                    self._finish("left")

    def _begin(self, asked: Asked) -> None:
        station = self._station
        if station.walk is not None:
            raise ControlError(_("a walk test is running: end it first"))
        if station.drill_left_s() is not None:
            raise ControlError(_("a drill is running: stop it first (gatehouse drill stop)"))
        names = asked.buttons or tuple(station.channels)
        for name in names:
            if station.channel(name).alarms.alarms:  # whoever presses there may be in danger
                said = _("an alarm stands at {name}: reset it first (gatehouse reset)")
                raise ControlError(said.format(name=name))
        now = self._now()
        until = now + int(asked.timeout_s * _NS)
        self._by = asked.by
        station.walk = walktest.Walk(names, now, until, self._receipts)
        self._changes.tell({})

    def _go_on(self, walk: walktest.Walk, stages: Queue) -> walktest.Walk:
        """Note what happened, and reset what is due."""
        while not stages.empty():
            walk = _noted(walk, stages.get_nowait())
        for name in walk.waiting:
            if self._station.channels[name].line is Line.OPEN:
                walk = walktest.seen_open(walk, name)
        self._station.walk = walk = self._caught_up(walk)
        now = self._now()
        for name, press in walk.presses.items():
            at_ns = walk.reset_ns(name)
            if at_ns is not None and at_ns <= now and self._stands(name, press.alarm):
                self._station.end_tests(name)
        return walk

    def _over(self, walk: walktest.Walk) -> str | None:
        """Return why the walk is over: all is proven and reset, or there is no more time."""
        open_ = any(
            self._stands(name, press.alarm) or not walk.done(name)
            for name, press in walk.presses.items()
        )
        if not walk.waiting and not open_:
            return "complete"
        return "timeout" if self._now() >= walk.until_ns else None

    def _caught_up(self, walk: walktest.Walk) -> walktest.Walk:
        """Note what no line said.

        Who answers a later alarm of a button has answered the older ones, this one too; and of a
        great many lines some are left out.
        """
        for name in walk.presses:
            for alarm in self._station.channels[name].alarms.alarms:
                if alarm.received:
                    walk = walktest.moved(walk, alarm.id, Stage.RECEIVED, self._now())
                if alarm.acknowledged:
                    walk = walktest.moved(walk, alarm.id, Stage.ACKNOWLEDGED, self._now())
        return walk

    def _stands(self, button: str, alarm_id: str | None) -> bool:
        alarms = self._station.channels[button].alarms.alarms
        return any(alarm.id == alarm_id for alarm in alarms)

    async def _change(self, walk: walktest.Walk, changes: Queue) -> None:
        """Wait until something changes, or the next thing is due."""
        now = self._now()
        resets = [at for name in walk.presses if (at := walk.reset_ns(name)) is not None]
        due = min([walk.until_ns, *(at for at in resets if at > now)])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, (due - now) / _NS)):
                await changes.get()

    def _finish(self, reason: str) -> None:
        """End the walk once: no press is a test any more, and the report is told."""
        walk = self._station.walk
        if walk is None:
            return
        self._last = self._document(walk, reason)
        self._station.walk = None
        for name in walk.presses:
            self._station.end_tests(name)
        rows = [walk.row(name) for name in walk.buttons]
        seconds = round((self._now() - walk.from_ns) / _NS, 1)
        data: dict[str, Any] = {"buttons": rows, "reason": reason, "seconds": seconds}
        if self._by is not None:
            data["by"] = self._by
        self._voice.tell(Happening(events.WALKTEST_REPORT, "gateway", data, Mode.TEST))
        self.due.report(rows)

    def _document(self, walk: walktest.Walk, over: str | None) -> dict[str, Any]:
        rows = [
            {**walk.row(name), "line": str(self._station.channels[name].line)}
            for name in walk.buttons
        ]
        left = max(0.0, (walk.until_ns - self._now()) / _NS)
        return {"over": over, "buttons": rows, "seconds_left": round(left, 1)}

    def _now(self) -> int:
        return self._clock.reading().monotonic_ns


def _noted(walk: walktest.Walk, line: Mapping[str, Any]) -> walktest.Walk:
    word, alarm_id, at_ns = line["stage"], line["alarm"], line["t"]
    if word == "raised":
        return walktest.raised(walk, alarm_id, at_ns)
    return walktest.moved(walk, alarm_id, Stage[word.upper()], at_ns)


def _read(request: Mapping[str, Any]) -> Asked:
    buttons, by = request.get("buttons") or [], request.get("by")
    seconds = request.get("timeout_s", _USUAL_S)
    if not isinstance(buttons, list) or not all(isinstance(name, str) for name in buttons):
        raise ControlError("buttons must be a list of names")
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 < seconds <= walktest.LONGEST_S or math.isnan(seconds):
        raise ControlError(_("a walk test lasts more than 0 and at most 3600 seconds"))
    if by is not None and not (isinstance(by, str) and by.strip() and len(by) <= _NAME_LENGTH):
        raise ControlError(f"by must be a name of at most {_NAME_LENGTH} characters")
    return Asked(tuple(dict.fromkeys(buttons)), float(seconds), by and by.strip())
