"""``gatehouse evidence``: what was kept around an alarm, and whether it is still as it was."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gatehouse import texts
from gatehouse.cli import evidence_documents as documents
from gatehouse.cli import evidence_lines as lines
from gatehouse.cli import evidence_log
from gatehouse.cli.asking import open_config
from gatehouse.cli.screen import console, print_json
from gatehouse.config.model import Config
from gatehouse.control import client
from gatehouse.evidence import bundles, verify
from gatehouse.evidence.bundles import Bundle, UnknownBundleError
from gatehouse.evidence.chain import Chain, chain
from gatehouse.texts import _

_LONG_BYTES: Final = 20_000_000
"""From here on reading takes so long that one wants to see it go on."""

Progress = Callable[[int], None]


def arguments(parser: argparse.ArgumentParser, shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    actions = parser.add_subparsers(
        dest="action", metavar="list|show|export|verify|release", required=True
    )

    def add(name: str, said: str, *, as_json: bool = False) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=said, description=said, parents=[shared])
        if as_json:
            action.add_argument(
                "--json", action="store_true", help=_("one JSON document, nothing else")
            )
        return action

    alarm = _("the alarm's id, or an end or beginning of it that no other has")
    add("list", _("list what is kept"), as_json=True)
    show = add("show", _("show one alarm's evidence, in the order of time"), as_json=True)
    show.add_argument("alarm", metavar="ALARM", help=alarm)
    check = add("verify", _("prove that nothing was changed"), as_json=True)
    check.add_argument("alarms", metavar="ALARM", nargs="*", help=alarm)
    export = add("export", _("write one zip, with a page that shows it all"))
    export.add_argument("alarm", metavar="ALARM", help=alarm)
    export.add_argument("--out", metavar="FILE", required=True, help=_("write the zip here"))
    release = add("release", _("let evidence be deleted when room is needed"))
    release.add_argument("alarm", metavar="ALARM", help=alarm)
    release.add_argument("--by", metavar="NAME", required=True, help=_("who lets it go"))


def run(args: argparse.Namespace) -> int:
    """Do what was asked, by the folder itself; only to let go is the service asked."""
    conf = open_config(args.config)
    actions = {
        "list": _list,
        "show": _show,
        "verify": _verify,
        "export": _export,
        "release": _release,
    }
    try:
        return actions[args.action](conf, args)
    except UnknownBundleError as exc:
        sys.stderr.write(f"gatehouse: {exc}\n")
        return 2


def _root(conf: Config) -> Path:
    return conf.gateway.state_dir / "evidence"


def _read(conf: Config, given: str) -> Bundle:
    root = _root(conf)
    return bundles.read(root, bundles.find(root, given))


def _all(conf: Config) -> Iterator[Bundle]:
    """Yield every bundle; one that is taken down meanwhile is none any more."""
    for name in bundles.names(_root(conf)):
        with contextlib.suppress(FileNotFoundError):
            yield bundles.read(_root(conf), name)


def _list(conf: Config, args: argparse.Namespace) -> int:
    document = documents.listed(_all(conf))
    if args.json:
        print_json(document)
        return 0
    screen = console()
    screen.print(lines.table(document, screen.width))
    return 0


def _show(conf: Config, args: argparse.Namespace) -> int:
    bundle = _read(conf, args.alarm)
    document = documents.shown(bundle)
    if args.json:
        print_json(document)
    else:
        console().print(lines.bundle(document))
    return 0 if bundle.manifest is not None else 1


def _verify(conf: Config, args: argparse.Namespace) -> int:
    found = [_read(conf, given) for given in args.alarms] or list(_all(conf))
    log = evidence_log.read(conf)
    rows = []
    with _progress(found, _("reading")) as progress:
        for bundle in found:
            findings = verify.check(bundle, progress)
            told = None
            if bundle.manifest is not None:
                told = chain(bundle.manifest, bundle.manifest_body, log)
            rows.append(documents.verified(bundle, findings, told))
    document = documents.judged(rows)
    if args.json:
        print_json(document)
    else:
        console().print(lines.verdicts(document))
    return 0 if document["result"] == "OK" else 1


def _export(conf: Config, args: argparse.Namespace) -> int:
    from gatehouse.evidence import export  # noqa: PLC0415  # zipfile is not needed for the others
    from gatehouse.evidence.page import Shown, page  # noqa: PLC0415  # the same
    from gatehouse.evidence.page_figures import Times  # noqa: PLC0415  # the same

    bundle, out = _read(conf, args.alarm), Path(args.out)
    manifest = bundle.manifest
    if manifest is None:
        said = _("{folder} cannot be exported ({damage}): copy the folder as it is")
        sys.stderr.write(
            "gatehouse: " + said.format(folder=bundle.folder, damage=bundle.damage) + "\n"
        )
        return 1
    told: Chain = chain(manifest, bundle.manifest_body, evidence_log.read(conf))
    made = datetime.now(UTC)
    times = Times(lambda at: at.astimezone())
    language = conf.gateway.language or texts.language_of(os.environ)
    with _progress([bundle], _("writing")) as progress:
        findings = export.write(
            bundle,
            manifest,
            out,
            page=lambda found: page(
                Shown(bundle, manifest, found, told, made, times), language=language
            ),
            made=made,
            progress=progress,
        )
    document = documents.judged([documents.verified(bundle, findings, told)])
    if document["result"] != "OK":
        console().print(lines.verdicts(document))
    sys.stdout.write(_("written: {path}").format(path=out) + "\n")
    return 0 if document["result"] == "OK" else 1


def _release(conf: Config, args: argparse.Namespace) -> int:
    by = args.by.strip()
    if not by:
        sys.stderr.write(_("gatehouse: --by must be a name") + "\n")
        return 2
    alarm = bundles.find(_root(conf), args.alarm)
    request = {"do": "evidence-release", "alarm": alarm, "by": by, "via": "site"}
    path = conf.gateway.runtime_dir / "video.sock"
    answer = client.ask(path, request, unit=client.VIDEO)
    said = _("{alarm}: released before") if answer.get("already") else _("{alarm}: released")
    sys.stdout.write(said.format(alarm=alarm) + "\n")
    return 0


@contextlib.contextmanager
def _progress(found: Sequence[Bundle], doing: str) -> Iterator[Progress]:
    """Show a person at a terminal how far reading has come, where that takes long."""
    whole = sum(bundle.bytes for bundle in found)
    if whole < _LONG_BYTES or not sys.stderr.isatty():
        yield lambda _bytes: None
        return
    from rich.console import Console  # noqa: PLC0415  # not needed otherwise
    from rich.progress import Progress as Bar  # noqa: PLC0415  # the same

    with Bar(console=Console(stderr=True), transient=True) as shown:
        task: Any = shown.add_task(doing, total=whole)
        yield lambda count: shown.advance(task, count)
