"""``gatehouse-district alarms``: open alarms, and who answers them."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gatehouse.cli.figures import ago, moment
from gatehouse.texts import _
from gatehouse_district import event_words
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import look, open_config, stream
from gatehouse_district.cli.screen import console, document, odd, print_json, said, table
from gatehouse_district.cli.words import mode, stage
from gatehouse_district.config import Config
from gatehouse_district.model import Alarm, Stage
from gatehouse_district.ports import Records

if TYPE_CHECKING:
    from rich.table import Table

ID_END: Final = 8
"""Letters of an id that are shown: its random end, by which `acknowledge` finds it."""


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("alarms")
    parser = commands.add_parser(
        "alarms",
        help=summary,
        description=summary,
        epilog=_("Exit code 1: a real alarm is open that nobody has answered."),
        parents=[shared],
    )
    parser.add_argument(
        "--all", action="store_true", help=_("also tests, drills, and what was reset")
    )
    parser.add_argument(
        "--limit", type=int, default=1000, metavar="N", help=_("the newest N (1000)")
    )
    parser.add_argument("--watch", action="store_true", help=_("show every change until Ctrl-C"))
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show them, the newest first; with ``--watch``, as often as something changes."""
    if args.limit < 1:
        sys.stderr.write("gatehouse-district: " + _("--limit must be at least 1") + "\n")
        return 2
    config = open_config(args.config)
    if args.watch:
        with contextlib.suppress(KeyboardInterrupt):  # that is how one ends it
            return _watch(config, args)
        return 0
    found = _found(config, args)
    if args.json:
        print_json(_document(found))
    else:
        console().print(render(found, datetime.now(UTC)))
    return 1 if any(map(unanswered, found)) else 0


def unanswered(alarm: Alarm) -> bool:
    """Whether somebody has pressed in earnest and nobody has answered."""
    return alarm.stage is Stage.RECEIVED and alarm.mode == "real"


def _found(config: Config, args: argparse.Namespace) -> Sequence[Alarm]:
    async def question(records: Records) -> Sequence[Alarm]:
        return await records.alarms(open_only=not args.all, limit=args.limit)

    return look(config, question)


def _document(found: Sequence[Alarm]) -> dict[str, object]:
    return {"alarms": [document(alarm) for alarm in found]}


def _watch(config: Config, args: argparse.Namespace) -> int:
    if args.json:
        for _change in stream(config, {"do": "watch"}):
            print_json(_document(_found(config, args)))
        return 0
    from rich.live import Live  # noqa: PLC0415  # only when watching

    with Live(console=console(), auto_refresh=False) as live:
        for _change in stream(config, {"do": "watch"}):
            live.update(render(_found(config, args), datetime.now(UTC)), refresh=True)
    return 0


def render(found: Sequence[Alarm], now: datetime) -> "Table | str":
    """Lay them out for a person; readable at 45 columns."""
    if not found:
        return _("no open alarms")
    rows = table((_("state"), _("where"), _("time"), _("alarm")))
    for alarm in found:
        word, colour = stage(alarm.stage)
        colour = colour if alarm.mode == "real" else "dim"
        who = alarm.acknowledged_by or alarm.reset_by
        rows.add_row(
            said(word, who and f"({who})", event_words.reset(alarm.reset_reason), style=colour),
            said(alarm.school or alarm.gateway, alarm.location or alarm.button, *_remarks(alarm)),
            said(*_when(alarm, now)),
            said(alarm.id[-ID_END:], style="dim"),
        )
    return rows


def _when(alarm: Alarm, now: datetime) -> list[str]:
    """Say when, by this machine's zone; where its clock was not set, when it came here."""
    unsure = alarm.clock == "unsynced"
    counted = alarm.arrived if unsure else alarm.time
    at = moment(counted)
    local = at.astimezone() if at is not None else None
    lines = [f"{local:%m-%d %H:%M:%S}" if local is not None else "?", ago(counted, now)]
    return [*lines, _("clock not set")] if unsure else lines


def _remarks(alarm: Alarm) -> list[str]:
    remarks = [] if alarm.mode == "real" else [mode(alarm.mode)]
    if alarm.presses > 1:
        remarks.append(_("presses: {n}").format(n=alarm.presses))
    if alarm.held_at_start:
        remarks.append(_("held at start"))
    if alarm.pictures:
        remarks.append(_("pictures: {n}").format(n=alarm.pictures))
    if alarm.odd:
        remarks.append(odd(alarm.odd))
    return remarks
