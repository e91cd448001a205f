"""``gatehouse-district events``: the event log."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatehouse.cli.figures import moment
from gatehouse.texts import _
from gatehouse_district import event_words
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import look, open_config
from gatehouse_district.cli.screen import console, document, odd, print_json, said, table
from gatehouse_district.cli.words import mode
from gatehouse_district.model import Entry
from gatehouse_district.ports import Records

if TYPE_CHECKING:
    from rich.table import Table


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("events")
    parser = commands.add_parser("events", help=summary, description=summary, parents=[shared])
    parser.add_argument("--gateway", metavar="G", help=_("of this gateway alone"))
    parser.add_argument("--type", metavar="T", help=_("of this type alone, such as alarm.raised"))
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help=_("the newest N events (50)")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show them, oldest first."""
    if args.limit < 1:
        sys.stderr.write("gatehouse-district: " + _("--limit must be at least 1") + "\n")
        return 2
    config = open_config(args.config)

    async def question(records: Records) -> Sequence[Entry]:
        return await records.events(
            gateway=args.gateway, type_=whole_type(args.type), limit=args.limit
        )

    found = list(reversed(look(config, question)))
    if args.json:
        print_json({"events": [document(entry) for entry in found]})
    else:
        console().print(render(found))
    return 0


def whole_type(given: str | None) -> str | None:
    """Return a type as events carry it; people leave ``gatehouse.`` out."""
    if given is None or given.startswith("gatehouse."):
        return given
    return f"gatehouse.{given}"


def render(found: Sequence[Entry]) -> "Table | str":
    """Lay them out; readable at 45 columns."""
    if not found:
        return _("no events")
    rows = table((_("time"), _("event"), _("where")))
    for entry in found:
        at = moment(entry.time)
        rows.add_row(
            said(f"{at.astimezone():%m-%d %H:%M:%S}" if at is not None else entry.time),
            said(what(entry), style="yellow" if entry.odd else ""),
            said(entry.gateway, event_words.whose(str(entry.event.get("subject", "")))),
        )
    return rows


def what(entry: Entry) -> str:
    """Say what happened: its name, then what fault, why, by whom, and what is odd about it."""
    event = entry.event
    words = [event_words.event(str(event.get("type", "?")))]
    if (how := event.get("mode", "real")) != "real":
        words[0] += f" ({mode(str(how))})"
    words += event_words.details(event)
    if entry.odd:
        words.append(odd(entry.odd))
    return " · ".join(words)
