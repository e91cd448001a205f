"""``gatehouse report``: the inspector's page of a span of time, or the same as JSON."""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from gatehouse import files, texts
from gatehouse.cli.asking import open_config, socket_path
from gatehouse.cli.screen import print_json
from gatehouse.cli.words import fault
from gatehouse.config.model import Config
from gatehouse.control import client
from gatehouse.errors import ControlError, NotRunningError
from gatehouse.outbox.past import of_closed_file
from gatehouse.report import log
from gatehouse.report.document import document
from gatehouse.report.facts import Facts, Sources, gather
from gatehouse.report.page import page
from gatehouse.report.span import Span
from gatehouse.texts import _

_ANSWER_S: Final = 30.0
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    span_arguments(parser)
    parser.add_argument("--out", metavar="FILE", help=_("write the page to this file"))
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))


def span_arguments(parser: argparse.ArgumentParser) -> None:
    """Ask for a span of time: `begin` and `end`, each a `Span`."""
    day = _("a day (2026-11-01) or an RFC 3339 time")
    parser.add_argument(
        "--from", dest="begin", type=given, required=True, metavar="D", help=_("from: ") + day
    )
    parser.add_argument(
        "--to", dest="end", type=given, required=True, metavar="D",
        help=_("to, a day included: ") + day,
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Ask the services, or read the log of one that does not run, and write the page."""
    conf = open_config(args.config)
    span = Span(args.begin.begin, args.end.end)
    now = _now()
    if span.begin >= span.end or span.begin >= now:
        sys.stderr.write(_("gatehouse: --from must be before --to, and in the past") + "\n")
        return 2
    facts = gather(conf, span, now, sources(conf))
    if args.out is not None:
        write(Path(args.out), html(conf, facts))
    if args.json:
        print_json(document(facts))
    elif args.out is None:
        sys.stdout.write(html(conf, facts))
    else:
        sys.stdout.write(_("written: {path}").format(path=args.out) + "\n")
    return 0


def given(text: str) -> Span:
    """Read a local day, or an RFC 3339 time (without a zone: local), which has no length."""
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
            begin, end = (datetime.combine(d, time()) for d in (day, day + timedelta(days=1)))
            return Span(begin.astimezone(), end.astimezone())
        read = datetime.fromisoformat(text).astimezone()
        return Span(read, read)
    except (ValueError, OverflowError) as exc:
        said = _("neither a day (2026-11-01) nor an RFC 3339 time: {text}")
        raise argparse.ArgumentTypeError(said.format(text=text)) from exc


def html(conf: Config, facts: Facts) -> str:
    """Return the page in the language in use, by the machine's own zone."""
    language = conf.gateway.language or texts.language_of(os.environ)
    return page(facts, language=language, local=lambda at: at.astimezone(), fault_word=fault)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError."""
    with files.lent(path, mode=0o644) as file:
        file.write(text.encode(errors="replace"))


def sources(conf: Config) -> Sources:
    """Ask everybody. Raises NotRunningError where there is no log, OutboxError, ControlError."""
    try:
        found, runs_now = [log.row_of(each) for each in _asked(conf)], True
    except NotRunningError:
        path = conf.gateway.state_dir / "outbox.db"
        if not path.exists():
            raise
        found, runs_now = [log.row(each.json()) for each in of_closed_file(path, log.TYPES)], False
    rows = [row for row in found if row is not None]
    recordings, cameras, silence = _video(conf)
    return Sources(rows, len(found) - len(rows), runs_now, recordings, cameras, silence)


def _asked(conf: Config) -> Iterator[Any]:
    after: int | None = 0
    while after is not None:
        request = {"do": "history", "types": list(log.TYPES), "after": after}
        answer = client.ask(socket_path(conf), request, _ANSWER_S)
        yield from answer["events"]
        after = answer["next"]


def _video(conf: Config) -> tuple[dict[str, Any] | None, dict[str, Any] | None, str | None]:
    """Return what the video service says of recordings and cameras, or why it does not."""
    if not conf.cameras:
        return None, None, None
    path = conf.gateway.runtime_dir / "video.sock"
    try:
        said = [
            client.ask(path, {"do": do}, _ANSWER_S, unit=client.VIDEO)
            for do in ("recordings", "cameras")
        ]
    except (NotRunningError, ControlError) as exc:
        return None, None, str(exc)
    return said[0], said[1], None


def _now() -> datetime:
    return datetime.now(UTC)
