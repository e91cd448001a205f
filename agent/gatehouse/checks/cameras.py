"""Each camera, as the video service sees it."""

from typing import Any, Final

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Findings, fail, nothing, ok, warn
from gatehouse.checks.text import say
from gatehouse.texts import N_

_VERDICTS: Final = {
    "unreachable": (
        N_("{camera} unreachable"),
        N_("{camera}: look at its power, its cable and its address"),
    ),
    "refused": (N_("{camera} refuses the login"), N_("{camera}: mend its credential file")),
    "stalled": (N_("{camera} gives no pictures"), N_("{camera}: restart it; look at its cable")),
    "frozen": (N_("{camera} frozen"), N_("{camera}: restart it")),
    "dark": (N_("{camera} dark"), N_("{camera}: look at its light and its lens")),
    "covered": (N_("{camera} covered"), N_("{camera}: uncover and clean its lens")),
    "blurred": (N_("{camera} blurred"), N_("{camera}: clean and focus it")),
    "moved": (
        N_("{camera} moved"),
        N_("{camera}: turn it back, or: gatehouse cameras relearn {camera}"),
    ),
    "low-resolution": (
        N_("{camera} has too low a resolution"),
        N_("{camera}: choose its main stream in source"),
    ),
    "clock-off": (N_("{camera}'s clock is off"), N_("{camera}: set its time server")),
    "not-recording": (
        N_("{camera} does not record"),
        N_("{camera}: look at its folder: journalctl -u gatehouse-video"),
    ),
}


async def _run(context: Context) -> Findings:
    if not context.config.cameras:
        return [nothing(N_("no cameras in the configuration"))]
    document = await context.ask_video({"do": "cameras"})
    if document is None:
        return [silent()]
    cameras = document.get("cameras") or []
    found = [_camera(camera) for camera in cameras]
    bad = [finding for finding in found if finding is not None]
    well = say(N_("{well} of {all} well"), well=len(cameras) - len(bad), all=len(cameras))
    if uncovered := document.get("uncovered"):
        places = ", ".join(str(place) for place in uncovered)
        figure = say(N_("no healthy camera sees: {places}"), places=places)
        bad.append(fail(figure, say(N_("mend a camera that sees {places}"), places=places)))
    return [*bad, ok(well)]


def silent() -> Finding:
    """Return the finding that the video service does not answer."""
    figure = say(N_("the video service does not answer"))
    return fail(figure, say(N_("see why: journalctl -u {unit}"), unit="gatehouse-video"))


def _camera(camera: dict[str, Any]) -> Finding | None:
    name, verdict = str(camera.get("name")), str(camera.get("verdict"))
    if verdict == "ok":
        return None
    if verdict == "unknown":
        figure = say(N_("{camera} not known yet"), camera=name)
        return warn(figure, say(N_("look again in a minute")))
    seen, todo = _VERDICTS.get(verdict, ("{camera}: ?", N_("{camera}: look at it")))
    return fail(say(seen, camera=name), say(todo, camera=name))


CHECK: Final = Check("cameras", N_("cameras"), 10.0, _run)
