"""The parent of one looking child: starts it, hears it, kills it when it stalls, starts it again.

What a camera or its library can do (hang, crash, eat memory) happens to the child. There is never
more than one: the next is started when the last was reaped.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.errors import MessageError
from gatehouse.video import children
from gatehouse.video import eye_messages as say
from gatehouse.video.restarts import Restarts

_CHUNK: Final = 1 << 16
_AWAKE_S: Final = 1.0
_EXIT_S: Final = 1.0
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
_KEPT_PREFIX: Final = "LIBCAMERA_"
"""How libcamera is told where its parts lie."""

Hear = Callable[[say.Message], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the parent waits, in seconds."""

    first_s: float = 15.0
    """From the start of a child to its first keyframe."""
    stall_s: float = 10.0
    """From one sign of life to the next."""
    key_s: float = 45.0
    """From keyframe to keyframe: some cameras send one in 20 s."""
    refused_s: float = 60.0
    """After a refused password: cameras lock out who tries too often."""


def rtsp_command(url: str) -> tuple[str, ...]:
    """Return what starts the child for an address without a credential."""
    return (sys.executable, "-m", "gatehouse.video.rtsp_eye", url)


class Eye:
    """Watches one camera for as long as `run` runs."""

    def __init__(
        self,
        command: Sequence[str],
        hear: Hear,
        *,
        first_line: bytes = b"",
        timing: Timing | None = None,
        restarts: Restarts | None = None,
    ) -> None:
        """Prepare an eye.

        ``command`` starts the child; ``first_line`` (a credential) is written to its stdin, so that
        it stands nowhere else; ``hear`` is told all that it says, and of its failures.
        """
        self._command = tuple(command)
        self._hear = hear
        self._first_line = first_line
        self._timing = timing or Timing()
        self._restarts = restarts or Restarts()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, if there is one."""
        return None if self._process is None else self._process.pid

    def order(self, order: dict[str, Any]) -> bool:
        """Write an order to the child's stdin; False when there is none to take it."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return False
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return True

    async def run(self) -> None:
        """Look until cancelled; the child is then killed and reaped."""
        loop = asyncio.get_running_loop()
        while True:
            watch = _Watch(self._timing, loop.time())
            failed = await self._one(watch)
            self._hear(failed)
            wait_s = self._restarts.next_s(loop.time() - watch.first if watch.first else 0.0)
            if failed.fault == say.REFUSED:
                wait_s = max(wait_s, self._timing.refused_s)
            await asyncio.sleep(wait_s)

    async def _one(self, watch: "_Watch") -> say.Failed:
        """Have one child look until it fails; return how."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # libraries write addresses with passwords there
                env=_environ(),
            )
        except OSError as exc:
            return say.Failed(say.STALLED, f"no child can be started: {exc.strerror}")
        try:
            return await self._listen(process, watch)
        finally:
            await children.end(process, patience_s=_EXIT_S)
            self._process = None

    async def _listen(self, process: asyncio.subprocess.Process, watch: "_Watch") -> say.Failed:
        assert process.stdin is not None  # noqa: S101  # pipes were asked for
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(self._first_line)
        decoder, loop = say.Decoder(), asyncio.get_running_loop()
        try:
            while True:
                try:
                    async with asyncio.timeout_at(watch.until()):
                        data = await process.stdout.read(_CHUNK)
                except TimeoutError:
                    if not watch.forgive(loop.time()):
                        return watch.stalled()
                    continue
                if not data:
                    await children.gone(process, _EXIT_S)
                    return watch.ended(process.returncode)
                for message in decoder.feed(data):
                    if isinstance(message, say.Failed):
                        await children.gone(process, _EXIT_S)
                        return message
                    if not isinstance(message, say.Picture):  # it may be of an old frame
                        watch.take(message, loop.time())
                    self._hear(message)
        except MessageError as exc:
            return say.Failed(say.STALLED, f"the child talks nonsense: {exc}")


def _environ() -> dict[str, str]:
    """Return what a child may know of our environment; the rest may hold secrets."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIX)
    }


@dataclass(slots=True)
class _Watch:
    """What one child has shown so far, in seconds of the loop's clock."""

    timing: Timing
    began: float
    opened: bool = False
    first: float | None = None
    key: float = 0.0
    last: float = 0.0

    def take(self, message: say.Message, now: float) -> None:
        """Note a sign of life."""
        self.last = now
        self.opened = True
        if isinstance(message, say.Key):
            self.key = now
            self.first = self.first or now

    def until(self) -> float:
        """Until when the next sign must come."""
        if self.first is None:
            return self.began + self.timing.first_s
        return min(self.last + self.timing.stall_s, self.key + self.timing.key_s)

    def forgive(self, now: float) -> bool:
        """Whether it was we who slept (a stopped process, a suspended machine): then wait anew.

        Whoever is awake is woken in time; what the child said meanwhile is still in the pipe.
        """
        overslept = now - self.until()
        if overslept < _AWAKE_S:
            return False
        self.began = self.last = self.key = now
        return True

    def stalled(self) -> say.Failed:
        """Say what is amiss when it did not."""
        if not self.opened:
            return say.Failed(say.UNREACHABLE, "the camera does not answer")
        if self.first is None:
            return say.Failed(say.STALLED, "no picture came")
        return say.Failed(say.STALLED, "frames stopped coming")

    def ended(self, code: int | None) -> say.Failed:
        """Say what is amiss when the child ended without a reason.

        One that had shown pictures may have been killed (memory, a mistake in a codec): like a
        stream that ends, that is no fault of the camera when the next one sees it.
        """
        fault = say.STALLED if self.first is None else say.ENDED
        return say.Failed(fault, f"the child that looks ended ({code})")
