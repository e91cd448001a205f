"""The wiring's socket (contract section 7) from within the event loop."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from gatehouse_sim.wires import WiringError


async def ask(path: Path, do: str, **asked: float | bool) -> dict[str, Any]:
    """Ask one thing and return the answer.

    Raises WiringError with the board's own words when it refuses, OSError when there is none.
    """
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(json.dumps({"do": do, **asked}).encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
    if not line.endswith(b"\n"):
        raise ConnectionResetError(f"the board at {path} went away without an answer")
    answer: dict[str, Any] = json.loads(line)
    if not answer.get("ok"):
        raise WiringError(str(answer.get("error")))
    return answer


async def follow(path: Path) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the pins as they are (``pins``), then each edge (``pin``, ``level``), to its end.

    Raises OSError when there is no board.
    """
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(b'{"do": "follow"}\n')
        while (line := await reader.readline()).endswith(b"\n"):  # half a line: it was killed
            yield json.loads(line)
    finally:
        writer.close()
