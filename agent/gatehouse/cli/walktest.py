"""``gatehouse walktest``: one technician walks the school, and sees what came of each press."""

import argparse
import getpass
import math
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gatehouse.cli.asking import open_config, socket_path
from gatehouse.cli.screen import console, print_json
from gatehouse.cli.walked import lines_of, passed, summary
from gatehouse.config.model import Config
from gatehouse.control import client
from gatehouse.texts import _

_LONGEST_S: Final = 3600.0
_USUAL_S: Final = 900.0

Document = dict[str, Any]


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "buttons", nargs="*", metavar="BUTTON", help=_("which buttons; all of them without")
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_USUAL_S,
        metavar="S",
        help=_("end the walk after so many seconds (900); 3600 at most"),
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))


def run(args: argparse.Namespace) -> int:
    """Follow the walk until all is walked, or its time is over, or Ctrl-C."""
    config = open_config(args.config)
    request: Document = {
        "do": "walktest",
        "buttons": args.buttons,
        "timeout_s": args.timeout,
        "by": _who(),
    }
    answers = client.stream(
        socket_path(config), request, stop=lambda answer: answer.get("over") is not None
    )
    last = _until_over(answers) if args.json else _watched(answers, config)
    rows = last.get("buttons") or []
    if args.json:
        result = "OK" if passed(rows) else "FAIL"
        reason = last.get("over") or "left"
        print_json({"result": result, "reason": reason, "by": request["by"], "buttons": rows})
    return 0 if passed(rows) else 1


def _until_over(answers: Iterator[Document]) -> Document:
    """Return the last that was said; Ctrl-C ends the walk, and what was walked counts."""
    last: Document = {}
    try:
        for answer in answers:
            last = answer
    except KeyboardInterrupt:
        pass
    return last


def _watched(answers: Iterator[Document], config: Config) -> Document:
    from rich.live import Live  # noqa: PLC0415  # not needed for --json, which must be quick

    screen = console()
    places = {button.name: button.location for button in config.buttons}
    latching = frozenset(button.name for button in config.buttons if button.latching)
    last: Document = {}
    with Live(console=screen, auto_refresh=False, transient=True) as live:

        def shown() -> Iterator[Document]:
            until = None
            for answer in answers:
                until = until or datetime.now(UTC) + timedelta(seconds=answer["seconds_left"])
                lines = lines_of(answer["buttons"], screen.width, places, latching)
                live.update(_page(lines, until), refresh=True)
                yield answer

        last = _until_over(shown())
    rows = last.get("buttons") or []
    screen.print(lines_of(rows, screen.width, places, latching, over=True))
    screen.print(summary(rows))
    return last


def _page(lines: Any, until: datetime) -> Any:  # noqa: ANN401  # rich's renderables share no class
    from rich.console import Group  # noqa: PLC0415  # as above

    said = _("Press each button once, in any order. Every further press is real!")
    ends = _("Until {time}; Ctrl-C ends it.").format(time=f"{until.astimezone():%H:%M:%S}")
    return Group(f"[bold]{said}[/]", ends, "", lines)


def _seconds(text: str) -> float:
    """Read how many seconds; returns them."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_S:  # also what is no number
        raise argparse.ArgumentTypeError(
            _("a walk test lasts more than 0 and at most 3600 seconds")
        )
    return seconds


def _who() -> str | None:
    """Return who walks, as this machine knows them."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return None
