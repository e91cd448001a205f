"""One button on trial: was it pressed, let go of, and did its wiring say so? Pure.

It is judged by the very rules of the alarm service (alarm/contacts.py), so that what is proven here
is what will raise an alarm there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse import unproven
from gatehouse.alarm import contacts
from gatehouse.alarm.contacts import Contacts, Pressed, Released, Signals, Wiring
from gatehouse.config.model import Button
from gatehouse.setup.proofs import Proof
from gatehouse.texts import _

CLOSED = 0


@dataclass(slots=True)
class Trial:
    """What was seen of one button since it began; times are CLOCK_MONOTONIC in ns."""

    button: Button
    wiring: Wiring
    contacts: Contacts
    began_closed: bool
    loop_opened: bool = False
    pressed: bool = False
    released: bool = False
    turned: bool = False

    @classmethod
    def begin(cls, button: Button, levels: Mapping[int, int], now_ns: int) -> "Trial":
        """Take the contacts as they are."""
        wiring = Wiring.of(button)
        closed = levels[button.pin] == CLOSED
        state, _signals = contacts.begin(
            wiring,
            closed=closed,
            loop_closed=button.loop is not None and levels[button.loop] == CLOSED,
            now_ns=now_ns,
            alarm_stands=closed,  # a contact that is closed already is no press of this trial
            faults=frozenset(),
        )
        return cls(button, wiring, state, closed)

    def edge(self, pin: int, level: int, at_ns: int) -> bool:
        """Take an edge of any pin; returns whether it was news: pressed, let go of, or turned."""
        closed = level == CLOSED
        if pin == self.button.reset:
            news = closed and not self.turned
            self.turned = self.turned or closed
            return news
        if pin not in {self.button.pin, self.button.loop}:
            return False
        loop = pin == self.button.loop
        self.loop_opened = self.loop_opened or (loop and not closed)
        self.contacts, signals = contacts.edge(
            self.wiring, self.contacts, loop=loop, closed=closed, at_ns=at_ns
        )
        return self._take(signals)

    def advance(self, now_ns: int) -> bool:
        """Let time pass; returns whether there was news."""
        self.contacts, signals = contacts.advance(self.wiring, self.contacts, now_ns)
        return self._take(signals)

    def _take(self, signals: Signals) -> bool:
        news = False
        for signal in signals:
            if isinstance(signal, Pressed):
                news = news or not self.pressed
                self.pressed = True
            elif isinstance(signal, Released) and self.pressed:
                news = news or not self.released
                self.released = True
        return news

    @property
    def over(self) -> bool:
        """Whether nothing is waited for any more."""
        state = self.contacts
        settled = state.at_rest(self.wiring) or state.open.told or state.short.told
        return self.released and settled and (self.turned or self.button.reset is None)

    def proofs(self) -> list[Proof]:
        """Say what is proven now."""
        subject = f"button/{self.button.name}"
        proofs = [Proof(subject, unproven.PRESS, self._why())]
        if self.button.reset is not None:
            why = None if self.turned else _("the reset key was not turned")
            proofs.append(Proof(subject, unproven.RESET, why))
        return proofs

    def _why(self) -> str | None:
        if not self.pressed:
            return _("closed all the time") if self.began_closed else _("not pressed")
        if not self.released:
            return _("pressed, but not let go of")
        if self.button.loop is None:
            return None
        if not self.loop_opened:
            return _("its loop did not open with the press")
        if not self.contacts.loop_closed:
            return _("its loop is open: a cut wire, or another pin")
        return None
