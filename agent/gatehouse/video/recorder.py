"""Records one RTSP camera: an ffmpeg child that copies the stream into segments of a minute.

``<recordings>/<YYYY-MM-DD>/<YYYYmmddTHHMMSSZ>.mp4``, in UTC; fragments are flushed at every
keyframe, so that after a power cut a segment plays to its last one.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gatehouse.clock import Clock
from gatehouse.threads import off_loop
from gatehouse.video import children
from gatehouse.video.recording_child import COMMAND, redacted, script, with_parent
from gatehouse.video.restarts import Restarts

NOT_RECORDING: Final = "not-recording"
SEGMENT_S: Final = 60
_STOP_S: Final = 5.0
_EXIT_S: Final = 1.0
_AWAKE_S: Final = 1.0
"""Whoever is awake is woken in time; later than this it was we who slept (a stopped process, a
suspended machine), and what ffmpeg wrote meanwhile is still in the pipe."""
_FOLDERS_S: Final = 600.0
_STEP_NS: Final = 2_000_000_000
_WORDS: Final = 300
_UNAUTHORIZED: Final = "401 Unauthorized"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the parent waits, in seconds."""

    progress_s: float = 15.0
    """From one sign that something was written to the next; then the child is killed."""
    fault_s: float = 30.0
    """Without such a sign; then nothing is recorded, and that is a fault."""
    refused_s: float = 60.0
    """After a refused password: cameras lock out who tries too often."""
    segment_s: int = SEGMENT_S


Say = Callable[[bool, str], None]
"""Told whether it records, and if not, why; at every change."""


class Recorder:
    """Records for as long as `run` runs."""

    def __init__(
        self,
        url: str,
        recordings: Path,
        say: Say,
        *,
        clock: Clock,
        timing: Timing | None = None,
        restarts: Restarts | None = None,
    ) -> None:
        """Prepare a recorder; ``url`` holds the credential and goes to ffmpeg's stdin alone."""
        self._script = script(url)
        self._recordings = recordings
        self._say = say
        self._clock = clock
        self._timing = timing or Timing()
        self._restarts = restarts or Restarts()
        self._process: asyncio.subprocess.Process | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._forgiven = False
        self._records: bool | None = None
        self._why = "nothing came from the camera yet"

    @property
    def pid(self) -> int | None:
        """The child's process id, if there is one."""
        return None if self._process is None else self._process.pid

    async def run(self) -> None:
        """Record until cancelled; ffmpeg then ends its segment in order."""
        loop = asyncio.get_running_loop()
        folders = asyncio.create_task(self._folders())
        self._wind()
        try:
            while True:
                began = loop.time()
                await self._one()
                wait_s = self._restarts.next_s(loop.time() - began)
                if _UNAUTHORIZED in self._why:
                    wait_s = max(wait_s, self._timing.refused_s)
                await asyncio.sleep(wait_s)
        finally:
            folders.cancel()
            self._unwind()

    async def _one(self) -> None:
        """Have one ffmpeg record until it ends."""
        try:
            target = await off_loop(self._target, name="recordings", timeout_s=_STOP_S)
            self._process = process = await asyncio.create_subprocess_exec(
                *with_parent(os.getpid()),
                *COMMAND,
                *("-segment_time", str(self._timing.segment_s), target),
                cwd=self._recordings,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", "LC_ALL": "C.UTF-8"},
            )
        except OSError as exc:  # TimeoutError too
            self._why = f"{type(exc).__name__}: {exc.strerror or 'the disk does not answer'}"
            return
        words = asyncio.create_task(_last_words(process))
        try:
            why = await self._progress(process)
            await children.end(process, patience_s=_STOP_S)
            self._why = await words or why
        except asyncio.CancelledError:
            self._unwind()  # on our way out it is no fault that nothing is recorded
            raise
        finally:  # cancelled: let it finish its segment
            await children.end(process, signal.SIGTERM, patience_s=_STOP_S)
            words.cancel()
            self._process = None

    async def _progress(self, process: asyncio.subprocess.Process) -> str:
        """Follow ffmpeg's reports until it ends or nothing more is written; return why."""
        assert process.stdin is not None  # noqa: S101  # pipes were asked for
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(self._script)
        process.stdin.close()
        loop = asyncio.get_running_loop()
        written, until, step = b"", loop.time() + self._timing.progress_s, self._offset()
        with contextlib.suppress(ValueError):  # no line of ffmpeg's is that long
            while True:
                try:
                    async with asyncio.timeout_at(until):
                        line = await process.stdout.readline()
                except TimeoutError:
                    if loop.time() - until < _AWAKE_S:
                        break
                    until = loop.time() + self._timing.progress_s
                    continue
                if not line:
                    await children.gone(process, _EXIT_S)
                    return "the camera ended the stream"
                key, _, value = line.strip().partition(b"=")
                if key == b"out_time_us" and value != written and value.lstrip(b"0").isdigit():
                    written, until = value, loop.time() + self._timing.progress_s
                    self._wind(records=True)
                    if abs(self._offset() - step) > _STEP_NS:
                        await children.end(process, signal.SIGTERM, patience_s=_STOP_S)
                        return "the clock was set"
        return "nothing comes from the camera"

    def _wind(self, *, records: bool = False) -> None:
        """Wind the clock that says, when it runs down, that nothing is recorded."""
        self._unwind()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self._timing.fault_s, self._rings)
        if records:
            self._forgiven = False
        if records and self._records is not True:
            self._records = True
            self._say(True, "")

    def _unwind(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def _rings(self) -> None:
        assert self._alarm is not None  # noqa: S101  # it rings
        overslept = asyncio.get_running_loop().time() - self._alarm.when()
        if overslept >= _AWAKE_S and not self._forgiven:
            self._forgiven = True
            self._wind()
        elif self._records is not False:
            self._records = False
            self._say(False, self._why)

    def _offset(self) -> int:
        now = self._clock.reading()
        return now.unix_ns - now.boottime_ns

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.reading().unix_ns / 1e9, UTC)

    def _target(self) -> str:
        """Make the folders; return the pattern of names for a child that starts now.

        ffmpeg opens a file whether it is there or not. So where names of this second or later are
        taken (a start in the same second, a clock that was set back), the names of this child get
        a number that none of those has.
        """
        now = self._now()
        self._make_folders(now)
        taken = {
            found.stem.partition("-")[2]
            for day in self._recordings.iterdir()
            if day.name >= f"{now:%Y-%m-%d}"
            for found in day.glob("*.mp4")
            if found.stem >= f"{now:%Y%m%dT%H%M%SZ}"
        }
        number = next(each for each in ("", *map(str, range(2, 1000))) if each not in taken)
        return f"%Y-%m-%d/%Y%m%dT%H%M%SZ{'-' * bool(number)}{number}.mp4"

    def _make_folders(self, now: datetime) -> None:
        """Make the folders of today and tomorrow: ffmpeg makes none."""
        self._recordings.mkdir(exist_ok=True)  # not its parents: a disk may not be mounted
        for day in (now, now + timedelta(days=1)):
            (self._recordings / f"{day:%Y-%m-%d}").mkdir(exist_ok=True)

    async def _folders(self) -> None:
        while True:
            await asyncio.sleep(_FOLDERS_S)
            with contextlib.suppress(OSError):  # the child's own failure tells of it
                await off_loop(
                    lambda: self._make_folders(self._now()), name="recordings", timeout_s=_STOP_S
                )


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Read all that ffmpeg says of errors; return the end of it, without credentials."""
    assert process.stderr is not None  # noqa: S101  # a pipe was asked for
    said = b""
    while data := await process.stderr.read(4096):
        said = (said + data)[-4 * _WORDS :]
    lines = said.decode(errors="replace").splitlines()
    return redacted(lines[-1])[-_WORDS:] if lines else ""
