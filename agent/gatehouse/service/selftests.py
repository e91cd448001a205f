"""Self-tests as the service takes part in them: a test event, a report, the district's command."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.control import checked
from gatehouse.errors import ControlError, MessageError
from gatehouse.events import Happening, Mode
from gatehouse.service.allowance import Allowance
from gatehouse.service.voice import Voice

log = logging.getLogger(__name__)

CHILD_S: Final = 120.0
_KILL_S: Final = 1.0
_TRIAL_S: Final = 10.0
_MOST: Final = 20
_EVERY_S: Final = 60.0
"""Reports and test events: so many at once, then one in so many seconds."""
_STAGES: Final = ("stored", "sent", "received")


def command_line(config: Path) -> tuple[str, ...]:
    """Return how a self-test is started as a child; it reports to us alone, on its stdout."""
    words = ("--config", str(config), "selftest", "--json", "--child")
    return (sys.executable, "-m", "gatehouse", *words)


class _Trial:
    """One test event on its way."""

    def __init__(self, began_ns: int, last: str) -> None:
        self.began_ns = began_ns
        self.last = last
        self.ms: dict[str, float] = {}
        self.there = asyncio.Event()


class Selftests:
    """Takes reports and makes events of them; runs one self-test at a time for the district."""

    def __init__(
        self, *, voice: Voice, clock: Clock, receipts: bool, command: Sequence[str]
    ) -> None:
        self._voice = voice
        self._clock = clock
        self._last = _STAGES[-1] if receipts else "sent"
        self._command = tuple(command)
        self._allowance = Allowance(_MOST, _EVERY_S, self._now_s())
        self._trials: dict[str, _Trial] = {}
        self._wanted: str | None = None
        self._asked = asyncio.Event()

    async def trial(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Send a test event; answer with what its way took, in ms, as far as it came."""
        self._may()
        began_ns = self._clock.reading().monotonic_ns
        data = {"trial": True, "result": "OK", "checks": []}
        event = self._voice.tell(self._happening(data))
        trial = self._trials[event.id] = _Trial(began_ns, self._last)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TRIAL_S):
                    await trial.there.wait()
        finally:
            del self._trials[event.id]
        return {"event": event.id, **{f"{stage}_ms": trial.ms.get(stage) for stage in _STAGES}}

    def reached(self, event_id: str, stage: str, at_ns: int) -> None:
        """Note how far an event got, if it is one of ours."""
        trial = self._trials.get(event_id)
        if trial is None or stage in trial.ms:
            return
        trial.ms[stage] = round((at_ns - trial.began_ns) / 1e6, 3)
        if stage == trial.last:
            trial.there.set()

    async def report(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the report of somebody who ran the checks here; it becomes an event."""
        try:
            said = checked.read(request.get("report"))
        except MessageError as exc:
            raise ControlError(str(exc)) from exc
        self._may()
        return {"event": self._voice.tell(self._happening(said)).id}

    def begin(self, command_id: str) -> bool:
        """Run the checks for the district's command; False while others are run for one."""
        if self._wanted is not None:
            return False
        self._wanted = command_id
        self._asked.set()
        return True

    async def run(self) -> None:
        """Do what the district asks for, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            said: dict[str, Any] = {"result": "FAIL", "checks": []}
            try:
                said = await self._child()
            except (OSError, MessageError) as exc:  # TimeoutError is an OSError
                said["error"] = str(exc)[:200] or f"not done within {CHILD_S:g} s"
                log.warning("the self-test failed: %s", said["error"])
            except Exception:  # whatever it is, the alarm goes on
                log.exception("the self-test failed")
            command_id, self._wanted = self._wanted, None
            self._voice.tell(self._happening({**said, "command": command_id}))

    async def _child(self) -> dict[str, Any]:
        """Run the checks beside us, in a process of their own, and read what they print."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(CHILD_S):
                printed = await _bounded(process)
                await process.wait()
        finally:
            await _ended(process)
        try:
            return checked.read(msgspec.json.decode(printed))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise MessageError(f"it ended with {process.returncode} and no report") from exc

    def _happening(self, data: dict[str, Any]) -> Happening:
        return Happening(events.SELFTEST_REPORT, "gateway", data, Mode.TEST)

    def _may(self) -> None:
        if not self._allowance.take(self._now_s()):
            raise ControlError("too many self-tests: one a minute", "too-many")

    def _now_s(self) -> float:
        return self._clock.reading().monotonic_ns / 1e9


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Have a child end at once; one that hangs in a dead disk is left behind."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_KILL_S):
            while process.stdout is not None and await process.stdout.read(checked.MOST_BYTES):
                pass  # its last words: the pipe is closed at their end
            await process.wait()


async def _bounded(process: asyncio.subprocess.Process) -> bytes:
    """Read what a child prints, and no more than a report may have."""
    if process.stdout is None:
        raise MessageError("it prints nothing")
    printed = b""
    while part := await process.stdout.read(checked.MOST_BYTES):
        printed += part
        if len(printed) > 4 * checked.MOST_BYTES:
            raise MessageError("it prints too much")
    return printed
