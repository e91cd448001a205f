"""``gatehouse recordings``: how long each camera's recordings reach back, and what is missing."""

import argparse
from typing import Any, Final

from gatehouse.cli.asking import ask_video, without_ok
from gatehouse.cli.figures import NONE, UNKNOWN, bar, down, length, number, span
from gatehouse.cli.screen import console, print_json
from gatehouse.texts import N_, _

_NARROW: Final = 76
"""Columns below which each camera has lines of its own instead of a row."""
_CELLS: Final = 8
_VERDICTS: Final = {
    "ok": ("green", N_("well")),
    "short": ("red", N_("too short")),
    "forecast": ("yellow", N_("short soon")),
    "unknown": ("yellow", N_("not known")),
}
_AREAS: Final = {"critical": N_("critical"), "general": N_("general")}


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.add_argument("--gaps", action="store_true", help=_("list each gap"))


def run(args: argparse.Namespace) -> int:
    """Ask and show, whatever the verdicts."""
    document = without_ok(ask_video(args.config, {"do": "recordings"}))
    if args.json:
        print_json(document)
        return 0
    screen = console()
    screen.print(render(document, screen.width))
    if args.gaps:
        screen.print(gaps(document))
    return 0


def render(document: dict[str, Any], width: int) -> Any:  # noqa: ANN401  # rich's renderables share no class
    """Lay the document out for a person, for so many columns."""
    from rich.console import Group  # noqa: PLC0415  # not needed for --json, which must be quick

    cameras = document.get("cameras") or []
    if not cameras:
        shown: list[Any] = [_("no camera has recordings")]
    elif width < _NARROW:
        shown = [_lines(camera) for camera in cameras]
    else:
        shown = [_table(cameras)]
    return Group(*shown, *_remarks(cameras), *_disks(document), *_scanning(document))


def _table(cameras: list[dict[str, Any]]) -> Any:  # noqa: ANN401  # as above
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (_("camera"), _("area")):
        table.add_column(title, overflow="fold")
    table.add_column(_("days kept"), no_wrap=True)
    for title in (_("missing"), _("GB/day"), _("days left")):
        table.add_column(title, justify="right")
    table.add_column(_("verdict"), overflow="fold")
    for camera in cameras:
        table.add_row(
            escape(str(camera.get("name"))),
            _area(camera),
            _kept(camera),
            _missing(camera),
            _gigabytes(camera),
            number(camera.get("days_until_short")),
            _verdict(camera),
        )
    return table


def _lines(camera: dict[str, Any]) -> str:
    """Return the lines of one camera on a narrow screen."""
    from rich.markup import escape  # noqa: PLC0415

    name = escape(str(camera.get("name")))
    kept = _("{bar} days").format(bar=_kept(camera))
    lines = [f"[bold]{name}[/]  {_verdict(camera)}", f"  {kept}  {_area(camera)}"]
    figures = []
    if camera.get("gap_minutes"):
        figures.append(_("{time} missing").format(time=_missing(camera)))
    if (size := _gigabytes(camera)) != NONE:
        figures.append(_("{size} GB/day").format(size=size))
    if (left := number(camera.get("days_until_short"))) != NONE:
        figures.append(_("{days} days left").format(days=left))
    return "\n".join([*lines, *(["  " + "  ".join(figures)] if figures else [])])


def _area(camera: dict[str, Any]) -> str:
    return _(_AREAS.get(str(camera.get("area")), NONE))


def _kept(camera: dict[str, Any]) -> str:
    proven, due = camera.get("proven_days") or 0.0, camera.get("required_days") or 0
    colour = _VERDICTS.get(str(camera.get("verdict")), ("red", ""))[0]
    return f"[{colour}]{bar(proven, due, _CELLS)}[/] {down(proven)}/{due}"


def _verdict(camera: dict[str, Any]) -> str:
    from rich.markup import escape  # noqa: PLC0415

    verdict = str(camera.get("verdict"))
    colour, word = _VERDICTS.get(verdict, ("red", verdict))
    if verdict == "ok" and (camera.get("proven_days") or 0) < (camera.get("required_days") or 0):
        word = N_("well so far")  # it has not recorded for so long yet
    return f"[{colour}]{escape(_(word))}[/]"


def _missing(camera: dict[str, Any]) -> str:
    minutes = camera.get("gap_minutes")
    return length(minutes * 60) if isinstance(minutes, int | float) else NONE


def _gigabytes(camera: dict[str, Any]) -> str:
    size = camera.get("bytes_per_day")
    return number(size / 1e9, ".1f") if isinstance(size, int | float) else NONE


def _remarks(cameras: list[dict[str, Any]]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    lines = []
    for camera in cameras:
        name = camera.get("name")
        if amiss := camera.get("amiss"):
            lines.append(f"[red]{escape(f'{name}: {amiss}')}[/]")
        if strange := camera.get("unknown_names"):
            said = _("{camera}: {count} files whose names tell no time")
            lines.append(f"[yellow]{escape(said.format(camera=name, count=strange))}[/]")
    return ["", *lines] if lines else []


def _disks(document: dict[str, Any]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    lines = []
    for disk in document.get("disks") or ():
        free, least = disk.get("free_percent"), disk.get("min_free_percent")
        said = _("{path}: free {free} %, at least {least} %").format(
            path=disk.get("path"), free=number(free, ".1f"), least=number(least, "g")
        )
        if (left := number(disk.get("days_until_short"))) != NONE:
            said += _("; too short in {days} days").format(days=left)
        lines.append(escape(said))
    return ["", *lines] if lines else []


def _scanning(document: dict[str, Any]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    scanning = document.get("scanning")
    if not isinstance(scanning, dict):
        return []
    said = _("the recordings of {camera} are being read: {count} so far").format(
        camera=scanning.get("camera"), count=number(scanning.get("segments"), ",")
    )
    return ["", f"[yellow]{escape(said)}[/]"]


def gaps(document: dict[str, Any]) -> Any:  # noqa: ANN401  # as above
    """List what is missing, each gap and, by day, those too short to count alone."""
    from rich.console import Group  # noqa: PLC0415  # not needed for --json, which must be quick
    from rich.markup import escape  # noqa: PLC0415

    lines: list[str] = []
    for camera in document.get("cameras") or ():
        long, short = camera.get("gaps") or (), camera.get("short_gaps") or ()
        if not long and not short:
            continue
        lines += ["", f"[bold]{escape(str(camera.get('name')))}[/]  " + _("missing (UTC)")]
        for gap in long:
            when = span(gap.get("from"), gap.get("to"))
            lines.append(f"  {when}  {length(gap.get('seconds') or 0)}")
        for day in short:
            said = _("{day}: {time} in short gaps").format(
                day=escape(str(day.get("day", UNKNOWN))[5:]), time=length(day.get("seconds") or 0)
            )
            lines.append(f"  [dim]{said}[/]")
    return Group(*(lines or ["", "[green]" + _("no gaps") + "[/]"]))
