"""A backlog goes to the district: how fast, and how much a press has to wait behind it."""

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Final
from urllib.parse import urlsplit

import rig as rigs
from figures import Aim, Row, Spread, Table
from gatehouse_sim.school import GATEWAY
from rig import HERE, PINS, Child, Rig

ROUND_TRIP_MS: Final = 40
_REST_S: Final = 0.015
"""Between presses: eight buttons in turn, so that each is at rest long before its next one."""

_BACKLOG: Final = "%recording.gap%"


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain, and the presses (ms to the subscriber) while it went on and after it."""

    events_per_s: float
    receipts_per_s: float
    during: tuple[float, ...] = ()
    idle: tuple[float, ...] = ()


async def drain(count: int, *, presses: bool, round_trip_ms: float = 0.0) -> Drained:
    """Fill an outbox offline, let it drain over mutual TLS, and press meanwhile if wanted."""
    async with rigs.opened(tls=True) as rig:
        place = rig.school.place
        place.state_dir.mkdir()
        with Child([HERE / "fill.py", place.state_dir / "outbox.db", str(count)]) as filling:
            filling.line()
        if round_trip_ms:
            _put_far_away(rig, round_trip_ms)
        await rig.school.agent.start()
        pressed = _press_while_pending(rig) if presses else []
        ended_ns = _wait_until_empty(rig)
        first_ns, last_ns, came = _arrivals(rig)
        if came < count:
            raise RuntimeError(f"{came} of {count} events came to the district")
        during = tuple(ms for at_ns, ms in pressed if first_ns < at_ns < last_ns)
        idle = _press(rig, len(during)) if presses else []
        return Drained(
            came / (last_ns - first_ns) * 1e9,
            came / (ended_ns - first_ns) * 1e9,
            during,
            tuple(ms for _, ms in idle),
        )


def measure(count: int, rounds: int) -> list[Table]:
    """Drain several times with presses, then without, then over a long line."""
    with_presses = [asyncio.run(drain(count, presses=True)) for _ in range(rounds)]
    alone = [asyncio.run(drain(count, presses=False)) for _ in range(rounds)]
    far = asyncio.run(drain(count, presses=False, round_trip_ms=ROUND_TRIP_MS))
    during = Spread.of([ms for drained in with_presses for ms in drained.during])
    idle = Spread.of([ms for drained in with_presses for ms in drained.idle])
    presses = (
        Row(
            f"while {count} events drain",
            "ms",
            during,
            beside="idle",
            ratio=during.p50 / idle.p50,
            aim=Aim("p99 during the drain, of idle", 2.0, during.p99 / idle.p99),
        ),
        Row("idle, by the same agents right after", "ms", idle),
    )
    near = median(drained.receipts_per_s for drained in alone)
    speed = (
        Row(
            "arriving at the district",
            "events/s",
            value=median(drained.events_per_s for drained in alone),
        ),
        Row("with receipts, until the outbox is empty", "events/s", value=near),
        Row(
            f"the same over a {ROUND_TRIP_MS} ms round trip",
            "events/s",
            value=far.receipts_per_s,
            beside="no delay",
            ratio=far.receipts_per_s / near,
        ),
    )
    pressed = sum(len(drained.during) for drained in with_presses)
    notes = (f"{pressed} presses in {rounds} drains, and as many after them, at the same pace",)
    title = "a press during a drain, mutual TLS: ms from the edge to a subscriber"
    return [
        Table(title, presses, notes),
        Table(f"draining {count} events, mutual TLS: events a second", speed),
    ]


def _put_far_away(rig: Rig, round_trip_ms: float) -> None:
    """Put a slow line between the agent and the broker; district and subscriber stay near."""
    school = rig.school
    place = urlsplit(school.broker.url)
    words = (str(place.hostname), str(place.port), str(round_trip_ms / 2))
    proxy = rig.stack.enter_context(Child([HERE / "delay_proxy.py", *words]))
    text = school.place.config.read_text(encoding="utf-8")
    moved = text.replace(f"{place.hostname}:{place.port}", f"127.0.0.1:{proxy.line()}")
    school.place.config.write_text(moved, encoding="utf-8")


def _press(rig: Rig, presses: int) -> list[tuple[int, float]]:
    """Press so often; return when each arrived, and after how many ms."""
    pins = cycle(PINS)
    found = []
    with rig.school.wires() as wires:
        for pin in (next(pins) for _ in range(presses)):
            edge_ns = wires.set(pin, 0)
            at_ns = rig.heard().at_ns
            found.append((at_ns, (at_ns - edge_ns) / 1e6))
            wires.set(pin, 1)
            time.sleep(_REST_S)
    return found


def _press_while_pending(rig: Rig) -> list[tuple[int, float]]:
    """Press until nothing waits any more, looking after each few presses."""
    found = []
    while rig.status()["link"]["state"] != "connected":
        time.sleep(0.005)
    while rig.status()["outbox"]["pending"] > 100:
        found += _press(rig, 2 * len(PINS))
    rig.settle()
    return found


def _wait_until_empty(rig: Rig) -> int:
    while rig.status()["outbox"]["pending"]:
        time.sleep(0.05)
    return time.monotonic_ns()


def _arrivals(rig: Rig) -> tuple[int, int, int]:
    """Return when the first and the last of the backlog came to the district, and how many."""
    with closing(sqlite3.connect(rig.school.place.root / "district.db")) as db:
        first, last, came = db.execute(
            "SELECT min(arrived_ns), max(arrived_ns), count(*) FROM event WHERE gateway = ?"
            " AND CAST(body AS TEXT) LIKE ?",
            (GATEWAY, _BACKLOG),
        ).fetchone()
    return first, last, came
