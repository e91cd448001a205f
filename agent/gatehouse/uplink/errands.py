"""What the district asks of the video service: a picture now, or to let evidence go.

It may hang or be gone: no other command waits for it, and each is answered within 15 s.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.errors import ControlError, MessageError, NotRunningError
from gatehouse.uplink.messages import Command
from gatehouse.uplink.pictures import LEVEL

_log = logging.getLogger(__name__)

SNAPSHOT: Final = "snapshot"
RELEASE: Final = "release-evidence"

SNAPSHOT_NS: Final = 5_000_000_000
"""One snapshot of a camera in so long a time."""

AT_ONCE: Final = 4
WAITING: Final = 16
_TEXT: Final = 160

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Asks the video service. Raises NotRunningError, ControlError when it refuses, OSError."""

Answered = Callable[["RefusedError | None"], None]


class RefusedError(MessageError):
    """A command is not carried out; the message is the reason, ``text`` says more of it."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason}: {text[:_TEXT]}" if text else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Errand:
    """One command on its way through the video service."""

    command: Command
    due_s: float
    answered: Answered


class Errands:
    """Has the video service do what commands ask for, a few at once."""

    def __init__(
        self,
        *,
        ask: Ask,
        cameras: Collection[str],
        picture: Callable[[str, int, str], None],
        clock: Clock,
        timeout_s: float,
    ) -> None:
        self._ask = ask
        self._cameras = frozenset(cameras)
        self._picture = picture
        self._clock = clock
        self._timeout_s = timeout_s
        self._queue: asyncio.Queue[Errand] = asyncio.Queue(WAITING)
        self._last_ns: dict[str, int] = {}

    def begin(self, command: Command, answered: Answered) -> None:
        """Take a command; ``answered`` is called later. Raises MessageError, also RefusedError."""
        if self._queue.full():
            raise RefusedError("too many commands wait for the video service")
        if command.command == SNAPSHOT:
            self._may_look(command)
        elif command.alarm is None:
            raise RefusedError("release-evidence needs alarm")
        due_s = asyncio.get_running_loop().time() + self._timeout_s
        self._queue.put_nowait(Errand(command, due_s, answered))

    def _may_look(self, command: Command) -> None:
        if not LEVEL.fullmatch(command.id):
            raise MessageError("the command's id cannot be a level of a topic")
        camera = command.camera
        if camera is None:
            raise RefusedError("snapshot needs camera")
        if camera not in self._cameras:
            raise RefusedError("unknown camera")
        now_ns = self._clock.reading().monotonic_ns
        last_ns = self._last_ns.get(camera)
        if last_ns is not None and now_ns - last_ns < SNAPSHOT_NS:
            raise RefusedError("one snapshot of a camera in 5 s")
        self._last_ns[camera] = now_ns

    async def run(self) -> None:
        """Do what was taken, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            errand = await self._queue.get()
            refused = None
            try:
                async with asyncio.timeout_at(errand.due_s):
                    await self._do(errand.command)
            except RefusedError as exc:
                refused = exc
            except ControlError as exc:
                refused = RefusedError("the video service refused", str(exc))
            except (NotRunningError, OSError):  # TimeoutError is an OSError
                refused = RefusedError("the video service does not answer")
            except Exception:  # noqa: BLE001  # whatever it is, the other commands are answered
                _log.exception("the command %s failed", errand.command.command)
                refused = RefusedError("failed")
            if refused is not None:  # then there was no snapshot: a person may ask again at once
                self._last_ns.pop(errand.command.camera or "", None)
            try:
                errand.answered(refused)
            except Exception:  # noqa: BLE001  # this task's end would be the uplink's
                _log.exception("answering the command %s failed", errand.command.command)

    async def _do(self, command: Command) -> None:
        if command.command == RELEASE:
            by = command.by or "district"
            said = {"do": "evidence-release", "alarm": command.alarm, "by": by, "via": "district"}
            await self._ask(said)
            return
        answer = await self._ask({"do": "snapshot", "camera": command.camera})
        path = answer.get("path")
        try:
            self._picture(command.id, 1, path if isinstance(path, str) else "")
        except MessageError as exc:
            raise RefusedError("the video service gave no picture", str(exc)) from exc
