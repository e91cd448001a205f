"""The evidence of all alarms: heard, gathered, kept, told, and released on demand."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from gatehouse import files
from gatehouse.clock import Clock
from gatehouse.config import Config
from gatehouse.control.reports import Row, Told
from gatehouse.control.server import Handler
from gatehouse.errors import ControlError
from gatehouse.events import Event
from gatehouse.evidence import begin, bundle
from gatehouse.evidence.manifest import Manifest
from gatehouse.evidence.plan import WINDOW, Window, unix_ms
from gatehouse.evidence.room import MB
from gatehouse.evidence.shelf import RELEASED, RINGS, TOLD, Kept, Shelf, is_id
from gatehouse.video.retention import Span
from gatehouse.video_service import keeping
from gatehouse.video_service.alarms import Alarms, Ask, Mark
from gatehouse.video_service.album import Album
from gatehouse.video_service.asking import Seen
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.binder import AGAIN_S, Binder, Outside
from gatehouse.video_service.clips import Clips, Pace
from gatehouse.video_service.footage import Footage
from gatehouse.video_service.gathering import Sources, gather
from gatehouse.video_service.keeping import Keeping
from gatehouse.video_service.pictures_out import PicturesOut
from gatehouse.video_service.ring import Rings
from gatehouse.video_service.snapshots import Snapshots

log = logging.getLogger(__name__)

AT_ONCE: Final = 64
"""Bundles of which pictures are taken at the same time, for 20 s; those of the next ones lack."""
_HANG_S: Final = 30.0
_MEASURE_S: Final = 60.0
_NEW_S: Final = 3600.0
"""Older alarms are left alone where nobody knows which were handled."""
_OLD_S: Final = 7 * 86_400.0
"""And where that is known: recordings are kept for longer, but nobody waits for it any more."""
_MARK: Final = "heard.json"
_NAME_LENGTH: Final = 100
_OURS: Final = (keeping.READY, keeping.RELEASED)


class Cameras(Protocol):
    """What is wanted of the watch."""

    async def picture(self, name: str, old_s: float, most_bytes: int) -> Seen:
        """Take a picture of a camera, the small one about so large; raises NoPictureError."""

    def keep(self, name: str, path: Path, after_s: float) -> bool:
        """Have a CSI camera's ring written to a file; False when it cannot be now."""


class Evidence:
    """Gathers and keeps evidence for as long as `run` runs."""

    def __init__(
        self,
        config: Config,
        *,
        cameras: Cameras,
        ask: Ask,
        clock: Clock,
        changed: Callable[[], None],
        pace: Pace | None = None,
        window: Window = WINDOW,
    ) -> None:
        """Prepare it; ``ask`` asks the alarm service; ``changed``: `rows` or `told` may differ."""
        self._config = config
        self._window = window
        self._ask = ask
        self._clock = clock
        self._disk = Beside("evidence", _HANG_S)
        folder = config.gateway.state_dir / "evidence"
        self._keeping = Keeping(Shelf(folder), self._disk, clock, changed)
        index = config.gateway.state_dir / "video" / "recordings.db"
        self._clips = Clips(clock, index, self._keeping.has_room, pace)
        self._out = out = PicturesOut(ask, clock)
        self._album = Album(
            lambda name, old_s: cameras.picture(name, old_s, out.most_bytes),
            clock,
            window.every_s / 2,
        )
        footage = Footage(self._clips, Rings(folder / RINGS, cameras.keep, clock))
        self._sources = Sources(
            self._album,
            footage,
            lambda: self._config.cameras,
            self._keeping.fits,
            window,
            asyncio.Semaphore(AT_ONCE),
        )
        self._snapshots = Snapshots(
            folder / "snapshots",
            self._album,
            self._disk,
            clock,
            lambda: {camera.name for camera in self._config.cameras},
        )
        self._outside = Outside(
            self._disk.do, self._keeping.written, self._offer, self._keeping.trouble
        )
        self._gatherings: asyncio.TaskGroup | None = None
        self._marks: asyncio.Queue[tuple[Mark, list[Binder]]] = asyncio.Queue()
        self._received: asyncio.Queue[list[str]] = asyncio.Queue(1)
        self._known_mark = False
        self.reload(config)

    def reload(self, config: Config) -> None:
        """Take up another configuration; what is being gathered goes on as it began."""
        self._config = config
        self._keeping.limit = config.evidence.max_mb * MB
        self._keeping.cameras = max((len(each.cameras) for each in config.buttons), default=0)

    async def run(self) -> None:
        """Work until cancelled. Raises OSError when the bundles cannot be read."""
        self._marks = asyncio.Queue()  # of an earlier run, nobody begins those bundles any more
        found = await self._keeping.load()
        mark = await self._disk.do(self._read_mark)
        self._known_mark = mark != Mark()
        socket = self._config.gateway.runtime_dir / "control.sock"
        alarms = Alarms(
            socket, self._ask, mark=mark, heard=self._heard, followed=self._out.offer_again
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                self._gatherings = tasks
                for each in found:
                    self._resume(each)
                tasks.create_task(alarms.run())
                tasks.create_task(self._out.run())
                tasks.create_task(self._note_marks())
                tasks.create_task(self._note_received())
                tasks.create_task(self._measure())
        finally:
            self._gatherings = None
            await self._album.close()

    # what others ask and are told

    def held(self, camera: str) -> Sequence[Span]:
        """Return what clean-up must leave of a camera's recordings. Raises OSError."""
        return self._keeping.held(camera)

    def row(self) -> Row:
        """Return what stands."""
        return self._keeping.row()

    def told(self) -> tuple[Told, ...]:
        """Return what the alarm service does not have yet."""
        return self._keeping.told()

    def summary(self) -> dict[str, Any]:
        """Return the figures, for the status."""
        return self._keeping.summary()

    def received(self, keys: Collection[str]) -> None:
        """Take in what the alarm service has."""
        ours = [key for key in keys if key.startswith(_OURS)]
        if ours and not self._received.full():  # what is not noted is told again
            self._received.put_nowait(ours)

    def handlers(self) -> dict[str, Handler]:
        """Return what is answered on our socket."""
        return {"evidence-release": self._on_release, "snapshot": self._snapshots.take}

    async def _on_release(self, request: dict[str, Any]) -> dict[str, Any]:
        alarm, by, via = (request.get(key) for key in ("alarm", "by", "via"))
        if not is_id(alarm):
            raise ControlError("alarm must be the id of one")
        for key, value in (("by", by), ("via", via)):
            if not isinstance(value, str) or not value.strip() or len(value) > _NAME_LENGTH:
                raise ControlError(f"{key} must be 1 to {_NAME_LENGTH} characters")
            if not value.replace("\N{IDEOGRAPHIC SPACE}", " ").isprintable():  # it is logged
                raise ControlError(f"{key} must be printable characters")
        try:
            already = await self._keeping.release(str(alarm), str(by).strip(), str(via))
        except OSError as exc:
            raise ControlError(f"the release cannot be noted: {exc}") from exc
        return {"alarm": alarm, "already": already}

    # alarms

    def _heard(self, alarms: Sequence[Event], mark: Mark) -> None:
        begun = [binder for event in alarms if (binder := self._begin(event)) is not None]
        if alarms:
            self._marks.put_nowait((mark, begun))

    def _begin(self, event: Event) -> Binder | None:
        """Begin a bundle, unless there is one, or none is wanted."""
        name = event.subject.partition("/")[2]
        button = next((each for each in self._config.buttons if each.name == name), None)
        cameras = button.cameras if button is not None else ()
        if not cameras or not begin.is_wanted(event) or not is_id(event.id):
            return None
        now = self._clock.reading()
        age_s = begin.age_s(event, now, self._clock.bootid)
        if self._keeping.knows(event.id) or age_s > (_OLD_S if self._known_mark else _NEW_S):
            return None
        press_ns = now.unix_ns - round(age_s * 1e9)
        manifest = begin.manifest_of(event, self._config.gateway, cameras, press_ns, self._window)
        self._keeping.wanted(manifest)
        log.info("evidence of alarm %s is gathered: %s", event.id, ", ".join(cameras))
        return self._start(manifest, age_s, begun=False)

    def _resume(self, kept: Kept) -> None:
        """Go on with a bundle that is not ready, and with pictures that may not have arrived."""
        if (manifest := kept.manifest) is None:
            return
        now, bootid = self._clock.reading(), self._clock.bootid
        age_s = begin.age_of(manifest, now, bootid, self._window)
        press_s = unix_ms(manifest.begins) / 1000 + self._window.before_s
        folder = self._keeping.shelf.place(kept.alarm)
        for each in manifest.items:
            if each.number is not None:
                since_s = unix_ms(each.begins) / 1000 - press_s
                self._out.offer(kept.alarm, each.number, folder / each.file, age_s - since_s)
        if not kept.is_ready:
            log.info("evidence of alarm %s is gathered on", kept.alarm)
            self._start(manifest, age_s, begun=True)

    def _start(self, manifest: Manifest, age_s: float, *, begun: bool) -> Binder:
        folder = self._keeping.shelf.place(manifest.alarm)
        binder = Binder(folder, manifest, self._outside, begun=begun)
        if age_s < 0.0:  # the clock was ahead and is set back since: its time is over, not to come
            age_s = self._window.after_s
        assert self._gatherings is not None  # noqa: S101  # we are run
        at_s = asyncio.get_running_loop().time() - age_s
        self._gatherings.create_task(self._gather(binder, at_s, begun=begun))
        return binder

    async def _gather(self, binder: Binder, at_s: float, *, begun: bool) -> None:
        """Gather one bundle; its failure is not that of the others."""
        alarm = binder.manifest.alarm
        try:
            if begun:
                tidied = partial(bundle.tidy, binder.folder, binder.manifest, (RELEASED, TOLD))
                await self._noted(alarm, lambda: self._disk.do(tidied))
            await gather(binder, self._sources, at_s)
        except Exception:
            log.exception("evidence of alarm %s is not gathered until the next start", alarm)
        else:
            log.info("evidence of alarm %s is ready", alarm)
        finally:
            self._keeping.trouble(alarm, None)

    def _offer(self, alarm: str, number: int, path: Path) -> None:
        self._out.offer(alarm, number, path)

    # notes on the disk

    def _read_mark(self) -> Mark:
        path = self._keeping.shelf.folder / _MARK
        with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError, ValueError):
            return msgspec.json.decode(path.read_bytes(), type=Mark)
        return Mark()

    async def _note_marks(self) -> None:
        """Note up to where alarms were heard, once their bundles are on the disk."""
        while True:
            mark, begun = await self._marks.get()
            for binder in begun:
                await binder.begun.wait()
            path = self._keeping.shelf.folder / _MARK
            note = partial(files.replace, path, msgspec.json.encode(mark), mode=0o640)
            await self._noted(_MARK, partial(self._disk.do, note))

    async def _note_received(self) -> None:
        while True:
            keys = await self._received.get()
            await self._noted(TOLD, partial(self._keeping.received, keys))

    async def _noted(self, who: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do disk work until it is done: a fault that it began ends with it."""
        while True:
            try:
                await work()
            except OSError as exc:
                self._keeping.trouble(who, exc)
                await asyncio.sleep(AGAIN_S)
            else:
                self._keeping.trouble(who, None)
                return

    async def _measure(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # what is to be written says so
                await self._keeping.measure()
            await asyncio.sleep(_MEASURE_S)
