"""``gatehouse-district export``: the event log of a span of time, as a file."""

import argparse
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from gatehouse import files
from gatehouse.cli.figures import moment
from gatehouse.cli.report import span_arguments
from gatehouse.texts import _
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import look, open_config
from gatehouse_district.cli.written import FORMS, Form
from gatehouse_district.model import Entry
from gatehouse_district.ports import Records

_PAGE: Final = 500
_SLACK: Final = timedelta(days=1)
"""How far a gateway's clock may run ahead of ours: no event comes before it has happened."""


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    summary = about("export")
    parser = commands.add_parser("export", help=summary, description=summary, parents=[shared])
    span_arguments(parser)
    parser.add_argument("--gateway", metavar="G", help=_("of this gateway alone"))
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE",
        help=_("FILE.csv for a spreadsheet, FILE.json for one JSON object a line; newest first"),
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them, whole or not at all."""
    config = open_config(args.config)
    begin, end = args.begin.begin, args.end.end
    form = FORMS.get(args.out.suffix.lower())
    if form is None:
        return _wrong(_("--out must end with one of: {ends}").format(ends=", ".join(FORMS)))
    if begin >= end:
        return _wrong(_("--from must be before --to"))

    async def question(records: Records) -> int:
        return await _write(args.out, form, _within(records, args.gateway, begin, end))

    count = look(config, question)
    said = _("written: {path} ({count} events)").format(path=args.out, count=count)
    sys.stdout.write(said + "\n")
    return 0


def _wrong(message: str) -> int:
    sys.stderr.write(f"gatehouse-district: {message}\n")
    return 2


async def _within(
    records: Records, gateway: str | None, begin: datetime, end: datetime
) -> AsyncIterator[Entry]:
    """Give what happened in the span, the newest first by when it came."""
    before: int | None = None
    while page := await records.events(gateway=gateway, limit=_PAGE, before=before):
        for entry in page:
            at = moment(entry.time) or moment(entry.arrived) or datetime.now(UTC)
            if begin <= at < end:
                yield entry
        before = page[-1].position
        arrived = moment(page[-1].arrived)
        if arrived is not None and arrived < begin - _SLACK:
            return


async def _write(path: Path, form: Form, entries: AsyncIterator[Entry]) -> int:
    count = 0
    with files.lent(path, mode=0o640) as file:
        file.write(form.head.encode())
        async for entry in entries:
            file.write(form.line(entry).encode(errors="backslashreplace"))
            count += 1
    return count
