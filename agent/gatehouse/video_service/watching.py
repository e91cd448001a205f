"""One camera under watch: its eye, its recorder, what is usual for it, and what is told of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gatehouse.clock import Clock
from gatehouse.config import Camera
from gatehouse.control.reports import Row
from gatehouse.errors import CameraError
from gatehouse.events import rfc3339
from gatehouse.video import eye_messages as say
from gatehouse.video.baseline import Baseline
from gatehouse.video.recorder import NOT_RECORDING
from gatehouse.video.restarts import Restarts
from gatehouse.video.together import Sight
from gatehouse.video.verdict import LINES, LINK, Health
from gatehouse.video_service import credential as credentials
from gatehouse.video_service import telling
from gatehouse.video_service.asking import Asking, Seen
from gatehouse.video_service.memory import Memory
from gatehouse.video_service.parts import Parts, alive, is_csi
from gatehouse.video_service.way import Way

log = logging.getLogger(__name__)

_CREDENTIAL_AGAIN_S: Final = 30.0
_LAST_S: Final = 2.0


class Watching:
    """Watches one camera for as long as `run` runs."""

    def __init__(
        self,
        camera: Camera,
        *,
        folder: Path,
        clock: Clock,
        random: Callable[[], float],
        news: Callable[[], None],
        parts: Parts,
    ) -> None:
        """Prepare it; ``folder`` keeps baselines, ``news`` is told when what is told may differ."""
        self.camera = camera
        self.credential = ""
        """ "user:password", once it was read."""
        self.seen = False
        """Whether its eye said anything yet."""
        self.records: bool | None = None
        self._clock = clock
        self._random = random
        self._news = news
        self._parts = parts
        self._memory = Memory(folder / f"{camera.name}.bin")
        self._csi = is_csi(camera)
        self._health = Health(Baseline(), lines=camera.min_lines or LINES[camera.area])
        if self._csi:
            self._health.declare("clock-off", False)  # it has our own
        self._way = Way()
        self._frame_ns: int | None = None
        self._asking = Asking(clock)
        self._told: object = None
        self._logged = telling.UNKNOWN
        self._excuse: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Watch until cancelled; then the eye is killed, and the recorder ends its segment."""
        try:
            self._health.baseline = await self._memory.load()
            async with asyncio.TaskGroup() as tasks:
                self._start(tasks, "baseline", self._keep_baseline, lambda _why: None)
                await self._read_credential()
                self._start(tasks, "eye", self._look, self.failed)
                if self.camera.record and not self._csi:
                    self._start(tasks, "recorder", self._record, partial(self._say_records, False))
        finally:
            if self._excuse is not None:
                self._excuse.cancel()
            await self._memory.keep(self._health.baseline, _LAST_S)

    # what is known

    @property
    def name(self) -> str:
        """The camera's name."""
        return self.camera.name

    @property
    def place(self) -> tuple[str, int | None]:
        """Where it speaks ONVIF."""
        return urlsplit(self.camera.source).hostname or "", self.camera.onvif_port

    @property
    def lost(self) -> bool:
        """Whether it is away in a way that others may share."""
        return self._way.lost

    @property
    def way_is_well(self) -> bool:
        """Whether its pictures come."""
        return self._health.well.issuperset(LINK)

    def sight(self, earliest_ns: int) -> Sight:
        """Return what its eye sees, and since when, or since ``earliest_ns`` if that is later."""
        fault = next((each for each in self._health.faults if each in LINK), None)
        return Sight(self.name, fault, max(earliest_ns, self._way.since_ns))

    @property
    def has_clock(self) -> bool:
        """Whether it has a clock of its own."""
        return not self._csi

    @property
    def verdict(self) -> str:
        """The fault that explains the others, ``ok``, or ``unknown``."""
        return telling.verdict(self._health, self._way)

    def row(self, *, held: bool) -> Row:
        """Return what is told of it; while its loss is ``held``, nobody knows of its way."""
        return telling.row(self.camera, self._health, self._way, held=held)

    def document(self) -> dict[str, Any]:
        """Return what `gatehouse cameras` shows of it."""
        return telling.document(
            self.camera,
            self._health,
            self._way,
            records=self.records,
            last_frame=self._last_frame(),
        )

    # what is wanted of it

    async def picture(self, old_s: float, most_bytes: int) -> Seen:
        """Take a picture; raises NoPictureError, which says since when there is none.

        A frame that was decoded already serves if it is no older than ``old_s``.
        """
        return await self._asking.picture(old_s, most_bytes, self._last_frame)

    def keep(self, path: Path, after_s: float) -> bool:
        """Have what is in the ring of a CSI camera written, and what comes; False: not now."""
        return self._asking.order({"do": "keep", "path": str(path), "after_s": after_s})

    # what others say

    def tell_clock(self, off: bool, data: Mapping[str, Any]) -> None:
        """Hear whether its clock is off."""
        self._health.declare("clock-off", off, data)
        self._settled()

    def failed(self, why: str) -> None:
        """Hear that what looks at it failed, and is started again."""
        self._hear(say.Failed(say.STALLED, why))

    def relearn(self) -> None:
        """Take it as it now stands for the usual."""
        self._health.relearn()
        self._memory.forget()
        self._settled()

    # its parts

    def _start(
        self,
        tasks: asyncio.TaskGroup,
        part: str,
        work: Callable[[], Awaitable[None]],
        failed: Callable[[str], None],
    ) -> None:
        tasks.create_task(alive(f"{part} of camera {self.name}", work, failed, self._random))

    async def _keep_baseline(self) -> None:
        while True:
            await self._memory.wait()
            await self._memory.keep(self._health.baseline)

    async def _read_credential(self) -> None:
        """Read the credential; without it the camera would refuse us, so that is its fault."""
        if (path := self.camera.credential) is None:
            return
        while True:
            try:
                self.credential = await credentials.read(path)
            except TimeoutError:
                why = credentials.unreadable(path, "the disk does not answer")
            except CameraError as exc:
                why = str(exc)
            else:
                return
            self._hear(say.Failed(say.REFUSED, why))
            await asyncio.sleep(_CREDENTIAL_AGAIN_S)

    async def _look(self) -> None:
        eye = self._parts.eye(self.camera, self.credential, self._hear, self._restarts())
        with self._asking.through(eye):
            await eye.run()

    async def _record(self) -> None:
        made = self._parts.recorder(
            self.camera, self.credential, self._say_records, self._clock, self._restarts()
        )
        await made.run()

    def _restarts(self) -> Restarts:
        return Restarts(random=self._random)

    # what they say

    def _hear(self, message: say.Message) -> None:
        """Take in what the eye says."""
        if isinstance(message, say.Picture):
            self._asking.answered(message)
            return
        if isinstance(message, say.Failed):
            self._asking.lost(message.text)
        if isinstance(message, say.Key | say.Beat):
            self._frame_ns = message.at_ns
        if isinstance(message, say.Beat) and self.seen:
            return
        learnt = self._health.baseline.learnt
        self._health.hear(message)
        if self._health.baseline.learnt != learnt:
            self._memory.learnt()
        if isinstance(message, say.Records):
            self._declare_records(message.records, message.text)
        elif isinstance(message, say.Failed) and self._csi and self.camera.record:
            self._stopped_recording(message)
        self.seen = True
        self._settled()

    def _say_records(self, records: bool, why: str) -> None:
        self._declare_records(records, why)
        self._settled()

    def _declare_records(self, records: bool, why: str) -> None:
        self.records = records
        self._health.declare(NOT_RECORDING, not records, {"text": why} if why else {})

    def _stopped_recording(self, failed: say.Failed) -> None:
        """Note that the eye which records has ended; one that comes back is no fault of it."""
        if failed.fault == say.ENDED:
            self.records = False
        else:
            self._declare_records(False, failed.text)

    # what follows from it

    def _settled(self) -> None:
        """Follow what is known of the camera by now; tell when it differs."""
        now_ns, until_ns = self._clock.reading().monotonic_ns, self._way.excused_until_ns
        faults, well = self._health.faults, self._health.well
        self._way.follow(faults, now_ns)
        if self._way.excused_until_ns != until_ns:
            self._excuse_ends(self._way.excused_until_ns - now_ns)
        told = (tuple(faults), well, self._way.unrecorded, self.records, self.seen)
        if told != self._told:
            self._told = told
            self._news()
        if (verdict := self.verdict) != self._logged:
            self._logged = verdict
            log.info("camera %s: %s", self.name, verdict)

    def _excuse_ends(self, in_ns: int) -> None:
        """Look again when the recorder's time is up."""
        if self._excuse is not None:
            self._excuse.cancel()
        self._excuse = asyncio.get_running_loop().call_later(in_ns / 1e9, self._settled)

    def _last_frame(self) -> str | None:
        """Return when it was seen last, by our wall clock as it goes now."""
        if self._frame_ns is None:
            return None
        now = self._clock.reading()
        return rfc3339(now.unix_ns - (now.monotonic_ns - self._frame_ns))
