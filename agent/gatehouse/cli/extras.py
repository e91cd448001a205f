"""What is not installed everywhere: the libraries of the extras ``video`` and ``enrol``."""

import sys
from importlib.util import find_spec
from typing import Final

from gatehouse.texts import _

VIDEO: Final = ("av", "defusedxml", "httpx", "numpy")
"""All of them; eyes are children, which would miss theirs one by one, again and again."""
ONVIF: Final = ("defusedxml", "httpx")
ENROL: Final = ("cryptography", "httpx")

_VIDEO_HINT: Final = "pip install 'gatehouse-agent[video]'"
_ENROL_HINT: Final = "pip install 'gatehouse-agent[enrol]'"


def lacking(libraries: tuple[str, ...]) -> bool:
    """Whether any of them is not there; then say what to install."""
    gone = _gone(libraries)
    if gone:
        _complain(_("cameras need the extra video: {hint}").format(hint=_VIDEO_HINT), gone)
    return bool(gone)


def lacking_enrol() -> bool:
    """Whether `gatehouse enrol` lacks a library; then say what to install."""
    gone = _gone(ENROL)
    if gone:
        _complain(_("certificates need the extra enrol: {hint}").format(hint=_ENROL_HINT), gone)
    return bool(gone)


def _gone(libraries: tuple[str, ...]) -> list[str]:
    return [name for name in libraries if find_spec(name) is None]


def _complain(said: str, gone: list[str]) -> None:
    sys.stderr.write(f"gatehouse: {said} ({', '.join(gone)})\n")
