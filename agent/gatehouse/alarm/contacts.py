"""One button's contacts: from timestamped levels to presses and line faults. Pure.

All times are CLOCK_MONOTONIC in ns. A press begins with the first closing of the normally-open
contact, ends once it was open for the debounce time in a row, and alarms as soon as the closed time
within it reaches the filter time (contract section 2).

Edges may come late, when time has already been let pass beyond them: they still count as of when
they were, so that a press keeps its length however busy the machine is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace  # a press is copied a dozen times: a tenth of dataclasses'

from gatehouse.config.model import Button

_MS: Final = 1_000_000
STUCK_NS: Final = 60_000 * _MS
"""A contact that stays closed this long without a latch is stuck (issue 2)."""
MINUTE_NS: Final = 60_000 * _MS
CHATTER_PRESSES: Final = 600
"""More presses than this in a minute are a fault, not a hand (contract section 4)."""
CALM_PRESSES: Final = 60
"""A minute with at most this many presses ends the chatter: a hand presses once a second."""


class Line(StrEnum):
    """What the wiring says (contract section 5)."""

    NORMAL = "normal"
    ACTIVE = "active"
    OPEN = "open"
    SHORT = "short"
    STUCK = "stuck"
    CHATTER = "chatter"


@dataclass(frozen=True, slots=True)
class Wiring:
    """How one button is wired and how patient we are with it; times in ns."""

    has_loop: bool
    latching: bool
    filter_ns: int
    debounce_ns: int
    changeover_ns: int

    @classmethod
    def of(cls, button: Button) -> Self:
        """Take the wiring from the configuration."""
        return cls(
            has_loop=button.loop is not None,
            latching=button.latching,
            filter_ns=button.filter_ms * _MS,
            debounce_ns=button.debounce_ms * _MS,
            changeover_ns=button.changeover_ms * _MS,
        )


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press, or so many of them while the contact chatters: becomes one alarm."""

    at_ns: int
    presses: int = 1
    held_at_start: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """The contact of the last press is open again.

    ``loop_cut``: the loop was known to be cut when that press began, and tells nothing of it.
    """

    at_ns: int
    loop_cut: bool = False


@dataclass(frozen=True, slots=True)
class FaultBegan:
    """``open``, ``short``, ``stuck`` or ``chatter`` began."""

    fault: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """A fault of this line ended."""

    fault: str
    at_ns: int


Signal = Pressed | Released | FaultBegan | FaultEnded
Signals = tuple[Signal, ...]


class Press(Struct, frozen=True):
    """A press that has not ended."""

    began_ns: int
    closed_since_ns: int | None
    """Since when the contact is closed; None while it is open within the press."""
    closed_before_ns: int = 0
    """Closed time of this press before the present closing."""
    held: bool = False
    reported: bool = False
    loop_cut: bool = False


class Chatter(Struct, frozen=True):
    """Presses are counted, and told once a minute."""

    until_ns: int
    presses: int = 0


class Supervised(Struct, frozen=True):
    """One fault of the two contacts: told or not, and since when things are not as told."""

    told: bool
    other_since_ns: int | None = None


class Contacts(Struct, frozen=True):
    """All that is known of one button's contacts."""

    closed: bool
    loop_closed: bool
    changed_ns: int
    """When the normally-open contact last changed; an edge is never taken as older than that."""
    loop_changed_ns: int
    press: Press | None = None
    unreleased: bool = False
    stuck: bool = False
    recent: tuple[int, ...] = ()
    chatter: Chatter | None = None
    open: Supervised = Supervised(told=False)
    short: Supervised = Supervised(told=False)

    @property
    def line(self) -> Line:
        """What the line shows; the state that hides most from the district comes first."""
        shown = (
            (self.chatter is not None, Line.CHATTER),
            (self.stuck, Line.STUCK),
            (self.short.told, Line.SHORT),
            (self.press is not None and self.press.reported, Line.ACTIVE),
            (self.open.told, Line.OPEN),
        )
        return next((line for holds, line in shown if holds), Line.NORMAL)

    def at_rest(self, wiring: Wiring) -> bool:
        """Whether the button is out: the loop, where there is one, tells that from a cut wire."""
        out = not wiring.has_loop or (self.loop_closed and not self.open.told)
        return out and self.press is None

    def deadline(self, wiring: Wiring) -> int | None:
        """When `advance` has something to do."""
        due = [at for at, _ in _due(wiring, self)]
        return min(due, default=None)


def begin(
    wiring: Wiring,
    *,
    closed: bool,
    loop_closed: bool,
    now_ns: int,
    alarm_stands: bool,
    faults: frozenset[str],
) -> tuple[Contacts, Signals]:
    """Take the contacts as they are at start.

    ``alarm_stands``: the contact's last stored alarm was never released, so a contact that is still
    closed is that press. ``faults`` stood when the service stopped; their ends will be told.
    """
    signals: list[Signal] = []
    press = None
    if closed:
        loop_cut = wiring.has_loop and "open" in faults
        press = Press(now_ns, now_ns, held=True, reported=alarm_stands, loop_cut=loop_cut)
    elif alarm_stands:
        signals.append(Released(now_ns))
    signals += [
        FaultEnded(fault, now_ns)
        for fault, gone in (
            ("stuck", press is None or not press.reported),
            ("open", not wiring.has_loop),
            ("short", not wiring.has_loop),
        )
        if fault in faults and gone
    ]
    state = Contacts(
        closed,
        loop_closed,
        now_ns,
        now_ns,
        press,
        unreleased=closed and alarm_stands,
        stuck="stuck" in faults and press is not None and press.reported,
        chatter=Chatter(now_ns + MINUTE_NS) if "chatter" in faults else None,
        open=Supervised("open" in faults and wiring.has_loop),
        short=Supervised("short" in faults and wiring.has_loop),
    )
    state, more = advance(wiring, _supervise(wiring, state, now_ns), now_ns)
    return state, (*signals, *more)


def edge(
    wiring: Wiring, state: Contacts, *, loop: bool, closed: bool, at_ns: int
) -> tuple[Contacts, Signals]:
    """Take a level of one contact; equal levels and times that go backwards are harmless."""
    at_ns = max(at_ns, state.loop_changed_ns if loop else state.changed_ns)
    state, before = advance(wiring, state, at_ns)
    if closed == (state.loop_closed if loop else state.closed):
        return state, before
    if loop:
        state = replace(state, loop_closed=closed, loop_changed_ns=at_ns)
    else:
        press = _moved(state, closed, at_ns)
        state = replace(state, closed=closed, changed_ns=at_ns, press=press)
    state, after = advance(wiring, _supervise(wiring, state, at_ns), at_ns)
    return state, before + after


def advance(wiring: Wiring, state: Contacts, now_ns: int) -> tuple[Contacts, Signals]:
    """Let the time pass, and do what falls due on the way at the time it was due."""
    signals: list[Signal] = []
    while due := [(at, step) for at, step in _due(wiring, state) if at <= now_ns]:
        at_ns, step = min(due, key=lambda one: one[0])
        state, said = step(state, at_ns)
        signals += said
    return state, tuple(signals)


Step = Callable[[Contacts, int], tuple[Contacts, Signals]]


def _due(wiring: Wiring, state: Contacts) -> Iterator[tuple[int, Step]]:
    """Yield what will happen if nothing else does, and when."""
    press = state.press
    if press is not None:
        if press.closed_since_ns is None:
            yield state.changed_ns + wiring.debounce_ns, _end_press
        elif not press.reported:
            yield press.closed_since_ns + wiring.filter_ns - press.closed_before_ns, _report
        elif not wiring.latching and not state.stuck:
            yield max(press.began_ns + STUCK_NS, press.closed_since_ns), _stick
    for name, watched, after_ns in (
        ("open", state.open, wiring.changeover_ns),
        ("short", state.short, wiring.changeover_ns),
    ):
        if watched.other_since_ns is not None:
            wait_ns = wiring.debounce_ns if watched.told else after_ns
            yield watched.other_since_ns + wait_ns, partial(_turn, name)
    if state.chatter is not None:
        yield state.chatter.until_ns, _minute


def _moved(state: Contacts, closed: bool, at_ns: int) -> Press | None:
    """Follow the normally-open contact within a press; a closing begins one."""
    press = state.press
    if closed:
        if press is None:
            return Press(at_ns, at_ns, loop_cut=state.open.told)
        return replace(press, closed_since_ns=at_ns)
    if press is None or press.closed_since_ns is None:
        return press
    closed_ns = press.closed_before_ns + at_ns - press.closed_since_ns
    return replace(press, closed_since_ns=None, closed_before_ns=closed_ns)


def _supervise(wiring: Wiring, state: Contacts, at_ns: int) -> Contacts:
    """Compare both contacts with what was told of the line.

    An open line is mended only when the loop closes again: a press through it proves nothing.
    """
    if not wiring.has_loop:
        return state
    both_open = not state.closed and not state.loop_closed
    is_open = not state.loop_closed if state.open.told else both_open
    is_short = state.closed and state.loop_closed
    return replace(
        state,
        open=_compared(state.open, is_open, at_ns),
        short=_compared(state.short, is_short, at_ns),
    )


def _compared(watched: Supervised, holds: bool, at_ns: int) -> Supervised:
    if holds == watched.told:
        return replace(watched, other_since_ns=None)
    return watched if watched.other_since_ns is not None else Supervised(watched.told, at_ns)


def _turn(name: str, state: Contacts, at_ns: int) -> tuple[Contacts, Signals]:
    """A line fault has lasted long enough to be told, or been gone long enough."""
    watched: Supervised = getattr(state, name)
    fresh = Supervised(not watched.told)
    state = replace(state, open=fresh) if name == "open" else replace(state, short=fresh)
    return state, ((FaultBegan if fresh.told else FaultEnded)(name, at_ns),)


def _report(state: Contacts, at_ns: int) -> tuple[Contacts, Signals]:
    """The closed time of a press has reached the filter time."""
    press = state.press
    if press is None:
        return state, ()
    state = replace(state, press=replace(press, reported=True))
    if state.chatter is not None and not press.held:  # what stood closed at start waits for nothing
        return replace(state, chatter=replace(state.chatter, presses=state.chatter.presses + 1)), ()
    recent = (*(at for at in state.recent if at_ns - at < MINUTE_NS), at_ns)
    signals: Signals = (Pressed(at_ns, held_at_start=press.held),)
    if len(recent) > CHATTER_PRESSES:
        recent = ()
        state = replace(state, chatter=Chatter(at_ns + MINUTE_NS))
        signals = (*signals, FaultBegan("chatter", at_ns))
    return replace(state, recent=recent, unreleased=True), signals


def _minute(state: Contacts, at_ns: int) -> tuple[Contacts, Signals]:
    """A minute of chatter is over: one alarm for all its presses, and on unless it was calm."""
    chatter = state.chatter
    if chatter is None:
        return state, ()
    signals: list[Signal] = []
    if chatter.presses:
        signals.append(Pressed(at_ns, presses=chatter.presses))
        state = replace(state, unreleased=True)
        if state.press is None:
            signals.append(Released(at_ns))
            state = replace(state, unreleased=False)
    if chatter.presses <= CALM_PRESSES:
        signals.append(FaultEnded("chatter", at_ns))
        return replace(state, chatter=None), tuple(signals)
    return replace(state, chatter=Chatter(at_ns + MINUTE_NS)), tuple(signals)


def _stick(state: Contacts, at_ns: int) -> tuple[Contacts, Signals]:
    return replace(state, stuck=True), (FaultBegan("stuck", at_ns),)


def _end_press(state: Contacts, at_ns: int) -> tuple[Contacts, Signals]:
    """The contact has been open for the debounce time: the press, or the spike, is over."""
    signals: list[Signal] = []
    if state.unreleased:
        signals.append(Released(at_ns, state.press is not None and state.press.loop_cut))
    if state.stuck:
        signals.append(FaultEnded("stuck", at_ns))
    return replace(state, press=None, stuck=False, unreleased=False), tuple(signals)
