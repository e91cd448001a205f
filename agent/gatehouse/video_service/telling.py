"""What is told of one camera, to the alarm service and to whoever asks. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gatehouse.config import Camera
from gatehouse.control.reports import CAMERA, Row, Standing
from gatehouse.video.recorder import NOT_RECORDING
from gatehouse.video.verdict import LINK, OK, Health
from gatehouse.video_service.way import Way

UNKNOWN: Final = "unknown"
STILL_A_VIEW: Final = frozenset({OK, "clock-off", NOT_RECORDING, "low-resolution"})
"""Verdicts of a camera that still shows its places."""
_NEEDED: Final = frozenset({*LINK, "dark", "covered", "low-resolution"})
"""What must be well before a camera is called so. The rest takes minutes to learn."""


def faults(health: Health, way: Way) -> dict[str, Mapping[str, Any]]:
    """Return what is told to stand: nothing that the loss of the camera explains."""
    found = health.faults
    if not way.unrecorded:
        found.pop(NOT_RECORDING, None)
    return found


def row(camera: Camera, health: Health, way: Way, *, held: bool) -> Row:
    """Return a camera's row; while its loss is ``held``, nobody knows of its way.

    Whether one is recorded that others record, its recordings tell.
    """
    hidden = set(LINK) if held else set()
    ours = set(CAMERA) if camera.record else set(CAMERA) - {NOT_RECORDING}
    stands = {fault: data for fault, data in faults(health, way).items() if fault not in hidden}
    unknown = ours - stands.keys() - (health.well - hidden)
    standing = tuple(Standing(fault, dict(data)) for fault, data in stands.items())
    return Row(f"camera/{camera.name}", standing, tuple(sorted(unknown)))


def verdict(health: Health, way: Way) -> str:
    """Return the fault that explains the others, ``ok``, or ``unknown``."""
    if found := faults(health, way):
        return next(iter(found))
    return OK if health.known and health.well >= _NEEDED else UNKNOWN


def document(
    camera: Camera, health: Health, way: Way, *, records: bool | None, last_frame: str | None
) -> dict[str, Any]:
    """Return what `gatehouse cameras` shows of a camera."""
    found = faults(health, way)
    first: Mapping[str, Any] = next(iter(found.values()), {})
    return {
        "name": camera.name,
        "area": camera.area,
        "covers": list(camera.covers),
        "verdict": verdict(health, way),
        "faults": list(found),
        "text": first.get("text"),
        "width": health.opened.width if health.opened else None,
        "height": health.opened.height if health.opened else None,
        "fps": health.last.fps if health.last else None,
        "last_frame": last_frame,
        "records": records,
    }


def uncovered(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the places that no camera shows now, in the order of the configuration."""
    places: dict[str, bool] = {}
    for each in documents:
        for place in each["covers"]:
            places[place] = places.get(place, False) or each["verdict"] in STILL_A_VIEW
    return [place for place, seen in places.items() if not seen]
