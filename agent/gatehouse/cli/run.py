"""``gatehouse run alarm|video``: one service in the foreground."""

import argparse
import os
import sys

from gatehouse.cli.asking import config_path
from gatehouse.texts import _


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("service", choices=["alarm", "video"], help=_("which service"))


def run(args: argparse.Namespace) -> int:
    """Run it; the alarm service ends the process itself, so that it waits for no thread."""
    path = config_path(args.config)
    os.environ["GATEHOUSE_CONFIG"] = str(path)  # children and the simulated board read the same
    if args.service == "video":
        print(  # noqa: T201  # a message to the person who typed it
            _("gatehouse: the video service is not part of this version yet"), file=sys.stderr
        )
        return 2
    from gatehouse.service import alarm, process  # noqa: PLC0415  # only this command needs them

    flush = process.start_logging()
    code = alarm.serve(path, os.environ)
    flush()
    process.leave(code)
    return 0
