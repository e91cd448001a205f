"""Which faults stand: each is told once when it begins and once when it ends. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gatehouse.events import Happening, Mode

GATEWAY: Final = "gateway"

_FAMILY_OF_SUBJECT: Final = {"button": "line", "camera": "camera", "gateway": "gateway"}
_BEGINS: Final = {"tamper": ("opened",), "retention": ("shortfall", "forecast")}
"""Words that begin a fault of a family, where ``fault`` does not; with several, each its own."""
_ENDS: Final = {"tamper": "closed"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that stands: where, what, and since when (RFC 3339, None if not known)."""

    subject: str
    fault: str
    family: str
    since: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def family_of(type_: str) -> tuple[str, bool] | None:
    """Tell the family and whether it begins (True) or ends a fault; None for other types."""
    parts = type_.split(".")
    if len(parts) != 3:
        return None
    _, family, word = parts
    if word in _BEGINS.get(family, ("fault",)):
        return family, True
    if word == _ENDS.get(family, "restored"):
        return family, False
    return None


class FaultBook:
    """The faults that stand, and the happenings that begin and end them.

    A fault is known by its subject and its name. What stood when the service stopped is loaded at
    start, so that its end is told too, and it is not told to begin twice.
    """

    def __init__(self, standing: tuple[Fault, ...] = ()) -> None:
        self._standing = {(fault.subject, fault.fault): fault for fault in standing}

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._standing.values()))

    def __len__(self) -> int:
        return len(self._standing)

    def stands(self, subject: str, fault: str) -> bool:
        """Whether this fault has begun and not ended."""
        return (subject, fault) in self._standing

    def begin(
        self,
        fault: str,
        *,
        subject: str = GATEWAY,
        family: str | None = None,
        since: str | None = None,
        data: Mapping[str, Any] | None = None,
        at_ns: int | None = None,
    ) -> Happening | None:
        """Note that a fault began; None if it stands already."""
        if self.stands(subject, fault):
            return None
        family = family or _FAMILY_OF_SUBJECT[subject.partition("/")[0]]
        details = dict(data or {})
        self._standing[subject, fault] = Fault(subject, fault, family, since, details)
        told = {**details, "fault": fault}
        words = _BEGINS.get(family, ("fault",))
        word = fault if fault in words else words[0]
        return Happening(f"gatehouse.{family}.{word}", subject, told, Mode.REAL, at_ns)

    def amend(self, fault: str, data: Mapping[str, Any], *, subject: str = GATEWAY) -> None:
        """Put other details to a fault that stands; nothing is told: it goes on all the time."""
        if (stands := self._standing.get((subject, fault))) is not None:
            self._standing[subject, fault] = replace(stands, data=dict(data))

    def end(
        self,
        fault: str,
        *,
        subject: str = GATEWAY,
        data: Mapping[str, Any] | None = None,
        at_ns: int | None = None,
    ) -> Happening | None:
        """Note that a fault ended; None if it does not stand."""
        stood = self._standing.pop((subject, fault), None)
        if stood is None:
            return None
        told = {**dict(data or {}), "fault": fault}
        word = _ENDS.get(stood.family, "restored")
        return Happening(f"gatehouse.{stood.family}.{word}", subject, told, Mode.REAL, at_ns)
