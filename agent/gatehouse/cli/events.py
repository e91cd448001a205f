"""``gatehouse events``: the event log, and what still waits for the district."""

import argparse
import sys
from typing import Any

from gatehouse.cli.asking import ask
from gatehouse.cli.figures import length, span
from gatehouse.cli.screen import console, print_json
from gatehouse.cli.words import fault
from gatehouse.texts import _


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--pending", action="store_true", help=_("only what the district lacks"))
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help=_("the newest N events (50)")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))


def run(args: argparse.Namespace) -> int:
    """Ask and show, oldest first."""
    if args.limit < 1:
        sys.stderr.write(_("gatehouse: --limit must be at least 1") + "\n")
        return 2
    answer = ask(args.config, {"do": "events", "limit": args.limit, "pending": args.pending})
    if args.json:
        print_json({"events": answer["events"]})
    else:
        console().print(_table(answer["events"]))
    return 0


def _table(rows: list[dict[str, Any]]) -> Any:  # noqa: ANN401  # rich's renderables share no class
    from rich.markup import escape  # noqa: PLC0415  # not needed for --json
    from rich.table import Table  # noqa: PLC0415

    if not rows:
        return _("no events")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in (_("time (UTC)"), _("event"), _("where"), ""):
        table.add_column(title, overflow="fold")
    waiting = "[yellow]" + _("waiting") + "[/]"
    for event in rows:
        table.add_row(
            str(event["time"])[:19].replace("T", " "),
            escape(_what(event)),
            escape(str(event["subject"])),
            waiting if event["pending"] else "",
        )
    return table


def _what(event: dict[str, Any]) -> str:
    """Say what happened: the type, then what fault, or from when to when."""
    kind, data = str(event["type"]).removeprefix("gatehouse."), event["data"]
    said = [kind]
    if named := data.get("fault"):
        said.append(fault(str(named), str(event["subject"])))
    if kind.startswith("recording.") and "from" in data:
        said.append(span(data["from"], data.get("to")))
        if isinstance(data.get("seconds"), int | float):
            said.append(f"({length(data['seconds'])})")
    if event["mode"] != "real":
        said.append(f"({event['mode']})")
    return " ".join(said)
