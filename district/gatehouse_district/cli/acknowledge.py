"""``gatehouse-district acknowledge``: answer an alarm in a person's name."""

import argparse
import sys
from typing import Final

from gatehouse.errors import ControlError
from gatehouse.texts import _
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import ask, look, open_config
from gatehouse_district.config import Config
from gatehouse_district.ports import Records

SHORTEST: Final = 6
"""Letters of an id's end by which an alarm may be named."""
_WHOLE: Final = 36


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("acknowledge")
    parser = commands.add_parser("acknowledge", help=summary, description=summary, parents=[shared])
    parser.add_argument(
        "alarm", metavar="ALARM", help=_("its id, or the end of it, as `alarms` shows it")
    )
    parser.add_argument("--by", required=True, metavar="NAME", help=_("who answers"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Have the service answer; on its disk, and on its way to the gateway, when this returns."""
    config = open_config(args.config)
    whole = args.alarm if len(args.alarm) >= _WHOLE else _whole(config, args.alarm)
    ask(config, {"do": "acknowledge", "alarm": whole, "by": args.by})
    sys.stdout.write(_("answered: {alarm}, by {name}").format(alarm=whole, name=args.by) + "\n")
    return 0


def _whole(config: Config, end: str) -> str:
    """Return the id of the one open alarm that ends so. Raises ControlError."""

    async def question(records: Records) -> list[str]:
        return [alarm.id for alarm in await records.alarms()]

    found = [id_ for id_ in look(config, question) if id_.endswith(end.lower())]
    if len(end) < SHORTEST or not found:
        raise ControlError(
            _("no open alarm ends with {end}; see: {command}").format(
                end=end, command="gatehouse-district alarms"
            )
        )
    if len(found) > 1:
        raise ControlError(
            _("several open alarms end with {end}; write more of the id").format(end=end)
        )
    return found[0]
