"""How results look. What a gateway said of itself is a stranger's word: it moves no cursor here."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from gatehouse.cli.screen import console
from gatehouse.texts import _

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["console", "document", "odd", "plain", "print_json", "said", "table"]

MOST: Final = 200
"""Characters of one text that are shown; the document has them all."""
ODD_MOST: Final = 40


def plain(text: object, most: int = MOST) -> str:
    """Return a text without anything that a terminal obeys or that turns it around (bidi)."""
    whole = str(text).replace("\N{IDEOGRAPHIC SPACE}", " ")
    cut = whole if len(whole) <= most else whole[: most - 1] + "…"
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut
    )


def odd(text: str) -> str:
    """Say in short what of an event does not fit the contract; the document says it in full."""
    return _("not as agreed: {what}").format(what=plain(text, ODD_MOST))


def said(*lines: object, style: str = "") -> "Text":
    """Return lines for a cell; nothing in them is markup."""
    from rich.text import Text  # noqa: PLC0415  # not needed for --json

    return Text("\n".join(plain(line) for line in lines if str(line)), style=style)


def table(titles: Sequence[str]) -> "Table":
    """Return a table that folds rather than cuts."""
    from rich.table import Table  # noqa: PLC0415  # not needed for --json

    made = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        made.add_column(title, overflow="fold")
    return made


def document(of: Any) -> dict[str, Any]:  # noqa: ANN401  # any dataclass instance
    """Return a dataclass as a document has it."""
    found: dict[str, Any] = asdict(of)
    return found


def print_json(found: dict[str, Any]) -> None:
    """Print one document and nothing else; what a terminal would obey is written as its number."""
    text = json.dumps(found, ensure_ascii=False)
    sys.stdout.write("".join(map(_harmless, text)) + "\n")
    sys.stdout.flush()


def _harmless(letter: str) -> str:
    return letter if letter.isprintable() or letter == "\N{IDEOGRAPHIC SPACE}" else _number(letter)


def _number(letter: str) -> str:
    """Write a character as JSON's own escape; it can only stand inside of a text."""
    return json.dumps(letter, ensure_ascii=True)[1:-1]
