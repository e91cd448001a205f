"""``gatehouse setup``: ask a technician, prove each answer, write the configuration."""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gatehouse.cli.asking import config_path
from gatehouse.cli.screen import console
from gatehouse.clock import open_clock
from gatehouse.errors import SetupError
from gatehouse.setup import session
from gatehouse.texts import _

if TYPE_CHECKING:
    from rich.console import Console


class Terminal:
    """A screen of any width, and a keyboard."""

    def __init__(self, console: "Console", keyboard: TextIO) -> None:
        self._console = console
        self._keyboard = keyboard

    def say(self, text: str = "") -> None:
        """Show it, broken into lines where words end."""
        self._console.print(text, markup=False)

    def verbatim(self, text: str) -> None:
        """Show it as one line, which the terminal itself may break."""
        self._console.print(text, markup=False, soft_wrap=True)

    def ask(self, question: str) -> str:
        """Ask, and read a line. Raises EOFError at the end of what is typed, SetupError."""
        self._console.print(question, end=" ", markup=False)
        try:
            said = self._keyboard.readline()
        except UnicodeDecodeError as exc:
            raise SetupError(_("what was typed is not UTF-8: nothing was written")) from exc
        if not said:
            raise EOFError
        return said.strip()


def arguments(parser: argparse.ArgumentParser, _shared: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "--answers", metavar="FILE", help=_("take all answers from this file; nothing is asked")
    )


def run(args: argparse.Namespace) -> int:
    """Set up; 1 when something is not proven, 2 when nothing was written."""
    site = session.Site(
        target=config_path(args.config),
        environ=os.environ,
        clock=open_clock(os.environ.get("GATEHOUSE_CLOCK"), os.environ.get("GATEHOUSE_BOOTID")),
        now=lambda: datetime.now().astimezone(),
    )
    given = Path(args.answers).absolute() if args.answers else None
    try:
        proven = session.run(Terminal(console(), sys.stdin), site, given)
    except SetupError as exc:
        return _nothing(str(exc))
    except EOFError:
        return _nothing(_("no more answers: nothing was written"))
    return 0 if proven else 1


def _nothing(why: str) -> int:
    sys.stderr.write(f"gatehouse: {why}\n")
    return 2
