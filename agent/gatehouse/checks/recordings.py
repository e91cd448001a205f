"""Each camera's recordings: whether what is on disk reaches back as far as it must."""

from typing import Any, Final

from gatehouse.checks.cameras import silent
from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_


async def _run(context: Context) -> Findings:
    if not any(camera.recordings for camera in context.config.cameras):
        return [nothing(N_("no camera has recordings"))]
    document = await context.ask_video({"do": "recordings"})
    if document is None:
        return [silent()]
    cameras = document.get("cameras") or []
    found = [_camera(camera) for camera in cameras]
    bad = [finding for finding in found if finding is not None]
    disks = [_disk(disk) for disk in document.get("disks") or ()]
    bad += [finding for finding in disks if finding is not None]
    said = N_("{well} of {all} reach back far enough")
    well = sum(str(camera.get("verdict")) == "ok" for camera in cameras)
    return [*bad, fine(said, well=well, all=len(cameras))]


def _camera(camera: dict[str, Any]) -> Finding | None:
    name, verdict = str(camera.get("name")), str(camera.get("verdict"))
    proven, required = camera.get("proven_days"), camera.get("required_days")
    days = f"{proven:.1f}" if isinstance(proven, int | float) else "?"
    figure = say(
        N_("{camera}: {days} of {required} days"), camera=name, days=days, required=required
    )
    if verdict == "short":
        remedy = N_("{camera}: see what is missing: gatehouse recordings --gaps")
        return fail(figure, say(remedy, camera=name))
    if verdict == "forecast":
        remedy = N_("{camera}: the disk will be too small: use a larger one, or a lower bitrate")
        return warn(figure, say(remedy, camera=name))
    if verdict == "unknown":
        figure = say(N_("{camera}: recordings not read yet"), camera=name)
        return warn(figure, say(N_("look again in a minute")))
    return None


def _disk(disk: dict[str, Any]) -> Finding | None:
    free, least = disk.get("free_percent"), disk.get("min_free_percent")
    if not isinstance(free, int | float) or not isinstance(least, int | float):
        return None
    if free >= least / 2:
        return None
    path = disk.get("path")
    figure = say(N_("{path}: free {free} %, at least {least} %"), path=path, free=free, least=least)
    return fail(figure, say(N_("clean-up finds nothing that may go: use a larger disk")))


CHECK: Final = Check("recordings", N_("recordings"), 10.0, _run)
