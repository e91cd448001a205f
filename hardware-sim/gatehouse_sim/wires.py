"""The school's wires: which level each pin sees, and how a contact moves when it is pressed. Pure.

Levels are the pin's own, as a pull-up makes them: a closed contact is 0, an open one 1.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gatehouse.errors import GatehouseError

CLOSED: Final = 0
OPEN: Final = 1
LAST_PIN: Final = 27
"""GPIO 0 to 27 are on the 40-pin header of every Pi that has one."""

CHANGEOVER_NS: Final = 2_000_000
"""Break before make: a form C contact is open on both sides for about this long on its way, ns."""

_MOST_BOUNCES: Final = 6
_MS: Final = 1_000_000


class WiringError(GatehouseError, ValueError):
    """The simulated wiring cannot do what was asked."""


@dataclass(frozen=True, slots=True)
class Wires:
    """Levels that the wiring gives to pins, and the loop contact of each normally-open one."""

    levels: Mapping[int, int] = field(default_factory=dict)
    loops: Mapping[int, int] = field(default_factory=dict)

    def over(self, older: "Wires") -> "Wires":
        """Return both, this one where they differ."""
        return Wires({**older.levels, **self.levels}, {**older.loops, **self.loops})

    def partners(self, pin: int) -> frozenset[int]:
        """Return the pins of the button that ``pin`` belongs to: itself, and its other contact."""
        pairs = ((pin, self.loops.get(pin)), *((no, nc) for no, nc in self.loops.items()))
        return frozenset({pin}) | {
            p for pair in pairs if pin in pair for p in pair if p is not None
        }


@dataclass(frozen=True, slots=True)
class Move:
    """One change of a wire: when (CLOCK_MONOTONIC, ns) and to which level.

    A silent move changes the level without an edge, as if the kernel had lost it.
    """

    at_ns: int
    pin: int
    level: int
    silent: bool = False


def healthy(document: Mapping[str, Any]) -> Wires:
    """Return the healthy wiring of a configuration, read leniently: what is not a pin is passed by.

    Normally-open contacts and reset switches are open, loops, tamper and mains are closed
    (contract sections 2 and 7).
    """
    levels: dict[int, int] = {}
    loops: dict[int, int] = {}
    for button in _tables(document.get("button")):
        pin, loop, reset = (_pin(button.get(key)) for key in ("pin", "loop", "reset"))
        levels |= {p: OPEN for p in (pin, reset) if p is not None}
        if loop is not None:
            levels[loop] = CLOSED
            if pin is not None:
                loops[pin] = loop
    for enclosure in _tables([document.get("enclosure")]):
        inputs = (_pin(enclosure.get(key)) for key in ("tamper", "mains"))
        levels |= {p: CLOSED for p in inputs if p is not None}
    return Wires(levels, loops)


def _tables(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict))


def _pin(value: object) -> int | None:
    """Return a usable BCM number or None; a bool is an int to Python but no pin."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LAST_PIN:
        return value
    return None


def bounce(
    rng: random.Random, pin: int, level: int, start_ns: int, length_ns: int
) -> tuple[Move, ...]:
    """Return the edges of a contact that arrives at ``level``: the first at ``start_ns``.

    They alternate, lie within ``length_ns``, and the last one is at ``level``. Without a length
    the contact arrives cleanly. Away from its level it is for a moment only: the board's thread,
    which a loaded machine may hold up between any two moves that are apart, makes both at once. A
    bounce that grew longer than ``debounce_ms`` would be a second press.
    """
    times = [start_ns]
    if length_ns > 1:
        pairs = min(rng.randint(1, _MOST_BOUNCES), length_ns // 2)
        for back in sorted(rng.sample(range(2, length_ns + 1, 2), pairs)):
            times += [start_ns + back - 1, start_ns + back]
    return tuple(Move(at, pin, level if i % 2 == 0 else 1 - level) for i, at in enumerate(times))


def press(
    wires: Wires, pin: int, *, start_ns: int, for_s: float, bounce_ms: float, seed: int = 0
) -> tuple[Move, ...]:
    """Return every move of one press, in the order of time.

    ``for_s`` runs from the first closing to the first opening; the contact bounces for
    ``bounce_ms`` after each of them, but no longer than it is pressed. A loop contact opens before
    the normally-open one closes, and closes again after that one has come to rest open. The same
    seed bounces alike.
    """
    rng = random.Random(seed)  # noqa: S311  # bounce wants repeatable, not secret, numbers
    loop = wires.loops.get(pin)
    bounce_ns = int(bounce_ms * _MS)
    closes_ns = start_ns if loop is None else start_ns + CHANGEOVER_NS
    opens_ns = closes_ns + max(1, int(for_s * 1000 * _MS))
    closing = bounce(rng, pin, CLOSED, closes_ns, min(bounce_ns, opens_ns - closes_ns - 1))
    opening = bounce(rng, pin, OPEN, opens_ns, bounce_ns)
    if loop is None:
        return (*closing, *opening)
    back_ns = opening[-1].at_ns + CHANGEOVER_NS
    return (
        Move(start_ns, loop, OPEN),
        *closing,
        *opening,
        *bounce(rng, loop, CLOSED, back_ns, bounce_ns),
    )
