"""What a technician types: ``gatehouse COMMAND``.

Exit codes: 0 fine, 1 something checked is not fine, 2 wrong usage or configuration, 3 the service
is not running. Modules are imported when their command is used, so that each answers at once.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

from gatehouse import __version__, texts
from gatehouse.errors import ControlError, GatehouseError, NotRunningError
from gatehouse.texts import N_, _

FINE: Final = 0
NOT_FINE: Final = 1
WRONG: Final = 2
NOT_RUNNING: Final = 3

_COMMANDS: Final = {
    "run": N_("run one service in the foreground"),
    "status": N_("what the running services know now"),
    "events": N_("the event log, and what still waits for the district"),
    "reset": N_("reset an alarm, on site"),
    "drill": N_("make the next press of a button a drill"),
    "config": N_("check a configuration file"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    texts.use(None)
    args = _parse(sys.argv[1:] if argv is None else list(argv))
    command = importlib.import_module(f"gatehouse.cli.{args.command}")
    try:
        code: int = command.run(args)
    except NotRunningError as exc:
        _complain(_("the service is not running: {reason}").format(reason=exc))
        return NOT_RUNNING
    except ControlError as exc:
        _complain(str(exc))
        return WRONG
    except GatehouseError as exc:
        from gatehouse.config import ConfigError  # noqa: PLC0415  # only when something is wrong

        _complain(str(exc))
        return WRONG if isinstance(exc, ConfigError) else NOT_FINE
    except BrokenPipeError:  # `gatehouse events | head`
        sys.stderr.close()
        return FINE
    except KeyboardInterrupt:
        return FINE
    return code


def _parse(argv: list[str]) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config", metavar="FILE", default=argparse.SUPPRESS, help=_("configuration file")
    )
    parser = argparse.ArgumentParser(
        prog="gatehouse",
        parents=[shared],
        description=_("The one-key alarm agent of a school's gatehouse."),
    )
    parser.add_argument("--version", action="version", version=f"gatehouse {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = next((word for word in argv if word in _COMMANDS), None)
    for name, summary in _COMMANDS.items():
        sub = commands.add_parser(name, help=_(summary), description=_(summary), parents=[shared])
        if name == wanted:  # only the command in use is imported
            importlib.import_module(f"gatehouse.cli.{name}").arguments(sub, shared)
    args = parser.parse_args(argv)
    args.config = getattr(args, "config", None)
    return args


def _complain(message: str) -> None:
    print(f"gatehouse: {message}", file=sys.stderr)  # noqa: T201  # messages go to stderr
