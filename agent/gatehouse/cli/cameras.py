"""``gatehouse cameras``: each camera's health; ``relearn`` one that was turned; ``discover``."""

import argparse
import os
import sys
from datetime import UTC, datetime
from typing import Any, Final

from gatehouse.cli import discovering
from gatehouse.cli.asking import ask_video, without_ok
from gatehouse.cli.figures import NONE, ago, listed, number
from gatehouse.cli.screen import console, print_json
from gatehouse.cli.words import fault
from gatehouse.clock import open_clock
from gatehouse.texts import _

_NARROW: Final = 70
"""Columns below which each camera has lines of its own instead of a row."""
_VIEW_LEFT: Final = {"clock-off", "not-recording", "low-resolution"}


def arguments(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    json_help = _("one JSON document, nothing else")
    parser.add_argument("--json", action="store_true", help=json_help)
    actions = parser.add_subparsers(dest="action", metavar="[relearn|discover]")
    said = _("learn a camera's view anew, after it was turned or refocused")
    relearn = actions.add_parser("relearn", help=said, description=said, parents=[shared])
    relearn.add_argument("camera", metavar="NAME", help=_("name of the camera"))
    said = _("find ONVIF cameras on the network, and write their configuration")
    discover = actions.add_parser("discover", help=said, description=said, parents=[shared])
    # SUPPRESS: a sub-command's default would undo what stands before it.
    discover.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=json_help)
    discovering.arguments(discover)


def run(args: argparse.Namespace) -> int:
    """Show the cameras, whatever their health; or do what was asked."""
    if args.action == "discover":
        return discovering.run(args)
    if args.action == "relearn":
        ask_video(args.config, {"do": "relearn", "camera": args.camera})
        said = _("{camera}: its view is learnt anew").format(camera=args.camera)
        sys.stdout.write(said + "\n")
        return 0
    document = without_ok(ask_video(args.config, {"do": "cameras"}))
    if args.json:
        print_json(document)
    else:
        screen = console()
        screen.print(render(document, screen.width, _now()))
    return 0


def _now() -> datetime:
    """Return the time by the clock of the services: frames are dated by it."""
    clock = open_clock(os.environ.get("GATEHOUSE_CLOCK"), os.environ.get("GATEHOUSE_BOOTID"))
    return datetime.fromtimestamp(clock.reading().unix_ns / 1e9, UTC)


def render(document: dict[str, Any], width: int, now: datetime) -> Any:  # noqa: ANN401  # rich's renderables share no class
    """Lay the document out for a person, for so many columns."""
    from rich.console import Group  # noqa: PLC0415  # not needed for --json, which must be quick

    cameras = document.get("cameras") or []
    if not cameras:
        return _("no cameras in the configuration")
    if width < _NARROW:
        shown: list[Any] = [_lines(camera, now) for camera in cameras]
    else:
        shown = [_table(cameras, now)]
    return Group(*shown, *_reasons(cameras), *_places(document))


def _table(cameras: list[dict[str, Any]], now: datetime) -> Any:  # noqa: ANN401  # as above
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = (_("camera"), _("state"), _("last picture"), _("size"), _("fps"), _("recorded"))
    for title in titles:
        table.add_column(title, overflow="fold")
    for camera in cameras:
        table.add_row(
            escape(str(camera.get("name"))),
            _state(camera),
            ago(camera.get("last_frame"), now),
            _size(camera),
            number(camera.get("fps"), ".3g"),
            _recorded(camera),
        )
    return table


def _lines(camera: dict[str, Any], now: datetime) -> str:
    """Return the lines of one camera on a narrow screen."""
    from rich.markup import escape  # noqa: PLC0415

    figures = [ago(camera.get("last_frame"), now), _size(camera)]
    if (fps := number(camera.get("fps"), ".3g")) != NONE:
        figures.append(f"{fps} fps")
    if camera.get("records"):
        figures.append(_("recorded"))
    said = "  ".join(each for each in figures if each != NONE)
    line = f"[bold]{escape(str(camera.get('name')))}[/]  {_state(camera)}"
    return f"{line}\n  {said}" if said else line


def _state(camera: dict[str, Any]) -> str:
    from rich.markup import escape  # noqa: PLC0415

    verdict = str(camera.get("verdict") or "unknown")
    if verdict == "ok":
        return "[green]" + _("well") + "[/]"
    if verdict == "unknown":
        return "[yellow]" + _("not known yet") + "[/]"
    faults = list(dict.fromkeys([verdict, *map(str, camera.get("faults") or ())]))
    colour = "yellow" if _VIEW_LEFT.issuperset(faults) else "red"
    words = listed(fault(each, "camera/") for each in faults)
    return f"[{colour}]{escape(words)}[/]"


def _size(camera: dict[str, Any]) -> str:
    width, height = camera.get("width"), camera.get("height")
    told = isinstance(width, int) and isinstance(height, int) and width and height
    return f"{width}x{height}" if told else NONE


def _recorded(camera: dict[str, Any]) -> str:
    """Say whether it is recorded; a dash where that is not known, or another recorder's."""
    records = camera.get("records")
    return NONE if records is None else _("yes") if records else "[red]" + _("no") + "[/]"


def _reasons(cameras: list[dict[str, Any]]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    said = [(str(each.get("name")), each.get("text")) for each in cameras]
    lines = [escape(f"  {name}: {text}") for name, text in said if text]
    return ["", *lines] if lines else []


def _places(document: dict[str, Any]) -> list[str]:
    from rich.markup import escape  # noqa: PLC0415

    places = listed(map(str, document.get("uncovered") or ()))
    if places:
        said = _("no healthy camera sees: {places}").format(places=escape(places))
        return ["", f"[bold red]{said}[/]"]
    if any(camera.get("covers") for camera in document["cameras"]):
        return ["", "[green]" + _("every place is seen by a healthy camera") + "[/]"]
    return []
