"""What a benchmark finds: percentiles, ratios, and rows that say whether an aim was met. Pure."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Spread:
    """How a number of measurements lie."""

    n: int
    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Take nearest-rank percentiles. Raises ValueError when nothing was measured."""
        if not values:
            raise ValueError("nothing was measured")
        ordered = sorted(values)
        return cls(len(ordered), _rank(ordered, 0.50), _rank(ordered, 0.99), ordered[-1])


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure shall be at most, and what it is."""

    what: str
    most: float
    found: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is met."""
        return self.found <= self.most

    def __str__(self) -> str:
        sign, word = ("≤", "OK") if self.met else (">", "MISSED")
        return f"{word}: {self.what} {self.found:.3g}{self.unit} {sign} {self.most:g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a spread or one value, beside a baseline, and an aim if there is one."""

    what: str
    unit: str
    spread: Spread | None = None
    value: float | None = None
    beside: str = ""
    ratio: float | None = None
    aim: Aim | None = None

    @property
    def main(self) -> float:
        """The figure that ratios are made of: the value, or the median."""
        if self.spread is not None:
            return self.spread.p50
        if self.value is None:
            raise ValueError(f"{self.what} has no figure")
        return self.value

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        said = asdict(self)
        if self.aim is not None:
            said["aim"]["met"] = self.aim.met
        return said


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found, and what a reader must know of how."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        rows = [row.document() for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": list(self.notes)}


def ratio_by_round(
    ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]
) -> tuple[float, float, float]:
    """Return the median of the rounds' ratios of medians, the lowest and the highest.

    Each round holds both sides, measured within the same seconds: what disturbs the machine
    disturbs both.
    """
    ratios = [median(a) / median(b) for a, b in zip(ours, theirs, strict=True)]
    return median(ratios), min(ratios), max(ratios)
