"""All bundles as the loop knows them: what is held, what is to be told, what may go.

What is told is durable in the bundles themselves, until the alarm service has it.
"""

import logging
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec

from gatehouse.clock import Clock
from gatehouse.control import protocol, reports
from gatehouse.control.reports import GATEWAY, Row, Standing, Told
from gatehouse.errors import ControlError
from gatehouse.events import rfc3339
from gatehouse.evidence import bundle, room
from gatehouse.evidence import manifest as manifests
from gatehouse.evidence.manifest import CLIP, Manifest
from gatehouse.evidence.shelf import Kept, Release, Shelf
from gatehouse.video.retention import Span
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.binder import is_full

log = logging.getLogger(__name__)

READY: Final = "evidence/"
RELEASED: Final = "evidence-released/"
_WITH_MANIFEST: Final = 24_000
"""Bytes of a happening up to which the manifest goes with it: a report has 60 kB."""
ALL: Final = ""
"""Who is in trouble when it is no single bundle."""
_MARGIN_MS: Final = 2000
_OVER: Final = 1.1
"""Pictures may go so far over the limit: clips, which are large, stop at it."""
_MOST_RELEASED: Final = 4
_UNMEASURED: Final = 1 << 62


class Keeping:
    """All bundles. Used by the loop, but for `held`."""

    def __init__(
        self, shelf: Shelf, disk: Beside, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """Prepare it; ``changed`` is told whenever `rows` or `told` may differ."""
        self.shelf = shelf
        self.limit = 0
        self.cameras = 0
        """How many cameras the next alarm may have."""
        self._disk = disk
        self._clock = clock
        self._changed = changed
        self._kept: dict[str, Kept] | None = None
        self._held: tuple[Kept, ...] | None = None
        self._free = _UNMEASURED
        self._troubles: dict[str, OSError] = {}

    async def load(self) -> list[Kept]:
        """Read all bundles. Raises OSError."""
        try:
            found = await self._disk.do(self._read)
        except OSError as exc:
            self.trouble(ALL, exc)
            raise
        self._kept = {each.alarm: each for each in found}
        self.trouble(ALL, None)
        self._settled()
        for each in found:
            if each.manifest is None:
                log.error("the evidence of alarm %s is damaged: %s", each.alarm, each.why)
        return found

    def _read(self) -> list[Kept]:
        self.shelf.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.shelf.sweep()
        self._measure()
        return self.shelf.read()

    def _measure(self) -> None:
        self._free = shutil.disk_usage(self.shelf.folder).free

    async def measure(self) -> None:
        """See how much room there is; what was released makes some for the next pictures.

        A clip makes its own, but it comes last, and not all cameras are recorded. Raises OSError.
        """
        await self.has_room(self.cameras * room.PICTURES_BYTES)

    # what others say

    def knows(self, alarm: str) -> bool:
        """Whether there is, or is to be, a bundle of an alarm."""
        return self._kept is not None and alarm in self._kept

    def wanted(self, manifest: Manifest) -> None:
        """Hold what an alarm needs, from before it is on the disk."""
        self._put(Kept(manifest.alarm, manifest))

    def written(self, manifest: Manifest) -> None:
        """Take in what is on the disk of a bundle now."""
        body = manifests.write(manifest)
        before = self._all().get(manifest.alarm) or Kept(manifest.alarm, manifest)
        size = sum(each.bytes for each in manifest.items) + len(body)
        self._put(replace(before, manifest=manifest, sha256=bundle.sha256_of(body), bytes=size))

    def trouble(self, who: str, error: OSError | None) -> None:
        """Hear that the disk takes nothing of somebody (an alarm, `ALL`), or (None) takes again.

        A fault stands for as long as anybody is in trouble: of two bundles one may be written.
        """
        before = bool(self._troubles)
        if error is not None:
            self._troubles.setdefault(who, error)
        else:
            self._troubles.pop(who, None)
        if bool(self._troubles) == before:
            return
        if error is not None:
            log.warning("evidence cannot be written or read: %s", error)
        else:
            log.info("evidence can be written again")
            self._free = _UNMEASURED  # what was found while it was full is over
        self._changed()

    async def release(self, alarm: str, by: str, via: str) -> bool:
        """Let go of a bundle; True when somebody had before. Raises ControlError, OSError."""
        if self._kept is None:
            raise ControlError("the bundles are still being read", protocol.BUSY)
        if (kept := self._kept.get(alarm)) is None:
            raise ControlError(f"there is no evidence of an alarm {alarm[:100]!r}")
        if kept.release is not None:
            return True
        note = Release(alarm, by, via, rfc3339(self._clock.reading().unix_ns))
        await self._disk.do(partial(self.shelf.release, note))
        log.info("the evidence of alarm %s is released by %s (%s)", alarm, by, via)
        self._put(replace(self._all().get(alarm, kept), release=note))
        return False

    async def received(self, keys: Collection[str]) -> None:
        """Note durably what the alarm service has. Raises OSError; then it is told again."""
        for key in keys:
            kind, _, alarm = key.rpartition("/")
            kept = self._all().get(alarm)
            if kept is None:
                continue
            what = {"ready": True} if f"{kind}/" == READY else {"released": True}
            told = msgspec.structs.replace(kept.told, **what)
            if told == kept.told:
                continue
            try:
                await self._disk.do(partial(self.shelf.tell, alarm, told))
            except FileNotFoundError:  # somebody took the bundle by hand
                self._all().pop(alarm, None)
                self._settled()
                continue
            if (kept := self._all().get(alarm)) is not None:
                self._put(replace(kept, told=told))

    async def has_room(self, need: int) -> bool:
        """Make room for so many bytes; False when held bundles would have to go. Raises OSError."""
        kept = sorted(self._all().values(), key=lambda each: each.alarm)
        found = await self._disk.do(partial(self._make_room, kept, need))
        for alarm in found.go:
            log.info("the evidence of alarm %s, released, went to make room", alarm)
            self._all().pop(alarm, None)
        self._settled()
        return found.fits

    def _make_room(self, kept: Sequence[Kept], need: int) -> room.Room:
        self._measure()
        found = room.find(kept, need, limit=self.limit, free=self._free)
        for alarm in found.go:
            self.shelf.remove(alarm)
        return found

    # what is known

    def fits(self) -> bool:
        """Whether there is room for pictures."""
        used = sum(each.bytes for each in self._all().values())
        return used <= self.limit * _OVER and self._free > room.SPARE

    def held(self, camera: str) -> Sequence[Span]:
        """Return what must stay of a camera's recordings; by any thread. Raises OSError.

        Until the bundles were read it reads them itself: nothing may go before that is known.
        """
        kept = self._held if self._held is not None else self.shelf.read()
        return [
            Span(begin_ms - _MARGIN_MS, end_ms + _MARGIN_MS)
            for begin_ms, end_ms in (each.span_ms() for each in kept if each.holds(camera))
        ]

    def told(self) -> tuple[Told, ...]:
        """Return what the alarm service does not have yet: one that is ready, some released."""
        kept = self._all().values()
        ready = [each for each in kept if each.is_ready and not each.told.ready]
        released = [each for each in kept if each.release and not each.told.released]
        return (
            *map(_ready, sorted(ready, key=lambda each: each.alarm)[:1]),
            *map(_released, released[:_MOST_RELEASED]),
        )

    def row(self) -> Row:
        """Return what stands."""
        full, failed = reports.EVIDENCE_FULL, reports.EVIDENCE_FAILED
        if self._troubles:
            error = next(iter(self._troubles.values()))
            what, other = (full, failed) if is_full(error) else (failed, full)
            said = {"text": str(error)[:300]}
            return Row(GATEWAY, (Standing(what, said),), (other,))
        if self._kept is None:
            return Row(GATEWAY, (), (failed, full))
        stands: list[Standing] = []
        damaged = [each.alarm for each in self._kept.values() if each.manifest is None]
        damaged = [alarm for alarm in damaged if self._kept[alarm].release is None]
        if damaged:
            stands.append(Standing(reports.EVIDENCE_FAILED, {"damaged": damaged[:10]}))
        if self._is_short():
            stands.append(Standing(reports.EVIDENCE_FULL, self._figures()))
        return Row(GATEWAY, tuple(stands))

    def summary(self) -> dict[str, Any]:
        """Return the figures, for the status."""
        kept = self._all().values()
        return {
            "bundles": len(kept),
            "held": sum(each.release is None for each in kept),
            "gathering": sum(not each.is_ready for each in kept if each.manifest is not None),
            **self._figures(),
        }

    def _figures(self) -> dict[str, int]:
        used = sum(each.bytes for each in self._all().values())
        return {"used_mb": used // room.MB, "max_mb": self.limit // room.MB}

    def _is_short(self) -> bool:
        kept = sorted(self._all().values(), key=lambda each: each.alarm)
        short = room.is_short(kept, self.cameras, limit=self.limit, free=self._free)
        return self.cameras > 0 and short

    def _all(self) -> dict[str, Kept]:
        return {} if self._kept is None else self._kept

    def _put(self, kept: Kept) -> None:
        self._all()[kept.alarm] = kept
        self._settled()

    def _settled(self) -> None:
        self._held = tuple(self._all().values())
        self._changed()


def _ready(kept: Kept) -> Told:
    manifest = kept.manifest
    assert manifest is not None  # noqa: S101  # it is ready
    data: dict[str, Any] = {
        "alarm": kept.alarm,
        "state": manifest.state,
        "pictures": sum(each.number is not None for each in manifest.items),
        "clips": sum(each.kind == CLIP for each in manifest.items),
        "lacking": sum(each.count for each in manifest.lacking),
        "manifest_sha256": kept.sha256,
    }
    said = data | {"manifest": msgspec.to_builtins(manifest)}
    if len(msgspec.json.encode(said)) <= _WITH_MANIFEST:
        data = said
    return Told(f"{READY}{kept.alarm}", reports.EVIDENCE_READY, GATEWAY, data)


def _released(kept: Kept) -> Told:
    note = kept.release
    assert note is not None  # noqa: S101  # it was released
    data = {"alarm": kept.alarm, "by": note.by, "via": note.via}
    return Told(f"{RELEASED}{kept.alarm}", reports.EVIDENCE_RELEASED, GATEWAY, data)
