"""``gatehouse selftest``: run the checks, one line each, and tell the district how they ended."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from gatehouse import config, texts
from gatehouse.checks import frame
from gatehouse.checks.catalog import ALL
from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Outcome, Result
from gatehouse.cli.asking import config_path, socket_path
from gatehouse.cli.checked_lines import Lines
from gatehouse.cli.screen import console, print_json
from gatehouse.clock import open_clock
from gatehouse.config import Config, Loaded
from gatehouse.control import client
from gatehouse.errors import ControlError, NotRunningError
from gatehouse.texts import _
from gatehouse.uplink import probe

_POLITE: Final = 10
_EXPENDABLE: Final = "500"


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))
    parser.add_argument("--list", action="store_true", help=_("name the checks, run none"))
    parser.add_argument(
        "--only",
        type=_chosen,
        metavar="A,B",
        help=_("run these checks alone; they are not reported to the district"),
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the checks that are wanted; 1 when any fails."""
    wanted: tuple[Check, ...] = args.only or ALL
    if args.list:
        return _list(args.config, wanted, json=args.json)
    if args.child:
        _give_way()
    loaded = config.read_for_alarm(config_path(args.config), os.environ)
    texts.use(loaded.config.gateway.language)
    done = _with_json(loaded, wanted) if args.json else _with_lines(loaded, wanted)
    report = frame.report(done)
    if args.json:
        print_json(report)
    if not args.only and not args.child:
        _tell(loaded.config, report)
    return int(report["result"] == Result.FAIL)


def _chosen(names: str) -> tuple[Check, ...]:
    known = {check.name: check for check in ALL}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    strange = [name for name in wanted if name not in known]
    if strange or not wanted:
        said = _("no check {name}; there are: {known}")
        name = ", ".join(strange)
        raise argparse.ArgumentTypeError(said.format(name=name, known=", ".join(known)))
    return tuple(check for check in ALL if check.name in wanted)


def _list(given: str | None, wanted: Iterable[Check], *, json: bool) -> int:
    with contextlib.suppress(config.ConfigError):  # then the locale's language does
        loaded = config.read_for_alarm(config_path(given), os.environ)
        texts.use(loaded.config.gateway.language)
    rows = [{"name": check.name, "title": _(check.title)} for check in wanted]
    if json:
        print_json({"checks": rows})
        return 0
    width = max(len(row["name"]) for row in rows)
    sys.stdout.writelines(f"{row['name']:<{width}}  {row['title']}\n" for row in rows)
    return 0


def _give_way() -> None:
    """Be the first to wait and to be killed: the alarm service, which started us, goes first."""
    os.nice(_POLITE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_EXPENDABLE, encoding="ascii")


def _with_json(loaded: Loaded, wanted: Iterable[Check]) -> list[Outcome]:
    return _run(_context(loaded), wanted, lambda _check: None, lambda _outcome: None)


def _with_lines(loaded: Loaded, wanted: Iterable[Check]) -> list[Outcome]:
    lines = Lines(console(), ALL)
    somebody = sys.stdin.isatty() and lines.screen.is_terminal
    context = _context(loaded, lines.ask if somebody else None)
    try:
        done = _run(context, wanted, lines.begins, lines.ended)
    finally:
        lines.close()
    lines.sum_up(done)
    return done


def _context(loaded: Loaded, person: Callable[[str], bool] | None = None) -> Context:
    conf = loaded.config
    clock = open_clock(os.environ.get("GATEHOUSE_CLOCK"), os.environ.get("GATEHOUSE_BOOTID"))
    return Context(
        config=conf,
        clock=clock,
        mistakes=loaded.mistakes,
        from_last_good=loaded.from_last_good,
        probe=lambda: probe.brokers(conf.gateway.id, conf.district, clock),
        person=person,
    )


def _run(
    context: Context,
    wanted: Iterable[Check],
    begins: Callable[[Check], None],
    ended: Callable[[Outcome], None],
) -> list[Outcome]:
    """Run one check after the other: what they measure is not each other."""

    async def all_of_them() -> list[Outcome]:
        done = []
        for check in wanted:
            begins(check)
            outcome = await frame.carry_out(check, context)
            ended(outcome)
            done.append(outcome)
        return done

    return asyncio.run(all_of_them())


def _tell(conf: Config, report: dict[str, Any]) -> None:
    """Have the service store the report and send it; say so where it cannot."""
    try:
        client.ask(socket_path(conf), {"do": "selftest-report", "report": report})
    except (NotRunningError, ControlError) as exc:
        said = _("not reported to the district: {why}").format(why=exc)
        sys.stderr.write(f"gatehouse: {said}\n")
