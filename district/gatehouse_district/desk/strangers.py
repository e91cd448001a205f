"""What gateways and browsers say is strangers' word: made harmless before it is shown. Pure.

Escaping is the template's (autoescape). Here goes what escaping leaves: control characters, marks
that turn the direction of the text around them, halves of characters, and sheer length.
"""

import json
import unicodedata
from typing import Final
from urllib.parse import quote

_HARMFUL: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_TURNING: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_JOINER: Final = "\u200d"
"""Of the marks that nobody sees the one that some scripts and emoji need."""
_MARKS: Final = 4
"""Combining marks on one letter; more would grow over the lines above and below."""
_LONGEST_JSON: Final = 6_000
_LONGEST_ID: Final = 200


def cut(text: object, length: int = 80) -> str:
    """Return a text on one line, at most ``length`` characters, an ellipsis where it was longer."""
    said = str(text)
    return _harmless(" ".join(said[: length * 4].split()), length, len(said) > length * 4)


def lines(text: object, length: int = 4_000) -> str:
    """Return a text that may have several lines."""
    said = str(text)
    kept = [_harmless(line, length, longer=False) for line in said[:length].splitlines()]
    return "\n".join(kept) + ("…" if len(said) > length else "")


def quoted(text: object) -> str:
    """Return a text as one part of a path; no id is longer."""
    return quote(str(text)[:_LONGEST_ID], safe="", errors="replace")


def pretty(value: object) -> str:
    """Return data as indented JSON, harmless and cut."""
    try:
        said = json.dumps(value, ensure_ascii=False, indent=1, default=str)
    except (ValueError, RecursionError):
        return "…"
    return lines(said, _LONGEST_JSON)


def _harmless(text: str, length: int, longer: bool) -> str:
    kept: list[str] = []
    marks = 0
    for each in text:
        category = unicodedata.category(each)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if each in _TURNING or category in _HARMFUL:
            each = "\ufffd"  # noqa: PLW2901  # the letter as it is kept
        elif marks > _MARKS or (category == "Cf" and each != _JOINER):
            continue
        if len(kept) == length:
            longer = True
            break
        kept.append(each)
    return "".join(kept[: length - 1] if longer else kept) + ("…" if longer else "")
