"""How results look: rich tables for people, one JSON document for machines."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def console() -> "Console":
    """Return a console; ``NO_COLOR`` and pipes switch the colour off (rich's own rule)."""
    from rich.console import Console  # noqa: PLC0415  # not needed for --json, which must be quick

    class Screen(Console):
        """rich's console, for which a pipe that is gone is not an error of its own."""

        def on_broken_pipe(self) -> None:
            """Leave it to `gatehouse.cli.main`; rich would end the process with 1."""
            raise BrokenPipeError

    # Without emoji: a path or a camera's own words may hold :door:, which is not to become one.
    return Screen(highlight=False, soft_wrap=False, emoji=False)


def print_json(document: dict[str, Any]) -> None:
    """Print one document and nothing else."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
