"""What a district's people type: ``gatehouse-district COMMAND``.

Exit codes as those of ``gatehouse``: 0 fine, 1 something checked is not fine, 2 wrong usage or
configuration, 3 the service is not running. Each file adds its own command.
"""

import argparse
import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import Final

from gatehouse import __version__
from gatehouse.cli import WRONG, carry_out, speak_with_argparse
from gatehouse.config import ConfigError
from gatehouse.texts import N_, _
from gatehouse_district.cli import handing_over
from gatehouse_district.config import config_path, read

PROGRAM: Final = "gatehouse-district"
COMMANDS: Final = {
    "serve": N_("receive alarms, and serve the desk, in the foreground"),
    "alarms": N_("open alarms, and who answers them"),
    "gateways": N_("each gateway: its link, faults, retention and tests"),
    "events": N_("the event log"),
    "acknowledge": N_("answer an alarm in a person's name"),
    "export": N_("write the event log of a span of time to a file"),
    "user": N_("who may sign in at the desk"),
    "ca": N_("the small certificate authority"),
    "config": N_("check a configuration file"),
}
_LIBRARIES: Final = ("argon2", "cryptography", "jinja2", "starlette", "uvicorn")
_EXTRA: Final = "pip install 'gatehouse-agent[district]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""

    def work() -> int:
        gone = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
        if gone:
            said = _("the district's side needs the extra district: {hint}").format(hint=_EXTRA)
            sys.stderr.write(f"{PROGRAM}: {said} ({', '.join(gone)})\n")
            return WRONG
        args = _parse(sys.argv[1:] if argv is None else list(argv))
        try:
            code: int = args.run(args)
        finally:
            if args.command in handing_over.MAKING:
                _hand_over(args)
        return code

    return carry_out(PROGRAM, work)


def _hand_over(args: argparse.Namespace) -> None:
    with contextlib.suppress(
        ConfigError
    ):  # `ca --dir` needs none, and then nothing is the service's
        handing_over.hand_over(read(config_path(args.config, os.environ)))


def about(name: str) -> str:
    """Say in a line what a command does."""
    return _(COMMANDS[name])


def _parse(argv: list[str]) -> argparse.Namespace:
    speak_with_argparse()
    parser, commands, shared = frame()
    for name in COMMANDS:
        if name in argv:  # only the command in use is imported, and what it may be mistaken for
            importlib.import_module(f"gatehouse_district.cli.{name}").add(commands, shared)
        else:
            commands.add_parser(name, help=about(name))
    args = parser.parse_args(argv)
    args.config = getattr(args, "config", None)
    return args


Commands = argparse._SubParsersAction  # noqa: SLF001  # argparse has no public name for it


def frame() -> tuple[
    argparse.ArgumentParser, "Commands[argparse.ArgumentParser]", argparse.ArgumentParser
]:
    """Return the program's parser, where its commands go, and what all of them take."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help=_("configuration file")
    )
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        parents=[shared],
        description=_("The district's side of Gatehouse: receives alarms, shows and answers them."),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"{PROGRAM} {__version__}",
        help=_("show the version and exit"),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    return parser, commands, shared
