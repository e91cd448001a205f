"""``gatehouse reset``: end an alarm by hand, on site."""

import argparse
import sys

from gatehouse.cli.asking import ask
from gatehouse.texts import _


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("button", metavar="BUTTON", help=_("name of the button"))
    parser.add_argument("--by", required=True, metavar="NAME", help=_("who resets it"))
    parser.add_argument(
        "--reason",
        required=True,
        choices=["real", "mistake", "test"],
        help=_("what the alarm was"),
    )


def run(args: argparse.Namespace) -> int:
    """Reset it and say how many alarms that ended."""
    answer = ask(
        args.config,
        {"do": "reset", "button": args.button, "by": args.by, "reason": args.reason},
    )
    count = int(answer["alarms"])
    if count:
        said = _("{button}: {count} alarm(s) reset").format(button=args.button, count=count)
    else:
        said = _("{button}: no alarm to reset").format(button=args.button)
    sys.stdout.write(said + "\n")
    return 0
