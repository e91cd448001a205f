"""What is not installed everywhere: the libraries of the extra ``video``."""

import sys
from importlib.util import find_spec
from typing import Final

from gatehouse.texts import _

VIDEO: Final = ("av", "defusedxml", "httpx", "numpy")
"""All of them; eyes are children, which would miss theirs one by one, again and again."""
ONVIF: Final = ("defusedxml", "httpx")

_HINT: Final = "pip install 'gatehouse-agent[video]'"


def lacking(libraries: tuple[str, ...]) -> bool:
    """Whether any of them is not there; then say what to install."""
    gone = [name for name in libraries if find_spec(name) is None]
    if gone:
        said = _("cameras need the extra video: {hint}").format(hint=_HINT)
        sys.stderr.write(f"gatehouse: {said} ({', '.join(gone)})\n")
    return bool(gone)
