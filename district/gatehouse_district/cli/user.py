"""``gatehouse-district user``: who may sign in at the desk, and who did what there."""

import argparse
import asyncio
import getpass
import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from gatehouse.clock import SystemClock
from gatehouse.texts import _
from gatehouse_district.cli import Commands, about
from gatehouse_district.cli.asking import open_config
from gatehouse_district.cli.screen import console, said, table
from gatehouse_district.desk.accounts import Accounts
from gatehouse_district.desk.journal import Action
from gatehouse_district.desk.roles import Role
from gatehouse_district.desk.storage import NAME
from gatehouse_district.errors import AnswerError

T = TypeVar("T")

_ADDRESS: Final = "console"
_LONGEST_FILE: Final = 1024


def add(commands: "Commands[argparse.ArgumentParser]", shared: argparse.ArgumentParser) -> None:
    """Describe the command and what it does."""
    said = about("user")
    parser = commands.add_parser("user", help=said, description=said, parents=[shared])
    doing = parser.add_subparsers(dest="doing", metavar="WHAT", required=True)

    def one(
        name: str, said: str, run: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = doing.add_parser(
            name, help=said, description=said, parents=[shared]
        )
        made.set_defaults(run=run)
        return made

    added = one("add", _("add an account; its password is asked for"), _add)
    added.add_argument("name", metavar="NAME", help=_("name to sign in with"))
    _takes_role(added)
    added.add_argument("--display", metavar="TEXT", default="", help=_("name that others see"))
    _takes_password(added)
    one("list", _("all accounts"), _list)
    role = one("role", _("change what an account may"), _role)
    role.add_argument("name", metavar="NAME", help=_("name of the account"))
    _takes_role(role)
    password = one("password", _("give an account another password"), _password)
    password.add_argument("name", metavar="NAME", help=_("name of the account"))
    _takes_password(password)
    removed = one("remove", _("remove an account; it is signed out at once"), _remove)
    removed.add_argument("name", metavar="NAME", help=_("name of the account"))
    log = one("log", _("who did what at the desk"), _log)
    log.add_argument("--limit", type=int, default=50, metavar="N", help=_("the newest N (50)"))


def _takes_role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        required=True,
        choices=[role.value for role in Role],
        help=_("watch: see; answer: acknowledge too; administer: accounts too"),
    )


def _takes_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-file",
        type=Path,
        metavar="FILE",
        help=_("read the password from the file's first line; - is standard input"),
    )


def _add(args: argparse.Namespace) -> int:
    password = _password_of(args)
    role = Role(args.role)
    by = _by("account-add", args.name, role.value)
    _with(args, lambda it: it.add(args.name, role, password, display=args.display, by=by))
    return 0


def _role(args: argparse.Namespace) -> int:
    role = Role(args.role)
    by = _by("account-role", args.name, role.value)
    _with(args, lambda it: it.set_role(args.name, role, by=by))
    return 0


def _password(args: argparse.Namespace) -> int:
    password = _password_of(args)
    by = _by("account-password", args.name)
    _with(args, lambda it: it.set_password(args.name, password, by=by))
    return 0


def _remove(args: argparse.Namespace) -> int:
    _with(args, lambda it: it.remove(args.name, by=_by("account-remove", args.name)))
    return 0


def _list(args: argparse.Namespace) -> int:
    accounts = _with(args, lambda it: it.all())
    if not accounts:
        sys.stdout.write(_("no accounts") + "\n")
        return 0
    shown = table((_("name"), _("role"), _("shown as")))
    for account in accounts:
        shown.add_row(said(account.name), said(account.role.value), said(account.display))
    console().print(shown)
    return 0


def _log(args: argparse.Namespace) -> int:
    limit = max(1, min(args.limit, 100_000))
    lines = _with(args, lambda it: it.journal.lines(limit=limit))
    shown = table(
        (_("time (UTC)"), _("who"), _("from where"), _("what"), _("on what"), _("how it ended"))
    )
    for line in reversed(lines):
        it = line.action
        when = f"{datetime.fromtimestamp(line.at_s, UTC):%Y-%m-%d %H:%M:%S}"
        ended = f"{it.outcome} {it.detail}".strip()
        shown.add_row(*map(said, (when, it.who, it.address, it.action, it.target, ended)))
    console().print(shown)
    return 0


def _with(args: argparse.Namespace, work: Callable[[Accounts], Awaitable[T]]) -> T:
    """Do something with the accounts; the desk may run meanwhile. Raises DistrictStoreError."""
    path = open_config(args.config).district.state_dir / NAME

    async def doing() -> T:
        accounts = Accounts(path, SystemClock(bootid=""), secrets.token_bytes)
        try:
            return await work(accounts)
        finally:
            accounts.close()

    return asyncio.run(doing())


def _password_of(args: argparse.Namespace) -> str:
    """Ask for a password, or read it; never from the command line, which others can see.

    Raises AnswerError.
    """
    if args.password_file is not None and str(args.password_file) != "-":
        with args.password_file.open(encoding="utf-8") as file:
            return _line(file.readline(_LONGEST_FILE))
    if args.password_file is not None or not sys.stdin.isatty():
        return _line(sys.stdin.readline(_LONGEST_FILE))
    password = getpass.getpass(_("password: "))
    if getpass.getpass(_("the same again: ")) != password:
        raise AnswerError(_("the two passwords are not the same"))
    return password


def _line(text: str) -> str:
    return text.rstrip("\r\n")


def _by(word: str, name: str, detail: str = "") -> Action:
    """Say who wants it: the person behind sudo, where there is one."""
    who = os.environ.get("SUDO_USER") or getpass.getuser()
    return Action(who, _ADDRESS, word, name, detail=detail)
