"""``gatehouse-district config check``: every mistake of a configuration file at once."""

import argparse
import os
import sys
from pathlib import Path

from gatehouse import texts
from gatehouse.config import ConfigError
from gatehouse.texts import _
from gatehouse_district.cli import Commands, about
from gatehouse_district.config import config_path, read


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("config")
    parser = commands.add_parser("config", help=summary, description=summary, parents=[shared])
    actions = parser.add_subparsers(dest="action", metavar="check", required=True)
    check = actions.add_parser("check", help=summary, description=summary, parents=[shared])
    check.add_argument("file", nargs="?", metavar="FILE", help=_("configuration file"))
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check it; mistakes are the result, hence on stdout."""
    path = Path(args.file).absolute() if args.file else config_path(args.config, os.environ)
    try:
        checked = read(path)
    except ConfigError as exc:
        sys.stdout.write(f"{exc}\n")
        count = _("{path}: {count} mistake(s)").format(path=path, count=len(exc.mistakes))
        sys.stderr.write(count + "\n")
        return 2
    texts.use(checked.district.language)
    scheme = "http" if checked.desk.cert is None else "https"
    address = (
        f"[{checked.desk.address}]" if checked.desk.address.version == 6 else checked.desk.address
    )
    fine = _("{path}: fine (broker {broker}, desk {desk})").format(
        path=path, broker=checked.broker.url, desk=f"{scheme}://{address}:{checked.desk.port}"
    )
    sys.stdout.write(fine + "\n")
    return 0
