"""How long a technician waits for ``gatehouse status``."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rig as rigs
from figures import Aim, Row, Spread, Table


def _seconds(words: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


async def _time(runs: int) -> dict[str, Spread]:
    async with rigs.opened(tls=True) as rig:
        await rig.school.agent.start()
        rig.settle()
        command = [
            str(Path(sys.executable).parent / "gatehouse"),
            "--config",
            str(rig.school.place.config),
            "status",
        ]
        kinds = {
            "table": command,
            "json": [*command, "--json"],
            "bare": [sys.executable, "-c", "pass"],
        }
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for words in kinds.values():
            _seconds(words)  # files come into the cache
        for _ in range(runs):
            for kind, words in kinds.items():
                times[kind].append(_seconds(words))
        return {kind: Spread.of(values) for kind, values in times.items()}


def measure(runs: int) -> list[Table]:
    """Run it so often, in turn with a bare Python."""
    found = asyncio.run(_time(runs))
    bare = found["bare"]
    beside = "python -c pass"
    rows = (
        Row(
            "gatehouse status",
            "s",
            found["table"],
            beside=beside,
            ratio=found["table"].p50 / bare.p50,
            aim=Aim("gatehouse status", 0.3, found["table"].p50, " s"),
        ),
        Row(
            "gatehouse status --json",
            "s",
            found["json"],
            beside=beside,
            ratio=found["json"].p50 / bare.p50,
        ),
        Row("python -c pass", "s", bare),
    )
    return [Table("a command: s from call to end", rows)]
