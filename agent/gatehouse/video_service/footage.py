"""The clip of one camera for one bundle: from where it comes, and when it can be had."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Final

from gatehouse.config import Camera
from gatehouse.evidence import plan
from gatehouse.evidence.manifest import CLIP, Lacking
from gatehouse.evidence.plan import unix_ms
from gatehouse.video_service.binder import Binder, is_full
from gatehouse.video_service.clips import Clips, Got, Wanted
from gatehouse.video_service.parts import is_csi
from gatehouse.video_service.ring import Rings

log = logging.getLogger(__name__)

_NAMED_MS: Final = 1000
"""A recording's name is cut to the second: it may have begun so much later."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Where clips come from."""

    clips: Clips
    rings: Rings

    async def get(self, camera: Camera | None, name: str, binder: Binder, over_s: float) -> None:
        """Get a camera's clip into a bundle; ``over_s`` is when its time is over (the loop's)."""
        if camera is None:
            got = _lacks(name, plan.NO_RECORDING, "the camera is not configured")
        else:
            try:
                got = await self._recorded(camera, binder, over_s)
            except OSError as exc:
                alarm = binder.manifest.alarm
                log.warning("no clip of camera %s for alarm %s: %s", name, alarm, exc)
                got = _lacks(name, plan.DISK_FULL if is_full(exc) else plan.DAMAGED, str(exc))
        binder.add(got.items, got.lacking, got.held)

    async def _recorded(self, camera: Camera, binder: Binder, over_s: float) -> Got:
        manifest = binder.manifest
        begins_ms, ends_ms = unix_ms(manifest.begins) - _NAMED_MS, unix_ms(manifest.ends)
        wanted = Wanted(camera, binder.folder, begins_ms, ends_ms)
        if is_csi(camera) and not camera.record:
            return await self._from_ring(wanted, binder)
        if camera.recordings is None:
            return _lacks(camera.name, plan.NO_RECORDING, "the camera is not recorded")
        over_s += self.clips.pace.after_s
        await asyncio.sleep(max(0.0, over_s - asyncio.get_running_loop().time()))
        await binder.begun.wait()
        if camera.record:
            return await self.clips.own(wanted)
        return await self.clips.other(wanted)

    async def _from_ring(self, wanted: Wanted, binder: Binder) -> Got:
        name = wanted.camera.name
        lent = await self.rings.recorded(name, wanted.end_ms)
        if lent is None:
            return _lacks(name, plan.NO_RECORDING, "the camera was not there")
        try:
            await binder.begun.wait()
            if not lent.recorded:
                return _lacks(name, plan.NO_RECORDING, "what was in the ring is lost")
            return await self.clips.own(replace(wanted, source="ring"), lent.recorded)
        finally:
            lent.give_back()


def _lacks(camera: str, why: str, text: str) -> Got:
    return Got(lacking=(Lacking(camera=camera, kind=CLIP, why=why, text=text),))
