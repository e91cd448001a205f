"""Whether the cameras' clocks are right, asked of them by ONVIF."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gatehouse.clock import Clock
from gatehouse.errors import CameraError
from gatehouse.video.onvif import IN_A_ROW, ClockReading, ClockRule, clock_offset, ours_is_off

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0
DOUBT_S: Final = 5.0
"""While answers speak against what stands, and as long as the camera's way is not well."""
SELDOM_S: Final = 300.0
"""A camera that does not speak ONVIF, or answers nonsense, is asked no more often."""
_LATELY_NS: Final = 60_000_000_000
"""Answers that are not older are set beside each other, to tell whether our own clock is off."""
_AT_ONCE: Final = 4
_NS: Final = 1_000_000_000


class Asked(Protocol):
    """One camera that may tell its time."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def place(self) -> tuple[str, int | None]:
        """Its host, and the port where it speaks ONVIF; None: the usual ones."""

    @property
    def credential(self) -> str:
        """What it is to be told, "user:password", or nothing."""

    @property
    def lost(self) -> bool:
        """Whether it is away: then it is not asked."""

    @property
    def way_is_well(self) -> bool:
        """Whether its pictures come: then no answer means that it has none."""

    def tell_clock(self, off: bool, data: Mapping[str, Any]) -> None:
        """Hear whether its clock is off."""


Ask = Callable[[str, int | None, str | None], Awaitable[ClockReading | None]]
"""Asks a host for its time; None when nothing speaks ONVIF there. Raises CameraError."""


def by_onvif(clock: Clock) -> Ask:
    """Return what asks real cameras."""

    async def ask(host: str, port: int | None, credential: str | None) -> ClockReading | None:
        return await clock_offset(host, port, clock=clock, credential=credential)

    return ask


@dataclass(slots=True)
class _Row:
    """What is known of one camera's clock; times in ns of CLOCK_MONOTONIC."""

    rule: ClockRule = field(default_factory=ClockRule)
    due_ns: int = 0
    failures: int = 0
    mute: int = 0
    """How often in a row it told no time that could be judged."""
    answered: bool = False
    last: ClockReading | None = None
    last_ns: int = 0


class Clocks:
    """Asks all cameras in turn."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._rows: dict[Asked, _Row] = {}
        self._woken = asyncio.Event()
        self._few = asyncio.Semaphore(_AT_ONCE)

    def watch(self, cameras: Iterable[Asked]) -> None:
        """Ask these from now on; what is known of those that stay is kept."""
        self._rows = {each: self._rows.get(each) or _Row() for each in cameras}
        self._woken.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            self._woken.clear()
            wait_s = await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()

    async def round(self) -> float:
        """Ask those whose time has come; return in how many seconds the next ones are due."""
        began_ns = self._now_ns()
        due = {each: row for each, row in self._rows.items() if row.due_ns <= began_ns}
        async with asyncio.TaskGroup() as tasks:
            asked = {each: tasks.create_task(self._one(each)) for each in due if not each.lost}
        now_ns = self._now_ns()
        answers = {each: task.result() for each, task in asked.items()}
        for each, answer in answers.items():
            if isinstance(answer, ClockReading):
                due[each].last, due[each].last_ns = answer, now_ns
        ours = ours_is_off(self._lately(now_ns), synced=self._clock.synced())
        for each, row in due.items():
            wait_s = DOUBT_S
            if each in answers:
                wait_s = _wait_s(each, row, answers[each], ours=ours)
            row.due_ns = now_ns + round(wait_s * _NS)
        next_ns = min((row.due_ns for row in self._rows.values()), default=now_ns + 300 * _NS)
        return max(0.0, (next_ns - now_ns) / _NS)

    async def _one(self, each: Asked) -> ClockReading | CameraError | None:
        host, port = each.place
        credential = each.credential if each.way_is_well else ""  # else it may be a wrong one
        async with self._few:
            try:
                return await self._ask(host, port, credential or None)
            except CameraError as exc:
                return exc
            except Exception as exc:  # one camera's odd answer is not the end of the others
                log.exception("camera %s could not be asked for its time", each.name)
                return CameraError(type(exc).__name__)

    def _lately(self, now_ns: int) -> list[ClockReading]:
        rows = self._rows.values()
        return [row.last for row in rows if row.last and now_ns - row.last_ns < _LATELY_NS]

    def _now_ns(self) -> int:
        return self._clock.reading().monotonic_ns


def _wait_s(
    each: Asked, row: _Row, answer: ClockReading | CameraError | None, *, ours: bool
) -> float:
    """Take one answer in, tell what it changes, and return when to ask again."""
    if isinstance(answer, CameraError):
        if not each.way_is_well:
            return DOUBT_S
        row.failures += 1
        return min(SELDOM_S, EVERY_S * 2.0 ** (row.failures - 1))
    row.failures = 0
    if answer is None or answer.offset_s is None:
        return _nothing_told(each, row)
    row.answered, row.mute = True, 0
    if ours:
        return EVERY_S
    off = row.rule.take(answer)
    if row.rule.in_doubt:
        return DOUBT_S
    each.tell_clock(off, {"offset_s": round(answer.offset_s, 1), "by_ntp": answer.by_ntp})
    return EVERY_S


def _nothing_told(each: Asked, row: _Row) -> float:
    """Judge a camera that tells no time; one that did may only be starting up."""
    if not each.way_is_well:
        return DOUBT_S
    row.mute += 1
    if row.answered and row.mute < IN_A_ROW:
        return EVERY_S
    row.rule, row.answered = ClockRule(), False
    each.tell_clock(False, {})
    return SELDOM_S
