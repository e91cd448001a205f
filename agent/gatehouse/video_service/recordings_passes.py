"""The passes over all recordings: what the disks have into the index, room made, answers drawn.

All of it blocks, and may hang with a disk: one thread at a time makes a pass, beside the loop.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Final

from gatehouse.clock import Clock
from gatehouse.config import Camera, Retention
from gatehouse.errors import RecordingsError
from gatehouse.video.cleanup import finish
from gatehouse.video.index import Index
from gatehouse.video.index_reader import damaged
from gatehouse.video.retention import Disk
from gatehouse.video.scan import Progress, Scanner
from gatehouse.video_service import disks
from gatehouse.video_service.answering import Answering, Asked
from gatehouse.video_service.clearing import Clearing, Held, Moment, Shared, nothing_held
from gatehouse.video_service.deletions import Deletions
from gatehouse.video_service.following import Followed, Place
from gatehouse.video_service.recordings_rows import CleanUp, Passed, gap_of

log = logging.getLogger(__name__)

_SLICE_S: Final = 2.0
"""How long a pass reads folders for the first time; then it answers, and the next one goes on."""


class Passes:
    """Makes passes. One thread at a time uses it, but for `at`, which anybody may read."""

    def __init__(
        self,
        state_dir: Path,
        *,
        clock: Clock,
        zone: tzinfo,
        room: disks.Room = disks.room,
        held: Held = nothing_held,
    ) -> None:
        self._path = state_dir / "video" / "recordings.db"
        self._clock = clock
        self._zone = zone
        self._room = room
        self._held = held
        self._index: Index | None = None
        self._followed: dict[str, Followed] = {}
        self._deletions: Deletions | None = None
        self._clearing: Clearing | None = None
        self.at: tuple[float, str | None] = (0.0, None)
        """When it came to which camera (monotonic, s): its last sign of life."""

    def once(self, asked: Asked) -> Passed:
        """Make a pass. Raises RecordingsError and OSError; the next one then begins anew."""
        if not asked.cameras and not self._path.exists():
            return Passed(cleaned=True)
        try:
            return self._once(asked)
        except RecordingsError as exc:
            self.close()
            if not damaged(exc):
                raise
            log.error("the index is made anew from the disk: %s", exc)  # noqa: TRY400  # its traceback tells nothing
            with contextlib.closing(Index(self._path)) as index:
                index.set_aside()
            return self._once(asked)

    def close(self) -> None:
        """Let go of all files; the next pass opens them again."""
        for followed in self._followed.values():
            followed.close()
        self._followed.clear()
        index, self._index = self._index, None
        if index is not None:
            with contextlib.suppress(RecordingsError):
                index.close()

    def _once(self, asked: Asked) -> Passed:
        self._beat(None)
        now_ms = self._clock.reading().unix_ns // 1_000_000
        if self._deletions is None or self._clearing is None:
            self._deletions = Deletions(self._path.with_name("deletions.json"))
            self._clearing = Clearing(self._deletions, zone=self._zone, held=self._held)
        deletions, clearing = self._deletions, self._clearing
        index = self._index = self._index or Index(self._path)
        self._forget_received(index, asked.received)
        finish(index, now_ms=now_ms)
        self._follow(index, asked.cameras)
        scanning = self._look()
        moment = Moment(index, asked.retention, now_ms, self._beat(None))
        clean_ups = list(self._cleaned(clearing, moment))
        clearing.count(index, self._agrees)
        answering = Answering(index, asked, now_ms, self._followed, self._places(asked.retention))
        self._beat(None)
        return answering.passed(clean_ups, deletions.told(), scanning)

    def _forget_received(self, index: Index, keys: frozenset[str]) -> None:
        """Note durably what need not be told again."""
        gaps = [gap for key in keys if (gap := gap_of(key)) is not None]
        if gaps:
            with index.change(durable=True):
                for name, told in gaps:
                    if (camera := index.camera(name)) is not None:
                        index.tell(camera.id, told)
        if keys and self._deletions is not None:
            self._deletions.received(keys)

    def _follow(self, index: Index, cameras: Sequence[Camera]) -> None:
        """Take up the cameras as they are now; a folder that stayed is not begun anew."""
        old = self._followed
        self._followed = {}
        for camera in cameras:
            if camera.recordings is None:
                continue
            known = old.pop(camera.name, None)
            if known is not None and known.folder != camera.recordings:
                known.close()
                known = None
            if known is None:
                known = self._new(index, camera, camera.recordings)
            known.camera = camera
            self._followed[camera.name] = known
        for gone in old.values():  # their rows stay: a camera may be back with the next reload
            gone.close()

    def _new(self, index: Index, camera: Camera, folder: Path) -> Followed:
        scanner = Scanner(
            index,
            camera.name,
            folder,
            self._zone,
            lambda: self._clock.reading().unix_ns,
            partial(self._beat, camera.name),
        )
        return Followed(camera, folder, scanner, self._beat(camera.name))

    def _look(self) -> Progress | None:
        """Read what is new in every folder; returns how far first looks have come that go on."""
        until_s = self._beat(None) + _SLICE_S
        scanning: Progress | None = None
        for name, each in self._followed.items():
            if scanning is None or each.known:
                scanning = each.look(until_s, partial(self._beat, name)) or scanning
        for name, each in self._followed.items():
            if scanning is None:  # what the answers wait for goes first
                self._beat(name)
                each.check()
        return scanning

    def _places(self, retention: Retention) -> dict[str, Place]:
        return {
            name: each.place(self._beat(name), self._room, retention.min_free_percent)
            for name, each in self._followed.items()
        }

    def _cleaned(self, clearing: Clearing, now: Moment) -> Iterator[CleanUp]:
        """Make room on every disk, and say what stands there."""
        for disk in self._shared(now.retention):
            self._beat(disk.cameras[0].name)
            if (stands := clearing.turn(disk, now)) is not None:
                yield stands

    def _shared(self, retention: Retention) -> list[Shared]:
        """Return the disks that answer."""
        on: dict[Path, list[Followed]] = {}
        rooms: dict[Path, Disk] = {}
        for name, place in self._places(retention).items():
            if place.disk is not None and place.room is not None:
                on.setdefault(place.disk, []).append(self._followed[name])
                rooms[place.disk] = place.room
        return [
            Shared(
                path,
                rooms[path],
                tuple(each.camera for each in followed),
                ready=all(each.tried for each in followed),
            )
            for path, followed in on.items()
        ]

    def _agrees(self, camera: str) -> bool:
        """Whether the index has seen the disk; of a camera that is gone it will see no more."""
        followed = self._followed.get(camera)
        return followed is None or followed.known

    def _beat(self, camera: str | None) -> float:
        """Give a sign of life; returns the time (monotonic, s)."""
        now_s = self._clock.reading().monotonic_ns / 1e9
        self.at = (now_s, camera)
        return now_s
