"""One TOML file as far as it can be read at all, before anybody asks what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from gatehouse.config.mistakes import FILE, Mistake
from gatehouse.texts import _

LARGEST: Final = 256 * 1024
"""Bytes a configuration may have; 60 buttons and cameras with long comments need a tenth."""


@dataclass(frozen=True, slots=True)
class Document:
    """What one file holds; ``mistake`` says why ``found`` is None."""

    text: str = ""
    found: Mapping[str, Any] | None = None
    mistake: Mistake | None = None


def read_document(file: Path) -> Document:
    """Read a file as TOML 1.1; raises nothing, whatever it holds."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        reason = getattr(exc, "strerror", None) or str(exc)
        return _unusable(_("cannot be read: {reason}").format(reason=reason))
    text = content.decode("utf-8", "replace")
    trouble = _trouble(content)
    if trouble is not None:
        return _unusable(trouble[0], trouble[1], text)
    try:
        return Document(text, tomli.loads(text))
    except tomli.TOMLDecodeError as exc:
        said = _("is not TOML: {reason}, column {column}")
        return _unusable(said.format(reason=exc.msg, column=exc.colno), exc.lineno, text)
    except (ValueError, RecursionError) as exc:  # a number of 5000 digits; brackets 1000 deep
        return _unusable(_("is not TOML: {reason}").format(reason=exc), None, text)


def _trouble(content: bytes) -> tuple[str, int | None] | None:
    """Say what keeps these bytes from being a text file at all, and in which line."""
    if len(content) > LARGEST:
        return _("is larger than {most} KiB").format(most=LARGEST // 1024), None
    if content.startswith(b"\xef\xbb\xbf"):
        return _("begins with a byte order mark; save it as UTF-8 without BOM"), 1
    if b"\0" in content:
        return _("holds a NUL byte"), content.count(b"\n", 0, content.index(b"\0")) + 1
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as exc:
        return _("is not UTF-8; save it as UTF-8"), content.count(b"\n", 0, exc.start) + 1
    return None


def _unusable(message: str, line: int | None = None, text: str = "") -> Document:
    shown = message if message.isprintable() else ascii(message)
    return Document(text, None, Mistake("", line, shown, FILE))
