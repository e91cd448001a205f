"""How many events a second the receiver stores and receipts, beside bare SQLite commits."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from figures import Row, Table
from gatehouse_sim.broker import Broker
from rig import HERE, Child, temporary
from store import bare


@dataclass(frozen=True, slots=True)
class Round:
    """Events a second of the receiver and of bare commits of the same size, within one minute."""

    receiver: float
    bare: float
    single: float
    batch: float
    """Events in one commit of the receiver."""


def measure(count: int, rounds: int) -> list[Table]:
    """Flood the receiver with ``count`` events each round, and commit as many beside it."""
    done = [asyncio.run(_round(count)) for _ in range(rounds)]
    batch = median(each.batch for each in done)
    found = median(each.receiver for each in done)
    rows = (
        Row(
            f"stored and receipted, {count} events",
            "events/s",
            value=found,
            beside=f"bare SQLite, {batch:.0f} a commit",
            ratio=median(each.receiver / each.bare for each in done),
        ),
        Row(
            f"bare SQLite, {batch:.0f} a commit",
            "events/s",
            value=median(each.bare for each in done),
        ),
        Row(
            "bare SQLite, each its own commit",
            "events/s",
            value=median(each.single for each in done),
        ),
    )
    notes = (
        "from a gateway's first publication to its last receipt, over mosquitto, without TLS",
        "the receiver also judges, counts numbers and keeps what is shown; 5 indexes, bare has 1",
        "all with WAL and synchronous=FULL",
    )
    return [Table("the district's receiver: events a second", rows, notes)]


async def _round(count: int) -> Round:
    singles = max(1, count // 20)
    with temporary() as folder:
        async with Broker(folder / "broker") as broker:
            took, commits = await asyncio.to_thread(_flood, broker.url, folder / "d.db", count)
        batch = max(1.0, count / commits)
        beside = bare(folder / "bare.db", count, round(batch))
        single = bare(folder / "single.db", singles, 1)
    return Round(count / took, count / beside, singles / single, batch)


def _flood(url: str, path: Path, count: int) -> tuple[float, int]:
    """Return the seconds until the last receipt, and how many commits that were."""
    with Child([HERE / "receiver.py", url, path]) as receiver:
        if receiver.line() != "ready":
            raise ChildProcessError("the receiver is not ready")
        with Child([HERE / "flood.py", url, str(count)]) as flood:
            took = float(flood.line(limit_s=600))
        receiver.end_input()
        return took, max(1, int(receiver.line()))
