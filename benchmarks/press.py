"""From the edge to the disk, the broker, a subscriber and the receipt; beside the bare parts.

Every round presses all contestants within the same seconds, in turned order; each press waits for
the one before to be over. The button's time is taken right before the edge is given to the process
(CLOCK_MONOTONIC), stages are the agent's own, the arrival is the subscriber's.
"""

import asyncio
import os
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

import rig as rigs
import slow_disk
from figures import Aim, Row, Spread, Table, ratio_by_round
from gatehouse import events
from gatehouse.clock import SystemClock
from gatehouse.events import Happening, Scribe
from raw_mqtt import RawClient
from rig import PINS, RAW, Rig

REST_S: Final = 0.06
"""Between presses: longer than the debounce, after which the agent tells the release."""

_STAGES: Final = frozenset({"stored", "sent", "received"})


@dataclass(slots=True)
class Times:
    """What was measured, in ms: for each figure its rounds."""

    rounds: defaultdict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))

    def begin(self, *figures: str) -> None:
        """Begin a round of these figures."""
        for figure in figures:
            self.rounds[figure].append([])

    def note(self, figure: str, ns: int) -> None:
        """Note one time in the round that was begun."""
        self.rounds[figure][-1].append(ns / 1e6)

    def spread(self, figure: str) -> Spread:
        """Return how all rounds lie."""
        return Spread.of([ms for values in self.rounds[figure] for ms in values])


class Contest:
    """All contestants on one rig."""

    def __init__(self, rig: Rig, environ: Mapping[str, str]) -> None:
        self.rig = rig
        self.times = Times()
        self._pins = cycle(PINS)
        self._agent = rig.stack.enter_context(rig.school.wires())
        self._stages: Iterator[dict[str, Any]] = rig.follow()
        self._hand = rig.start_by_hand(environ)
        url = rig.school.broker.url
        self._raw = rig.stack.enter_context(RawClient(url, RAW, rig.identities[RAW]))
        name = str(uuid.uuid4())
        self._scribe = Scribe(
            gateway=RAW, store=name, start=1, clock=SystemClock(), random=os.urandom
        )
        self._file = os.open(rig.school.place.root / "bare.log", os.O_WRONLY | os.O_CREAT, 0o600)
        rig.stack.callback(os.close, self._file)

    def play(self, rounds: int, presses: int) -> None:
        """Play all rounds, every second one in the opposite order."""
        order: list[Callable[[int], None]] = [self.agent, self.by_hand, self.raw, self.disk]
        for number in range(rounds):
            for contestant in order if number % 2 == 0 else reversed(order):
                contestant(presses)
            self.rig.reset()

    def agent(self, presses: int) -> None:
        """Press the agent's buttons."""
        self.times.begin("stored", "sent", "received", "agent")
        for pin in (next(self._pins) for _ in range(presses)):
            edge_ns = self._agent.set(pin, 0)
            heard = self.rig.heard()
            self.times.note("agent", heard.at_ns - edge_ns)
            missing = set(_STAGES)
            while missing:
                said = next(self._stages)
                if said["alarm"] == heard.id and said["stage"] in missing:
                    missing.discard(said["stage"])
                    self.times.note(said["stage"], said["t"] - edge_ns)
            self._agent.set(pin, 1)
            self.rig.heard(events.ALARM_RELEASED)
            time.sleep(REST_S)

    def by_hand(self, presses: int) -> None:
        """Press the buttons of the twenty lines."""
        self.times.begin("by hand")
        for pin in (next(self._pins) for _ in range(presses)):
            edge_ns = self._hand.set(pin, 0)
            self.times.note("by hand", self.rig.heard().at_ns - edge_ns)
            self._hand.set(pin, 1)
            time.sleep(2 * REST_S)

    def raw(self, presses: int) -> None:
        """Publish over a bare socket."""
        self.times.begin("raw sent", "raw")
        for _ in range(presses):
            body = self._body()
            start_ns = time.monotonic_ns()
            self._raw.round_trip(f"gatehouse/v1/{RAW}/up/alarm", body)
            self.times.note("raw sent", time.monotonic_ns() - start_ns)
            self.times.note("raw", self.rig.heard().at_ns - start_ns)
            time.sleep(REST_S / 2)

    def disk(self, presses: int) -> None:
        """Write and sync as many bytes as an event has."""
        self.times.begin("disk")
        for _ in range(presses):
            body = self._body()
            start_ns = time.monotonic_ns()
            os.write(self._file, body)
            os.fdatasync(self._file)
            self.times.note("disk", time.monotonic_ns() - start_ns)
            time.sleep(REST_S / 4)

    def _body(self) -> bytes:
        data = {"location": "南门门卫室", "held_at_start": False}
        return events.encode(self._scribe.write(Happening(events.ALARM_RAISED, "button/b2", data)))


async def contest(
    *, tls: bool, rounds: int, presses: int, environ: Mapping[str, str] | None = None
) -> Times:
    """Open a rig, press, and return what was measured; ``environ`` is for agent and by-hand."""
    async with rigs.opened(tls=tls) as rig:
        rig.school.agent.environ |= environ or {}
        await rig.school.agent.start()
        rig.settle()
        played = Contest(rig, environ or {})
        played.play(rounds, presses)
        return played.times


def measure(rounds: int, presses: int, slow_presses: int) -> list[Table]:
    """Measure over plain TCP and mutual TLS, then the same with a slow disk."""
    tables = []
    for tls in (False, True):
        times = asyncio.run(contest(tls=tls, rounds=rounds, presses=presses))
        tables.append(_table(times, tls=tls))
    return tables + _slow(rounds, slow_presses)


def _slow(rounds: int, presses: int) -> list[Table]:
    title = f"a press, with a disk that takes {slow_disk.SYNC_MS} ms more for each sync"
    with rigs.temporary() as folder:
        library = slow_disk.build(folder)
        if library is None:
            return [Table(title, (), ("SKIPPED: there is no gcc to build the slow disk with",))]
        environ = {"LD_PRELOAD": str(library)}
        tables = []
        for tls in (False, True):
            times = asyncio.run(contest(tls=tls, rounds=rounds, presses=presses, environ=environ))
            if times.spread("stored").p50 < slow_disk.SYNC_MS:
                raise RuntimeError("LD_PRELOAD did not slow the agent's disk")
            tables.append(_table(times, tls=tls, title=title))
        return tables


def _table(times: Times, *, tls: bool, title: str = "a press") -> Table:
    slow = title != "a press"
    middle, low, high = ratio_by_round(times.rounds["agent"], times.rounds["by hand"])
    aim = Aim("edge to subscriber, of the twenty lines", 1.0, middle)

    def row(what: str, figure: str, beside: str = "", baseline: str | None = None) -> Row:
        spread = times.spread(figure)
        ratio = spread.p50 / times.spread(baseline).p50 if baseline else None
        return Row(what, "ms", spread, beside=beside, ratio=ratio)

    rows = [
        row(
            "stored", "stored", "" if slow else "a bare write + fdatasync", None if slow else "disk"
        ),
        row("PUBACK", "sent", "a bare round trip", "raw sent"),
        row("receipt", "received"),
        Row(
            "at a subscriber",
            "ms",
            times.spread("agent"),
            beside=f"the twenty lines (rounds {low:.2f}–{high:.2f})",
            ratio=middle,
            aim=aim,
        ),
        row("at a subscriber: twenty lines, nothing stored", "by hand"),
        row("bare socket, QoS 1: PUBACK", "raw sent"),
        row("bare socket, QoS 1: at a subscriber", "raw"),
        row("bare write + fdatasync" + (" (real disk)" if slow else ""), "disk"),
    ]
    where = "mutual TLS" if tls else "plain TCP"
    return Table(f"{title}, {where}: ms after the edge", tuple(rows), _notes(slow=slow))


def _notes(*, slow: bool) -> tuple[str, ...]:
    if not slow:
        return ()
    said = "LD_PRELOAD delays fsync and fdatasync of the agent and of the twenty lines alike"
    return (f"{said}; the district's disk is the real one",)
