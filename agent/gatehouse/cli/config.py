"""``gatehouse config check``: every mistake of a configuration file at once."""

import argparse
import sys
from pathlib import Path

from gatehouse import config, texts
from gatehouse.cli.asking import config_path
from gatehouse.texts import _


def arguments(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(dest="action", metavar="check", required=True)
    check = actions.add_parser("check", help=_("check a configuration file"), parents=[shared])
    check.add_argument("file", nargs="?", metavar="FILE", help=_("configuration file"))


def run(args: argparse.Namespace) -> int:
    """Check it; mistakes are the result, hence on stdout."""
    path = Path(args.file).absolute() if args.file else config_path(args.config)
    try:
        checked = config.read(path)
    except config.ConfigError as exc:
        sys.stdout.write(f"{exc}\n")
        sys.stderr.write(
            _("{path}: {count} mistake(s)").format(path=path, count=len(exc.mistakes)) + "\n"
        )
        return 2
    texts.use(checked.gateway.language)
    said = _("{path}: fine ({buttons} buttons, {cameras} cameras, {brokers} brokers)")
    sys.stdout.write(
        said.format(
            path=path,
            buttons=len(checked.buttons),
            cameras=len(checked.cameras),
            brokers=len(checked.district.brokers),
        )
        + "\n"
    )
    return 0
