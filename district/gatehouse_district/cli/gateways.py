"""``gatehouse-district gateways``: each gateway, its link, faults, retention and tests."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gatehouse.cli.figures import NONE, ago, listed, moment, number
from gatehouse.texts import _
from gatehouse_district import event_words
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import look, open_config
from gatehouse_district.cli.screen import console, document, plain, print_json, said, table
from gatehouse_district.cli.words import presence, verdict
from gatehouse_district.config import Config
from gatehouse_district.model import Gateway, Tried
from gatehouse_district.ports import Records

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("gateways")
    parser = commands.add_parser("gateways", help=summary, description=summary, parents=[shared])
    parser.add_argument("name", nargs="?", metavar="NAME", help=_("this one alone, in full"))
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show all of them, or one."""
    config = open_config(args.config)

    async def question(records: Records) -> Sequence[Gateway]:
        if args.name is None:
            return await records.gateways()
        one = await records.gateway(args.name)
        return [] if one is None else [one]

    found = look(config, question)
    if args.name is not None and not found:
        unknown = _("no gateway of this name has ever been heard: {name}")
        sys.stderr.write(f"gatehouse-district: {unknown.format(name=plain(args.name))}\n")
        return 2
    if args.json:
        print_json({"gateways": [document(each) for each in found]})
    elif args.name is not None:
        console().print(one_in_full(found[0], datetime.now(UTC)))
    else:
        console().print(render(found, datetime.now(UTC)))
        for said in endings(config, datetime.now(UTC)):
            sys.stderr.write(f"gatehouse-district: {said}\n")
    return 0


def endings(config: Config, now: datetime) -> list[str]:
    """Say which of the district's own certificates end soon."""
    from gatehouse_district.serve.certificates import ending, told  # noqa: PLC0415  # loads cryptography

    return [told(each, config) for each in ending(config, now)]


def render(found: Sequence[Gateway], now: datetime) -> "Table | str":
    """Lay all of them out; readable at 45 columns."""
    if not found:
        return _("no gateway has been heard yet")
    rows = table((_("gateway"), _("link"), _("state"), _("heard")))
    for each in found:
        word, colour = presence(each.presence)
        rows.add_row(
            said(each.school, each.id),
            said(word, style=colour),
            said(*_amiss(each) or [_("no faults")]),
            said(ago(each.heard, now)),
        )
    return rows


def _amiss(one: Gateway) -> list[str]:
    """Say in few words what is not well."""
    lines = []
    if one.open_alarms:
        lines.append(_("open alarms: {n}").format(n=one.open_alarms))
    if one.faults:
        lines.append(_("faults: {n}").format(n=len(one.faults)))
    if one.lacking:
        lines.append(_("events lacking: {n}").format(n=one.lacking))
    short = sum(each.verdict == "short" for each in one.retention)
    if short:
        lines.append(_("cameras kept too short: {n}").format(n=short))
    return lines


def one_in_full(one: Gateway, now: datetime) -> "Group":
    """Lay one out with everything that is known of it."""
    from rich.console import Group  # noqa: PLC0415  # not needed for --json
    from rich.table import Table  # noqa: PLC0415

    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    word, colour = presence(one.presence)
    facts.add_row(_("gateway"), said(f"{one.school} {one.id}".strip()))
    facts.add_row(_("link"), said(listed((word, _at(one.since))), style=colour))
    facts.add_row(_("heard"), said(ago(one.heard, now)))
    facts.add_row(_("version"), said(one.version or NONE))
    facts.add_row(_("clock"), said(_("set") if one.clock == "synced" else one.clock or NONE))
    facts.add_row(_("buttons"), said(listed(one.buttons) or NONE))
    facts.add_row(_("cameras"), said(listed(one.cameras) or NONE))
    facts.add_row(
        _("open alarms"), said(one.open_alarms, style="bold red" if one.open_alarms else "")
    )
    lacks = listed(one.lacks) if one.lacking else ""
    facts.add_row(_("events lacking"), said(f"{one.lacking} {lacks}".strip()))
    facts.add_row(_("walk test"), said(_tried(one.walktest)))
    facts.add_row(_("self-test"), said(_tried(one.selftest)))
    return Group(facts, *_faults(one), *_retention(one))


def _faults(one: Gateway) -> list["Table | str"]:
    if not one.faults:
        return []
    rows = table((_("fault"), _("where"), _("since")))
    for each in one.faults:
        rows.add_row(
            said(event_words.fault(each.fault, each.subject), style="red"),
            said(event_words.whose(each.subject)),
            said(_at(each.since)),
        )
    return ["", rows]


def _retention(one: Gateway) -> list["Table | str"]:
    if not one.retention:
        return []
    rows = table((_("camera"), _("days proven"), _("days due"), ""))
    for each in one.retention:
        word, colour = verdict(each.verdict)
        rows.add_row(
            said(each.camera),
            said(number(each.proven_days, ".1f")),
            said(number(each.required_days)),
            said(word, style=colour),
        )
    return ["", rows]


def _tried(one: Tried | None) -> str:
    return _("never") if one is None else f"{event_words.result(one.result)}  {_at(one.time)}"


def _at(text: str | None) -> str:
    """Write a time by this machine's zone."""
    at = moment(text)
    return NONE if at is None else f"{at.astimezone():%Y-%m-%d %H:%M}"
