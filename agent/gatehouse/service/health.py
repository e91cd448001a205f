"""The gateway's own health: some of the checks, by the clock, beside the loop.

A fault begins when a check found it three times in a row, and ends when it did not three times in a
row. A look that failed or hung says nothing: what stood, stands.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from gatehouse.checks.context import Context
from gatehouse.checks.frame import Check, Finding, Outcome, carry_out
from gatehouse.checks.health import FAMILIES, FAULTS, HEALTH

EVERY_S: Final = 60.0
IN_A_ROW: Final = 3


class Faults(Protocol):
    """Where faults are told; telling what is known already is harmless."""

    def __call__(
        self,
        name: str,
        begins: bool,
        *,
        family: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that a fault of the gateway began or ended; ``family`` is another than its own."""


@dataclass(slots=True)
class Hysteresis:
    """Counts one fault's looks in a row. Pure."""

    count: int = 0
    bad: bool | None = None

    def look(self, *, bad: bool) -> bool | None:
        """Return whether the fault stands, once that is sure; None until then."""
        self.count = self.count + 1 if bad == self.bad else 1
        self.bad = bad
        return bad if self.count >= IN_A_ROW else None


@dataclass(slots=True)
class Health:
    """Looks at the machine again and again, and tells what is amiss."""

    context: Context
    tell: Faults
    checks: Sequence[Check] = HEALTH
    faults: Mapping[str, frozenset[str]] = field(default_factory=lambda: FAULTS)
    _rows: dict[str, Hysteresis] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)

    async def run(self, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        """Look once a minute, until cancelled."""
        while True:
            await sleep(EVERY_S)
            await self.look()
            self.tell("health", False)

    async def look(self) -> None:
        """Look once; the checks one after the other, each in a thread of its own."""
        for check in self.checks:
            outcome = await carry_out(check, self.context)
            self._seen[check.name] = str(outcome.result) if outcome.known else "unknown"
            if outcome.known:
                self._judge(outcome, self.faults.get(check.name, frozenset()))

    def document(self) -> dict[str, str]:
        """Return how each check ended the last time, for the heartbeat; empty before the first."""
        return dict(self._seen)

    def _judge(self, outcome: Outcome, faults: Iterable[str]) -> None:
        found = {finding.fault: finding for finding in outcome.findings if finding.fault}
        for name in sorted(faults):
            stands = self._rows.setdefault(name, Hysteresis()).look(bad=name in found)
            if stands is not None:
                data = _data(found.get(name))
                self.tell(name, stands, family=FAMILIES.get(name), data=data)


def _data(finding: Finding | None) -> dict[str, Any] | None:
    return None if finding is None else {"text": str(finding.figure)}
