"""The contract's definition of a press, written a second time: slowly, over whole intervals.

"It begins with the first closing, ends once the contact was open for debounce_ms in a row, and
alarms as soon as the closed time within it reaches filter_ms; shorter ones are spikes and do not
add up." (section 2)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatehouse.alarm.contacts import Wiring


@dataclass(frozen=True)
class Level:
    """The contact is closed (or open) since then."""

    at_ns: int
    closed: bool


@dataclass(frozen=True)
class Told:
    """What one press must have led to: an alarm and its end."""

    pressed_ns: int
    released_ns: int


def closings(levels: Iterable[Level], end_ns: int) -> list[tuple[int, int]]:
    """Return the intervals in which the contact was closed."""
    found: list[tuple[int, int]] = []
    since: int | None = None
    for level in [*levels, Level(end_ns, closed=False)]:
        if level.closed and since is None:
            since = level.at_ns
        elif not level.closed and since is not None:
            found.append((since, level.at_ns))
            since = None
    return found


def presses(wiring: Wiring, levels: Sequence[Level], end_ns: int) -> list[Told]:
    """Return what must be told of these levels; the contact opens at the end."""
    groups: list[list[tuple[int, int]]] = []
    for closing in closings(levels, end_ns):
        if groups and closing[0] - groups[-1][-1][1] < wiring.debounce_ns:
            groups[-1].append(closing)
        else:
            groups.append([closing])
    told = []
    for group in groups:
        reached = _reached(group, wiring.filter_ns)
        if reached is not None:
            told.append(Told(reached, group[-1][1] + wiring.debounce_ns))
    return told


def _reached(group: Sequence[tuple[int, int]], filter_ns: int) -> int | None:
    """Return when the closed time of a group reached the filter time."""
    for number, (since, until) in enumerate(group):
        before = sum(b - a for a, b in group[:number])
        if before + until - since >= filter_ns:
            return since + filter_ns - before
    return None
