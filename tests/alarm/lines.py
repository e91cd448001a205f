"""One button's contacts, moved by hand, with the time kept beside them."""

from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, settings

from gatehouse.alarm import contacts
from gatehouse.alarm.contacts import Contacts, Pressed, Signal, Wiring

MS = 1_000_000
S = 1_000 * MS
NOW_NS = 5_000 * S
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For Hypothesis on a machine that does other things too: speed is no result here."""

WIRING = Wiring(
    has_loop=False,
    latching=False,
    filter_ns=5 * MS,
    debounce_ns=50 * MS,
    changeover_ns=500 * MS,
)
FORM_C = replace(WIRING, has_loop=True)


@dataclass
class Line:
    """One button's contacts with the time kept beside them, and all they said."""

    wiring: Wiring
    now_ns: int = NOW_NS
    said: list[Signal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(
        self,
        *,
        closed: bool = False,
        loop_closed: bool = True,
        alarm_stands: bool = False,
        faults: frozenset[str] = frozenset(),
    ) -> "Line":
        """Start anew with the contacts like this."""
        self.contacts: Contacts
        self.contacts, signals = contacts.begin(
            self.wiring,
            closed=closed,
            loop_closed=loop_closed,
            now_ns=self.now_ns,
            alarm_stands=alarm_stands,
            faults=faults,
        )
        self.said = list(signals)
        return self

    def put(self, closed: bool, *, loop: bool = False, at_ns: int | None = None) -> "Line":
        """Give a level of one contact now, or as of another time."""
        self.contacts, signals = contacts.edge(
            self.wiring,
            self.contacts,
            loop=loop,
            closed=closed,
            at_ns=self.now_ns if at_ns is None else at_ns,
        )
        self.said += signals
        return self

    def wait(self, for_ns: int) -> "Line":
        """Let the time pass."""
        self.now_ns += for_ns
        self.contacts, signals = contacts.advance(self.wiring, self.contacts, self.now_ns)
        self.said += signals
        return self

    def press(self, for_ns: int = 100 * MS, gap_ns: int = 100 * MS) -> "Line":
        """Close and open the contact, the loop moving with it, and wait."""
        self.put(False, loop=True).put(True).wait(for_ns)
        return self.put(False).put(True, loop=True).wait(gap_ns)

    def take(self) -> list[str]:
        """Return what was said since the last look, in short words."""
        said, self.said = self.said, []
        return [word(signal) for signal in said]


def word(signal: Signal) -> str:
    """Say a signal in a few letters: ``pressed``, ``released``, ``+stuck``, ``-stuck``."""
    match signal:
        case contacts.FaultBegan(fault):
            return f"+{fault}"
        case contacts.FaultEnded(fault):
            return f"-{fault}"
        case Pressed(presses=presses) if presses != 1:
            return f"pressed*{presses}"
        case Pressed(held_at_start=True):
            return "held"
    return type(signal).__name__.lower()
