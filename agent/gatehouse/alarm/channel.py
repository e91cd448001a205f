"""One button at work: its contacts, its alarms, its lamps and its relay."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gatehouse import config, events
from gatehouse.alarm import button as stages
from gatehouse.alarm import contacts, lamps
from gatehouse.events import Event, Happening, Mode

log = logging.getLogger(__name__)


class Voice(Protocol):
    """How the alarm room speaks to the rest of the house."""

    def tell(self, happening: Happening) -> Event:
        """Make an event: on its way to the disk and to the district when this returns."""

    def fault(
        self,
        name: str,
        begins: bool,
        *,
        subject: str = "gateway",
        family: str | None = None,
        data: Mapping[str, Any] | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Note that a fault began or ended; telling it twice is harmless."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stood at this button when the service stopped."""

    alarms: tuple[stages.Alarm, ...] = ()
    unreleased: tuple[str, Mode] | None = None
    """Id and mode of the contact's last stored alarm, if it was never released."""
    last_alarm: str | None = None
    faults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the lamps of a button show besides its alarms."""

    proven: bool
    fault: bool
    chirp_silenced: bool
    trial: lamps.Trial | None = None


class Channel:
    """Turns the contacts' signals into events, and events' progress into lamps."""

    def __init__(
        self,
        button: config.Button,
        *,
        receipts: bool,
        standing: Standing,
        voice: Voice,
        player: lamps.Player,
        mode_at: Callable[[str, int], Mode],
    ) -> None:
        self.config = button
        self.wiring = contacts.Wiring.of(button)
        self.last_alarm = standing.last_alarm
        self._standing = standing
        self._voice = voice
        self._player = player
        self._mode_at = mode_at
        self._held = standing.unreleased
        self._untold: list[tuple[contacts.Pressed, Mode]] = []
        self.alarms = stages.Button(button.name, receipts, standing.alarms)
        self._tests_end = False
        self._relay_closed = self.alarms.relay
        self.contacts: contacts.Contacts | None = None

    @property
    def subject(self) -> str:
        """The events' subject."""
        return f"button/{self.config.name}"

    @property
    def line(self) -> contacts.Line:
        """The line's state; normal until the contacts were read."""
        return self.contacts.line if self.contacts else contacts.Line.NORMAL

    def begin(self, *, closed: bool, loop_closed: bool, now_ns: int) -> None:
        """Take the contacts as they are at start."""
        self._move_relay()
        self.contacts, signals = contacts.begin(
            self.wiring,
            closed=closed,
            loop_closed=loop_closed,
            now_ns=now_ns,
            alarm_stands=self._standing.unreleased is not None,
            faults=self._standing.faults,
        )
        self._react(signals, now_ns)
        try:
            self.end_tests()  # a walk test does not outlive the service
        except Exception:  # nor does it hold up the next press
            log.exception("%s: a walk test could not be ended", self.subject)

    def edge(self, *, loop: bool, closed: bool, at_ns: int) -> None:
        """Take a level of one of the two contacts."""
        if self.contacts is None:
            return
        self.contacts, signals = contacts.edge(
            self.wiring, self.contacts, loop=loop, closed=closed, at_ns=at_ns
        )
        self._react(signals, at_ns)

    def advance(self, now_ns: int) -> None:
        """Do what is due."""
        if self.contacts is not None:
            self._tell_again(now_ns)
            self.contacts, signals = contacts.advance(self.wiring, self.contacts, now_ns)
            self._react(signals, now_ns)
        self.alarms = stages.advance(self.alarms, now_ns)

    def deadline(self) -> int | None:
        """When `advance` has something to do, CLOCK_MONOTONIC in ns."""
        due = [
            at
            for at in (
                self.contacts.deadline(self.wiring) if self.contacts else None,
                self.alarms.deadline(),
            )
            if at is not None
        ]
        return min(due, default=None)

    def moved(self, alarm_id: str, stage: stages.Stage) -> bool:
        """Note how far an alarm got; False if it is none of this button's open ones."""
        before = self.alarms
        self.alarms = stages.moved(before, alarm_id, stage)
        return any(alarm.id == alarm_id for alarm in before.alarms)

    def acknowledged(self, alarm_id: str) -> tuple[str, ...] | None:
        """Note a person's answer; the ids it answers, or None if the alarm is not open here."""
        after = stages.acknowledged(self.alarms, alarm_id)
        if after is None:
            return None
        self.alarms = after
        return tuple(alarm.id for alarm in after.alarms if alarm.acknowledged)

    def reset(self, *, by: str, reason: str, at_ns: int | None = None) -> int:
        """End this button's alarms by hand, on site; returns how many there were."""
        self.alarms, ended = stages.reset(self.alarms)
        self._tests_end = False
        self._relay_closed = False
        self._move_relay()
        if not ended:
            return 0
        modes = {alarm.mode for alarm in ended}
        mode = Mode.REAL if Mode.REAL in modes else ended[0].mode
        data = {"by": by, "reason": reason, "alarms": [alarm.id for alarm in ended]}
        self._voice.tell(Happening(events.ALARM_RESET, self.subject, data, mode, at_ns))
        return len(ended)

    def end_tests(self) -> None:
        """End the alarms of a walk test, and no other: a real one stands until a hand resets it.

        While the contact is closed they stay until it opens: a button that is pressed, held by a
        latch or stuck, must not look like one that is idle. Nor does the relay move.
        """
        self._tests_end = self._held is not None
        if self._tests_end:
            return
        self.alarms, ended = stages.ended(self.alarms, Mode.TEST)
        if ended:
            ids = [alarm.id for alarm in ended]
            data = {"by": "walktest", "reason": "test", "alarms": ids}
            self._voice.tell(Happening(events.ALARM_RESET, self.subject, data, Mode.TEST))

    def show(self, around: Surroundings) -> None:
        """Light the lamps and sound the buzzer as things stand now."""
        pins = self.config.lamps
        look = lamps.look(
            stages.Stage.UNDELIVERED if self._untold else self.alarms.stage,
            ready=around.proven and self.line is contacts.Line.NORMAL,
            fault=around.fault or self.line not in {contacts.Line.NORMAL, contacts.Line.ACTIVE},
            silent=self.config.silent,
            walk_test=self.alarms.walk_test,
            chirp_silenced=around.chirp_silenced,
            has_green=pins.green is not None,
            has_yellow=pins.yellow is not None,
            trial=around.trial,
        )
        for pin, pattern in (
            (pins.red, look.red),
            (pins.yellow, look.yellow),
            (pins.green, look.green),
            (self.config.buzzer, look.buzzer),
        ):
            if pin is not None:
                self._player.show(pin, pattern)
        self._move_relay()  # where a write failed, this is the next try

    def _move_relay(self) -> None:
        if self.config.relay is not None:
            pattern = lamps.STEADY if self._relay_closed else lamps.DARK
            self._player.show(self.config.relay, pattern)

    def _react(self, signals: tuple[contacts.Signal, ...], at_ns: int) -> None:
        """Tell what the contacts said; if one thing cannot be told, the next may be a press."""
        steps = [partial(self._take, signal) for signal in signals]
        for step in (*steps, partial(self._turned_back, at_ns)):
            try:
                step()
            except Exception:  # the press, if it is one, is told again
                log.exception("%s: not told: %s", self.subject, step.args)

    def _take(self, signal: contacts.Signal) -> None:
        match signal:
            case contacts.Pressed():
                self._pressed(signal)
            case contacts.Released():
                self._released(signal.at_ns, loop_cut=signal.loop_cut)
            case contacts.FaultBegan():
                self._voice.fault(
                    signal.fault,
                    True,
                    subject=self.subject,
                    data={"location": self.config.location},
                    at_ns=signal.at_ns,
                )
            case contacts.FaultEnded():
                self._voice.fault(signal.fault, False, subject=self.subject, at_ns=signal.at_ns)

    def _pressed(self, signal: contacts.Pressed) -> None:
        """Relay first (a contact, no disk, no network), then disk and district at once."""
        single = signal.presses == 1  # a drill covers no more than that
        mode = self._mode_at(self.config.name, signal.at_ns) if single else Mode.REAL
        if mode is Mode.REAL:
            self._relay_closed = True
            self._move_relay()
        self._untold.append((signal, mode))
        self._tell_presses()

    def _tell_presses(self) -> None:
        """Tell each press that is not told; where that fails, it stays to be told again."""
        while self._untold:
            signal, mode = self._untold[0]
            data: dict[str, Any] = {
                "location": self.config.location,
                "held_at_start": signal.held_at_start,
            }
            if signal.presses != 1:
                data["presses"] = signal.presses
            happening = Happening(events.ALARM_RAISED, self.subject, data, mode, signal.at_ns)
            event = self._voice.tell(happening)
            del self._untold[0]
            self.alarms = stages.raised(self.alarms, event.id, mode, signal.at_ns)
            self.last_alarm = event.id
            self._held = (event.id, mode)

    def _tell_again(self, now_ns: int) -> None:
        """Telling is not meant to fail; if it did, the press must not end in a line of the log."""
        if not self._untold or self.contacts is None:
            return
        try:
            self._tell_presses()
            if not self.contacts.unreleased:
                self._released(now_ns)
        except Exception:  # tried again at the next tick
            log.exception("%s: a press could not be told again", self.subject)

    def _released(self, at_ns: int, *, loop_cut: bool = False) -> None:
        if self._held is None:
            return
        alarm_id, mode = self._held
        self._held = None
        data = {"location": self.config.location, "alarm": alarm_id}
        self._voice.tell(Happening(events.ALARM_RELEASED, self.subject, data, mode, at_ns))
        if loop_cut:  # it was cut before the press, so that it will never say "turned back"
            self._turned_back(at_ns, loop_cut=True)
        if self._tests_end:
            self.end_tests()

    def _turned_back(self, at_ns: int, *, loop_cut: bool = False) -> None:
        """Reset a latching button that is out; a wire that was cut behind its alarm is no reset."""
        if self.contacts is None or not (self.config.latching and self.alarms.alarms):
            return
        if loop_cut or self.contacts.at_rest(self.wiring):
            self.reset(by="button", reason="turned-back", at_ns=at_ns)
