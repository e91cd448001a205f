"""How results look: rich tables for people, one JSON document for machines."""

import json
import os
import sys
from typing import Any

from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """Return a console; ``NO_COLOR`` and pipes switch the colour off (rich's own rule)."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def print_json(document: dict[str, Any]) -> None:
    """Print one document and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def wants_colour() -> bool:
    """Whether a person looks on and has not switched colour off."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
