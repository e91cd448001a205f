"""``gatehouse drill``: the next press of each named button is an exercise, all others are real."""

import argparse
import re
import sys

from gatehouse.cli.asking import ask
from gatehouse.texts import _

_UNITS = {"s": 1, "m": 60, "h": 3600}


def arguments(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(dest="action", metavar="start|stop", required=True)
    start = actions.add_parser("start", help=_("begin a drill"), parents=[shared])
    start.add_argument(
        "--for",
        dest="seconds",
        type=duration,
        default=600.0,
        metavar="TIME",
        help=_("how long, such as 10m (default); 30m at most"),
    )
    start.add_argument("buttons", nargs="+", metavar="BUTTON", help=_("which buttons"))
    actions.add_parser("stop", help=_("end the drill now"), parents=[shared])


def run(args: argparse.Namespace) -> int:
    """Start or stop it."""
    if args.action == "stop":
        stopped = bool(ask(args.config, {"do": "drill-stop"})["stopped"])
        said = _("drill stopped: every press is real") if stopped else _("no drill is running")
    else:
        request = {"do": "drill-start", "buttons": args.buttons, "seconds": args.seconds}
        ask(args.config, request)
        said = _(
            "drill for {minutes:g} min: the first press of {buttons} is a drill, "
            "every further press is real"
        ).format(minutes=args.seconds / 60, buttons=", ".join(args.buttons))
    sys.stdout.write(said + "\n")
    return 0


def duration(text: str) -> float:
    """Read ``90s``, ``10m``, ``0.5h`` or plain seconds; returns seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(_("not a time such as 10m: {text}").format(text=text))
    seconds = float(found[1]) * _UNITS.get(found[2], 1)
    if not 0 < seconds <= 1800:
        raise argparse.ArgumentTypeError(_("a drill lasts more than 0 and at most 30 minutes"))
    return seconds
