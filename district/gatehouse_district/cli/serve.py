"""``gatehouse-district serve``: the service in the foreground."""

import argparse
import os

from gatehouse import process
from gatehouse_district.cli import Commands, about
from gatehouse_district.config import config_path


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("serve")
    parser = commands.add_parser("serve", help=summary, description=summary, parents=[shared])
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run it; it ends the process itself, so that it waits for no thread."""
    from gatehouse_district.serve import service  # noqa: PLC0415  # only this command needs it

    flush = process.start_logging()
    code = service.serve(config_path(args.config, os.environ), os.environ)
    flush()
    process.leave(code)
    return 0
