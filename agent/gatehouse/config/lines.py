"""On which line of a TOML file a key stands. Pure.

tomli does not tell, hence a small scan of its own. It expects text that tomli has accepted, and
is only there for messages: a line it is not sure of is None or that of the table around it.
"""

import re
from collections.abc import Iterator
from typing import Final

KeyPath = tuple[str | int, ...]
"""Where a value stands: table names, key names, and indices into arrays, from 0."""

_TOKEN: Final = re.compile(
    r"""
    "{3} (?: \\. | [^\\] )*? "{3,5}   |   '{3} .*? '{3,5}      # text over several lines
    | " (?: \\. | [^"\\\n] )* "       |   ' [^'\n]* '          # text on one line
    | \#[^\n]*  |  \n  |  [\[\]{}=.]  |  [A-Za-z0-9_-]+  |  [^\s]
    """,
    re.VERBOSE | re.DOTALL,
)
_DEPTH: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


class Lines:
    """The lines of one text; scanned when first asked, as most files have no mistake."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[KeyPath, int] | None = None

    def of(self, path: KeyPath) -> int | None:
        """Return the line of a value, else that of the nearest table around it, from 1."""
        if self._known is None:
            self._known = _scan(self._text)
        for length in range(len(path), 0, -1):
            line = self._known.get(path[:length])
            if line is not None:
                return line
        return None


def _scan(text: str) -> dict[KeyPath, int]:
    known: dict[KeyPath, int] = {}
    tables: dict[KeyPath, int] = {}  # arrays of tables, with the index of their newest one
    here: KeyPath = ()
    for line, words in _statements(text):
        if words[0] != "[":
            _note(known, here, _names(words), line)
            continue
        names = _names([word for word in words if word not in _DEPTH])
        if not names:
            continue
        around = _enter(tables, names[:-1])
        here = (*around, names[-1])
        if words[1:2] == ["["]:
            tables[here] = tables.get(here, -1) + 1
            known.setdefault(here, line)
        here = _enter(tables, (names[-1],), around)
        known.setdefault(here, line)
    return known


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each header and each key (its words up to the equals sign) with its line."""
    line, depth, words, in_value = 1, 0, list[str](), False
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word == "\n" and depth == 0:
            if words and not in_value:
                yield line, words
            words, in_value = [], False
        elif in_value:
            depth += _DEPTH.get(word, 0)
        elif word == "=":
            if words:
                yield line, words
            words, in_value = [], True
        elif word[0] not in "#\n":
            words.append(word)
        line += word.count("\n")
    if words and not in_value:
        yield line, words


def _names(words: list[str]) -> tuple[str, ...]:
    return tuple(word.strip("\"'") for word in words if word != ".")


def _enter(tables: dict[KeyPath, int], names: tuple[str, ...], start: KeyPath = ()) -> KeyPath:
    """Follow names down, into the newest table of each array of tables."""
    path = start
    for name in names:
        path = (*path, name)
        if path in tables:
            path = (*path, tables[path])
    return path


def _note(known: dict[KeyPath, int], here: KeyPath, names: tuple[str, ...], line: int) -> None:
    for length in range(1, len(names) + 1):
        known.setdefault((*here, *names[:length]), line)
