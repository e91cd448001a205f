"""``gatehouse run alarm|video``: one service in the foreground."""

import argparse
import os
from pathlib import Path

from gatehouse.cli import extras
from gatehouse.cli.asking import config_path
from gatehouse.texts import _


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("service", choices=["alarm", "video"], help=_("which service"))


def run(args: argparse.Namespace) -> int:
    """Run it; a service ends the process itself, so that it waits for no thread."""
    path = config_path(args.config)
    os.environ["GATEHOUSE_CONFIG"] = str(path)  # children and the simulated board read the same
    return _video(path) if args.service == "video" else _alarm(path)


def _alarm(path: Path) -> int:
    from gatehouse import process  # noqa: PLC0415  # only this command needs them
    from gatehouse.service import serve  # noqa: PLC0415  # only this one

    flush = process.start_logging()
    code = serve.serve(path, os.environ)
    flush()
    process.leave(code)
    return 0


def _video(path: Path) -> int:
    if extras.lacking(extras.VIDEO):
        return 2
    from gatehouse import process  # noqa: PLC0415  # only this command needs them
    from gatehouse.video_service import service  # noqa: PLC0415  # with libraries of an extra

    flush = process.start_logging()
    code = service.serve(path, os.environ)
    flush()
    process.leave(code)
    return 0
