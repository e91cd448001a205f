"""``gatehouse enrol``: the gateway's certificate, by file, by a one-time code, and anew in time."""

import argparse
import sys
from pathlib import Path
from typing import Final

from gatehouse.cli import extras
from gatehouse.config import addresses, values
from gatehouse.texts import _

_ID: Final = values.matching(values.GATEWAY_ID)


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--code", metavar="CODE", help=_("one-time code from the district, with --at")
    )
    what.add_argument(
        "--request", metavar="FILE", type=Path, help=_("make a key, and write a request to FILE")
    )
    what.add_argument(
        "--install", metavar="CERT", type=Path, help=_("put a signed certificate in its place")
    )
    what.add_argument(
        "--renew", action="store_true", help=_("get a new one after two thirds of its life")
    )
    parser.add_argument(
        "--at", metavar="URL", type=_url, help=_("https://host:port of the district")
    )
    parser.add_argument("--ca", metavar="CA", type=Path, help=_("the authority's certificate"))
    parser.add_argument(
        "--gateway", metavar="ID", type=_id, help=_("id, where there is no configuration yet")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON document, nothing else"))


def run(args: argparse.Namespace) -> int:
    """Do what is asked; 1 when it did not work, 2 for what cannot be asked so."""
    if extras.lacking_enrol():
        return 2
    if bool(args.code) and not args.at:
        return _wrong(_("--code needs --at, the address of the district"))
    if args.ca and not args.install:
        return _wrong(_("--ca goes with --install"))
    if args.json and not args.renew:
        return _wrong(_("--json goes with --renew"))
    from gatehouse.cli import enrolling  # noqa: PLC0415  # what it needs was missing until here

    return enrolling.renew(args) if args.renew else enrolling.first_one(args)


def _url(given: str) -> str:
    return _checked(addresses.https, given)


def _id(given: str) -> str:
    return _checked(_ID, given)


def _checked(check: values.Check[str], given: str) -> str:
    try:
        return check(given)
    except values.WrongError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _wrong(why: str) -> int:
    sys.stderr.write(f"gatehouse: {why}\n")
    return 2
