"""What a technician types: ``gatehouse COMMAND``.

Exit codes: 0 fine, 1 something checked is not fine, 2 wrong usage or configuration, 3 the service
is not running. Modules are imported when their command is used, so that each answers at once.
"""

import argparse
import gettext
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from gatehouse import __version__, texts
from gatehouse.control import protocol
from gatehouse.errors import ControlError, GatehouseError, NotRunningError
from gatehouse.texts import N_, _

FINE: Final = 0
NOT_FINE: Final = 1
WRONG: Final = 2
NOT_RUNNING: Final = 3
INTERRUPTED: Final = 130
"""Ctrl-C, as shells say it (128 + SIGINT): what was asked for was perhaps not done."""

_SERVICES_OWN: Final = {protocol.BUSY, protocol.TIMEOUT, protocol.INTERNAL}
"""Refusals that are no fault of what was typed."""

_COMMANDS: Final = {
    "run": N_("run one service in the foreground"),
    "status": N_("what the running services know now"),
    "selftest": N_("run the checks, and say what to do about what is not well"),
    "events": N_("the event log, and what still waits for the district"),
    "cameras": N_("each camera's health, and what is on the network"),
    "recordings": N_("how long each camera's recordings reach back, and what is missing"),
    "evidence": N_("what was kept around an alarm"),
    "report": N_("the inspector's page of a span of time"),
    "reset": N_("reset an alarm, on site"),
    "walktest": N_("press each button, and follow each press to the district and back"),
    "drill": N_("make the next press of a button a drill"),
    "setup": N_("ask for the school, prove each answer, and write the configuration"),
    "enrol": N_("get the gateway its certificate, and a new one in time"),
    "config": N_("check a configuration file"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""

    def work() -> int:
        args = _parse(sys.argv[1:] if argv is None else list(argv))
        code: int = importlib.import_module(f"gatehouse.cli.{args.command}").run(args)
        return code

    return carry_out("gatehouse", work)


def carry_out(program: str, work: Callable[[], int]) -> int:
    """Do what was typed, in the locale's language; return the exit code, and say what failed."""
    try:
        texts.use(None)
        code = work()
        sys.stdout.flush()  # a pipe that is gone is noticed here, not at the interpreter's end
    except BrokenPipeError:  # `gatehouse events | head`
        # What waits in the buffer must find somewhere to go when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (GatehouseError, OSError) as exc:  # OSError: a full disk under stdout
        message, code = _failed(exc)
        sys.stderr.write(f"{program}: {message}\n")
    return code


def _failed(exc: Exception) -> tuple[str, int]:
    """Return what to say, and the exit code."""
    from gatehouse.config import ConfigError  # noqa: PLC0415  # only when something is wrong

    if isinstance(exc, NotRunningError):
        return _("the service is not running: {reason}").format(reason=exc), NOT_RUNNING
    if isinstance(exc, ControlError):
        return str(exc), NOT_FINE if exc.code in _SERVICES_OWN else WRONG
    return str(exc), WRONG if isinstance(exc, ConfigError) else NOT_FINE


def speak_with_argparse() -> None:
    """Have argparse, which asks gettext itself, find its own words in our catalog."""
    gettext.bindtextdomain(texts.DOMAIN, str(texts.LOCALE_DIR))
    gettext.textdomain(texts.DOMAIN)


def _parse(argv: list[str]) -> argparse.Namespace:
    speak_with_argparse()
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help=_("configuration file")
    )
    parser = argparse.ArgumentParser(
        prog="gatehouse",
        parents=[shared],
        description=_("The one-key alarm agent of a school's gatehouse."),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"gatehouse {__version__}",
        help=_("show the version and exit"),
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        sub = commands.add_parser(name, help=_(summary), description=_(summary), parents=[shared])
        if name in argv:  # only the command in use is imported, and what it may be mistaken for
            importlib.import_module(f"gatehouse.cli.{name}").arguments(sub, shared)
    args = parser.parse_args(argv)
    args.config = getattr(args, "config", None)
    return args
