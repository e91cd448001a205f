"""Walk tests and self-tests, from the reports they left. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from gatehouse.report.log import SELFTEST_REPORT, WALKTEST_REPORT, Entry
from gatehouse.report.span import Span

_FINE: Final = ("OK", "SKIP")
_LISTS: Final = {WALKTEST_REPORT: "buttons", SELFTEST_REPORT: "checks"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One test: how many points it had, and those that were not OK (name, result)."""

    at: datetime
    kind: Literal["walktest", "selftest"]
    result: str
    count: int
    not_ok: tuple[tuple[str, str], ...]
    by: str | None


def tests(entries: Sequence[Entry], span: Span) -> tuple[Tried, ...]:
    """Return the tests in the span."""
    return tuple(_tried(each) for each in entries if each.type in _LISTS and each.at in span)


def _tried(each: Entry) -> Tried:
    listed = each.data.get(_LISTS[each.type])
    points = [_point(point) for point in listed] if isinstance(listed, list) else []
    not_ok = tuple((name, result) for name, result in points if result not in _FINE)
    given = each.data.get("result")
    by = each.data.get("by")
    return Tried(
        at=each.at,
        kind="walktest" if each.type == WALKTEST_REPORT else "selftest",
        result=given if isinstance(given, str) else _worst([result for _, result in points]),
        count=len(points),
        not_ok=not_ok,
        by=by if isinstance(by, str) else None,
    )


def _point(point: Any) -> tuple[str, str]:  # noqa: ANN401  # whatever stands in an event
    if not isinstance(point, dict):
        return "?", "?"
    return str(point.get("name", "?")), str(point.get("result", "?"))


def _worst(results: list[str]) -> str:
    for word in ("FAIL", "NOT WALKED", "WARN"):
        if word in results:
            return word
    return "OK" if results else "?"
