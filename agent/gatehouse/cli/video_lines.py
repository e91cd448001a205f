"""What the status says of cameras and recordings, a line each."""

from typing import Any

from gatehouse.cli.figures import listed
from gatehouse.texts import _


def video_lines(video: object) -> list[tuple[str, str]]:
    """Return titles and texts; none where there are no cameras.

    A video service that is silent is told instead of what it said last.
    """
    if not isinstance(video, dict):
        return []
    if video.get("state") == "silent":
        return [(_("cameras"), "[red]" + _("the video service is silent") + "[/]")]
    if video.get("state") == "never":
        return [(_("cameras"), "[yellow]" + _("the video service has not reported yet") + "[/]")]
    counted = [
        (_("cameras"), _cameras(video.get("cameras"))),
        (_("recordings"), _recordings(video.get("recordings"))),
    ]
    return [(title, text) for title, text in counted if text]


def _cameras(counts: object) -> str:
    if not isinstance(counts, dict):
        return ""
    total, well = counts.get("cameras"), counts.get("well")
    if not isinstance(total, int) or not isinstance(well, int) or not total:
        return ""
    said = _("{well} of {all} well").format(well=well, all=total)
    return listed(
        [
            f"[green]{said}[/]" if well == total else said,
            *_some(counts, "faulty", "red", _("{n} faulty")),
            *_some(counts, "unknown", "yellow", _("{n} not known yet")),
            *_some(counts, "recording", "", _("{n} recorded")),
        ]
    )


def _recordings(counts: object) -> str:
    if not isinstance(counts, dict):
        return ""
    return listed(
        [
            *_some(counts, "ok", "green", _("{n} well")),
            *_some(counts, "short", "red", _("{n} too short")),
            *_some(counts, "forecast", "yellow", _("{n} short soon")),
            *_some(counts, "unknown", "yellow", _("{n} not known yet")),
        ]
    )


def _some(counts: dict[str, Any], key: str, colour: str, text: str) -> list[str]:
    """Say a count that is not zero."""
    count = counts.get(key)
    if not isinstance(count, int) or not count:
        return []
    said = text.format(n=count)
    return [f"[{colour}]{said}[/]" if colour else said]
