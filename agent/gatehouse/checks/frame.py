"""The frame around every check: a name, a limit of time, and findings that say what to do.

A check that finds nothing of its kind is SKIP, not FAIL: a machine without a battery clock's chip
is told from one whose chip has stopped. A check that raises or hangs fails alone.
"""

import asyncio
import errno
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, Self

from gatehouse.checks.context import Context
from gatehouse.checks.text import Text, say
from gatehouse.errors import ControlError
from gatehouse.texts import N_, _
from gatehouse.threads import off_loop

log = logging.getLogger(__name__)


class Result(StrEnum):
    """How a check ended; in a report the worst of its checks counts."""

    SKIP = "SKIP"
    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


_ORDER: Final = tuple(Result)


def worst(results: Iterable[Result]) -> Result:
    """Return the worst of several; SKIP when there is none."""
    return max(results, key=_ORDER.index, default=Result.SKIP)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check saw: how it is, a figure, and what to do where it is not well."""

    result: Result
    figure: Text | None = None
    remedy: Text | None = None
    fault: str = ""
    """The fault of the gateway that it is, when it stays (service/health.py)."""


def fine(message: str, **values: object) -> Finding:
    """Return a finding that all is well."""
    return Finding(Result.OK, say(message, **values))


def ok(figure: Text) -> Finding:
    """Return a finding that all is well, with a figure made before."""
    return Finding(Result.OK, figure)


def nothing(message: str, **values: object) -> Finding:
    """Return a finding that there is nothing to look at."""
    return Finding(Result.SKIP, say(message, **values))


def warn(figure: Text, remedy: Text, fault: str = "") -> Finding:
    """Return a finding that is to be mended some day."""
    return Finding(Result.WARN, figure, remedy, fault)


def fail(figure: Text, remedy: Text, fault: str = "") -> Finding:
    """Return a finding that is to be mended now."""
    return Finding(Result.FAIL, figure, remedy, fault)


Findings = Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """One check; ``limit_s`` bounds it, ``person_s`` comes on top where somebody is asked."""

    name: str
    title: str
    limit_s: float
    run: Callable[[Context], Awaitable[Findings]]
    person_s: float = 0.0

    @classmethod
    def beside(
        cls, name: str, title: str, limit_s: float, look: Callable[[Context], Findings]
    ) -> Self:
        """Make a check of work that blocks: it is done in a thread of its own.

        While one look hangs in a dead disk, no other joins it there.
        """
        looking = threading.Lock()

        def work(context: Context) -> Findings:
            if not looking.acquire(blocking=False):
                raise OSError(errno.EBUSY, "the last look hangs")
            try:
                return look(context)
            finally:
                looking.release()

        async def run(context: Context) -> Findings:
            return await off_loop(partial(work, context), name=f"check-{name}", timeout_s=limit_s)

        return cls(name, title, limit_s, run)

    def limit(self, context: Context) -> float:
        """Return how long it may take, in s."""
        return self.limit_s + (self.person_s if context.person is not None else 0.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended."""

    check: Check
    seconds: float
    findings: tuple[Finding, ...]
    known: bool = True
    """False when the check itself failed, so that it says nothing of what it looks at."""

    @property
    def result(self) -> Result:
        """The worst of its findings."""
        return worst(finding.result for finding in self.findings)

    def figure(self) -> str:
        """Return what was seen, the worst first, in the language in use."""
        return _("; ").join(str(each.figure) for each in self._ordered() if each.figure)

    def remedy(self) -> str | None:
        """Return what to do, in the language in use; None when there is nothing to be done."""
        found = [str(each.remedy) for each in self._ordered() if each.remedy]
        return _("; ").join(dict.fromkeys(found)) or None

    def _ordered(self) -> list[Finding]:
        return sorted(self.findings, key=lambda each: _ORDER.index(each.result), reverse=True)

    def document(self) -> dict[str, Any]:
        """Return the row of the report (contract section 5)."""
        return {
            "name": self.check.name,
            "result": str(self.result),
            "seconds": round(self.seconds, 3),
            "figure": self.figure(),
            "remedy": self.remedy(),
        }


async def carry_out(check: Check, context: Context) -> Outcome:
    """Run one check within its limit; whatever it raises is its own failure."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    limit_s = check.limit(context)
    known = True
    try:
        async with asyncio.timeout(limit_s):
            findings = tuple(await check.run(context))
    except TimeoutError:
        known = False
        figure = say(N_("not done within {seconds} s"), seconds=f"{limit_s:.0f}")
        findings = (fail(figure, say(N_("something hangs: look at the disks and the network"))),)
    except ControlError as exc:
        known = False
        again = say(N_("the service is busy: look again in a minute"))
        findings = (warn(say(N_("not now: {why}"), why=exc), again),)
    except Exception as exc:
        known = False
        log.exception("the check %s failed", check.name)
        remedy = say(N_("report this: the check itself failed ({kind})"), kind=type(exc).__name__)
        findings = (fail(say("{text}", text=str(exc)), remedy),)
    return Outcome(check, loop.time() - began, findings, known)


def report(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return the document of ``gatehouse selftest --json``; skipped checks make nothing worse."""
    done = list(outcomes)
    result = max(worst(each.result for each in done), Result.OK, key=_ORDER.index)
    return {"result": str(result), "checks": [each.document() for each in done]}
