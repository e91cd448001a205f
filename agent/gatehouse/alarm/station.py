"""All buttons of a gatehouse at work: pins in, events and lamps out.

Everything here runs in the event loop; the board's thread only hands edges over.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gatehouse import config, events
from gatehouse.alarm import contacts, drill, inputs, lamps, walktest
from gatehouse.alarm.button import Stage
from gatehouse.alarm.channel import Channel, Standing, Surroundings, Voice
from gatehouse.alarm.gpio import Board, Edge
from gatehouse.alarm.trial import Trials
from gatehouse.errors import BoardError, ControlError
from gatehouse.events import Happening, Mode
from gatehouse.texts import _

log = logging.getLogger(__name__)

PROBE_PIN: Final = -1
"""An edge on this pin is the watchdog's: it goes the way of a press and ends at ``on_probe``."""

_NS: Final = 1_000_000_000
_SILENCE_NS: Final = 24 * 3600 * _NS
_CONFIRM_S: Final = 0.05
"""For so long the edge of a level that was read may still be on its way from the board's thread."""
_MISSED_ENDS_NS: Final = 600 * _NS
_PROBE_WIRING: Final = contacts.Wiring(
    has_loop=False, latching=False, filter_ns=0, debounce_ns=0, changeover_ns=0
)


class Outside(Protocol):
    """What the station asks of the rest of the house."""

    def proven(self) -> bool:
        """Whether the district was proven within the last minute."""

    def faulty(self) -> bool:
        """Whether any fault stands."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a station is made of."""

    buttons: tuple[config.Button, ...]
    enclosure: config.Enclosure
    receipts: bool
    standing: Mapping[str, Standing]


class Station:
    """Feeds levels to the buttons, lets time pass for them, and shows what they say."""

    def __init__(
        self,
        parts: Parts,
        *,
        board: Board,
        voice: Voice,
        outside: Outside,
        loop: asyncio.AbstractEventLoop,
        monotonic_ns: Callable[[], int],
        on_probe: Callable[[], None],
    ) -> None:
        self._board = board
        self._voice = voice
        self._outside = outside
        self._loop = loop
        self._now = monotonic_ns
        self._on_probe = on_probe
        self._enclosure = {
            "tamper": (parts.enclosure.tamper, "tamper"),
            "mains": (parts.enclosure.mains, "power"),
        }
        self._drill: drill.Drill | None = None
        self.walk: walktest.Walk | None = None
        """The walk test that is on; whoever began it notes its progress and ends it."""
        self._trials = Trials(loop, self.refresh)
        self._silenced_until_ns = 0
        self._missed_at_ns: int | None = None
        self._levels: dict[int, int] = {}
        self._heard: dict[int, int] = {}
        self._inputs: dict[int, inputs.Input] = {}
        self._outputs_failed: dict[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._player = lamps.Player(
            loop=loop, write=board.write, on_failure=self._output_failed, on_mended=self._mended
        )
        self.channels = {
            button.name: Channel(
                button,
                receipts=parts.receipts,
                standing=parts.standing.get(button.name, Standing()),
                voice=voice,
                player=self._player,
                mode_at=self._mode_at,
            )
            for button in parts.buttons
        }
        self._contact_of = {c.config.pin: (c, False) for c in self.channels.values()}
        self._contact_of |= {
            c.config.loop: (c, True) for c in self.channels.values() if c.config.loop is not None
        }
        self._reset_of = {
            c.config.reset: c for c in self.channels.values() if c.config.reset is not None
        }

    def channel(self, name: str) -> Channel:
        """Return a button's channel. ControlError: no such button."""
        if name not in self.channels:
            known = ", ".join(self.channels)
            said = _("no button {name} in the configuration; there are: {known}")
            raise ControlError(said.format(name=name, known=known))
        return self.channels[name]

    def begin(self, levels: Mapping[int, int], now_ns: int) -> None:
        """Take the levels as they were when the board began to deliver edges."""
        self._levels = dict(levels)
        self._missed_at_ns = now_ns  # one that stood when the service stopped ends in its time
        for name, (pin_or_none, family) in self._enclosure.items():
            if pin_or_none is None:
                self._voice.fault(name, False, family=family)
        for pin in self._simple_inputs():
            closed = levels[pin] == 0
            self._inputs[pin] = inputs.Input(closed, closed, now_ns)
            self._enclosure_says(pin, closed, now_ns)
        for channel in self.channels.values():
            loop_pin = channel.config.loop
            channel.begin(
                closed=levels[channel.config.pin] == 0,
                loop_closed=loop_pin is not None and levels[loop_pin] == 0,
                now_ns=now_ns,
            )
        self._settle_soon()

    def edge(self, edge: Edge) -> None:
        """Take one edge; the board's thread gets here by ``call_soon_threadsafe``."""
        if edge.pin == PROBE_PIN:
            self._probe(edge.at_ns)
            return
        self._settle_soon()
        self._let_inputs_pass(edge.at_ns)  # a key turned before this press must not reset it
        self._levels[edge.pin] = edge.level
        self._heard[edge.pin] = self._heard.get(edge.pin, 0) + 1
        closed = edge.level == 0
        if edge.pin in self._contact_of:
            channel, loop = self._contact_of[edge.pin]
            channel.edge(loop=loop, closed=closed, at_ns=edge.at_ns)
        elif edge.pin in self._inputs:
            before = self._inputs[edge.pin]
            self._input(edge.pin, inputs.level(before, closed=closed, at_ns=edge.at_ns))

    def tick(self) -> None:
        """Once a second: compare every level with what the edges said, and refresh the lamps."""
        now = self._now()
        unread: dict[int, str] = {}
        for pin, known in self._levels.items():
            try:
                level = self._board.level(pin)
            except BoardError as exc:
                unread[pin] = str(exc)
                continue
            if level != known:
                seen, heard = Edge(pin, level, now), self._heard.get(pin, 0)
                self._loop.call_later(_CONFIRM_S, self._confirm, seen, heard)
        self._voice.fault("board", bool(unread), data={"pins": unread})
        self._tell_outputs()
        if self._missed_at_ns is not None and now - self._missed_at_ns > _MISSED_ENDS_NS:
            self._missed_at_ns = None
            self._voice.fault("missed-edge", False)
        self._settle()

    def refresh(self) -> None:
        """Show the lamps anew: a stage, the link or a fault has changed."""
        now = self._now()
        around = Surroundings(
            proven=self._outside.proven(),
            fault=self._outside.faulty(),
            chirp_silenced=now < self._silenced_until_ns,
            trial=self._trials.now,
        )
        for channel in self.channels.values():
            channel.show(around)

    def moved(self, alarm_id: str, stage: Stage) -> bool:
        """Note how far an alarm got; whether it is an open alarm here."""
        for channel in self.channels.values():
            if channel.moved(alarm_id, stage):
                self._settle_soon()
                return True
        return False

    def acknowledged(self, alarm_id: str) -> tuple[str, ...] | None:
        """Note a person's answer; the alarms it answers, or None if it is not open here."""
        for channel in self.channels.values():
            answered = channel.acknowledged(alarm_id)
            if answered is not None:
                self._settle_soon()
                return answered
        return None

    def reset(self, button: str, *, by: str, reason: str) -> int:
        """End a button's alarms, on site; how many there were. ControlError: no such button."""
        count = self.channel(button).reset(by=by, reason=reason)
        self._settle_soon()
        return count

    def end_tests(self, button: str) -> None:
        """End what a walk test raised at a button; its other alarms stand."""
        self.channels[button].end_tests()
        self._settle_soon()

    def try_outputs(self, seconds: float, *, sound: bool) -> dict[int, str]:
        """Blink every lamp; return the pins that cannot be switched, and why.

        Raises ControlError while an alarm stands: its lamps are the guard's.
        """
        if any(channel.alarms.alarms for channel in self.channels.values()):
            raise ControlError(_("an alarm stands: its lamps are needed"), "alarm-stands")
        self._trials.begin(seconds, sound=sound)
        return dict(self._outputs_failed)

    def start_drill(self, buttons: Sequence[str], duration_s: float) -> drill.Drill:
        """Make the next press of each of these buttons a drill; ControlError if that cannot be."""
        if self._drill is not None:
            raise ControlError(_("a drill is running: stop it first (gatehouse drill stop)"))
        if self.walk is not None:
            raise ControlError(_("a walk test is running: end it first"))
        if not 0 < duration_s <= drill.LONGEST_S:
            raise ControlError(_("a drill lasts more than 0 and at most 30 minutes"))
        names = tuple(dict.fromkeys(self.channel(name).config.name for name in buttons))
        if not names:
            raise ControlError(_("a drill needs at least one button"))
        now = self._now()
        self._drill = drill.Drill(names, now, now + int(duration_s * _NS))
        data = {"buttons": list(names), "seconds": duration_s}
        self._voice.tell(Happening(events.DRILL_STARTED, "gateway", data, Mode.DRILL))
        self._settle_soon()
        return self._drill

    def stop_drill(self) -> bool:
        """End the drill; False if there is none."""
        if self._drill is None:
            return False
        self._end_drill(self._drill, "stopped")
        return True

    def drill_left_s(self) -> tuple[tuple[str, ...], float] | None:
        """Return the buttons still covered and the seconds left, or None without a drill."""
        if self._drill is None:
            return None
        return self._drill.buttons, max(0.0, (self._drill.until_ns - self._now()) / _NS)

    def close(self) -> None:
        """Stop the timers and leave the outputs dark."""
        self._trials.end()
        for handle in (self._timer, self._soon):
            if handle is not None:
                handle.cancel()
        self._player.close()

    def _mode_at(self, button: str, at_ns: int) -> Mode:
        if self.walk is not None and self.walk.covers(button, at_ns):
            self.walk = walktest.pressed(self.walk, button, at_ns)
            return Mode.TEST
        if self._drill is None or not self._drill.covers(button, at_ns):
            return Mode.REAL
        self._drill = drill.pressed(self._drill, button)
        return Mode.DRILL

    def _end_drill(self, ended: drill.Drill, reason: str) -> None:
        self._drill = None
        data = {"reason": reason, "not_pressed": list(ended.buttons)}
        self._voice.tell(Happening(events.DRILL_ENDED, "gateway", data, Mode.DRILL))

    def _simple_inputs(self) -> list[int]:
        pins = [*self._reset_of, *(pin for pin, _ in self._enclosure.values())]
        return [pin for pin in pins if pin is not None]

    def _input(self, pin: int, after: inputs.Input) -> None:
        before = self._inputs[pin]
        self._inputs[pin] = after
        if after.closed == before.closed:
            return
        if pin in self._reset_of:
            if after.closed:
                self._silenced_until_ns = self._now() + _SILENCE_NS
                self._reset_of[pin].reset(by="key", reason="key")
        else:
            self._enclosure_says(pin, after.closed, after.since_ns)

    def _enclosure_says(self, pin: int, closed: bool, at_ns: int) -> None:
        for name, (its_pin, family) in self._enclosure.items():
            if pin == its_pin:
                self._voice.fault(name, not closed, family=family, at_ns=at_ns)

    def _probe(self, at_ns: int) -> None:
        state, _ = contacts.begin(
            _PROBE_WIRING,
            closed=False,
            loop_closed=False,
            now_ns=at_ns,
            alarm_stands=False,
            faults=frozenset(),
        )
        _, signals = contacts.edge(_PROBE_WIRING, state, loop=False, closed=True, at_ns=at_ns)
        if any(isinstance(signal, contacts.Pressed) for signal in signals):
            self._on_probe()

    def _confirm(self, seen: Edge, heard: int) -> None:
        """Take a level that was seen without an edge as the edge, also if it is over by now.

        ``heard`` edges of that pin had come when it was seen: one more since then was only late.
        """
        if self._heard.get(seen.pin, 0) != heard:
            return
        log.error("pin %d read %d but no edge said so; taken as an edge", seen.pin, seen.level)
        self._missed_at_ns = self._now()
        self.edge(seen)
        with contextlib.suppress(BoardError):  # the next tick tells the fault
            level = self._board.level(seen.pin)
            if level != seen.level:
                self.edge(Edge(seen.pin, level, self._now()))
        self._voice.fault("missed-edge", True, data={"pin": seen.pin})

    def _settle_soon(self) -> None:
        """Settle once the edges that wait in the loop are taken.

        Letting the time pass to now between two edges of the past would make one spike a press.
        """
        if self._soon is None:
            self._soon = self._loop.call_soon(self._settle)

    def _settle(self) -> None:
        """Do what is due, show it, and set the timer for what is due next."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        now = self._now()
        try:
            self._let_inputs_pass(now)
            for channel in self.channels.values():
                channel.advance(now)
            if self._drill is not None and (reason := self._drill.over(now)):
                self._end_drill(self._drill, reason)
            self.refresh()
        finally:  # whatever failed, what is due next is done
            self._set_timer(now)

    def _let_inputs_pass(self, now_ns: int) -> None:
        for pin, state in list(self._inputs.items()):
            try:
                self._input(pin, inputs.advance(state, now_ns))
            except Exception:  # a key or a lid that cannot be told holds no press up
                log.exception("the input at pin %d could not be told", pin)

    def _set_timer(self, now: int) -> None:
        due = [channel.deadline() for channel in self.channels.values()]
        due += [state.deadline() for state in self._inputs.values()]
        if self._drill is not None:
            due.append(self._drill.until_ns)
        next_ns = min((at for at in due if at is not None), default=None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if next_ns is not None:
            self._timer = self._loop.call_later(max(0.0, (next_ns - now) / _NS), self._settle)

    def _output_failed(self, pin: int, error: Exception) -> None:
        self._outputs_failed[pin] = str(error)
        self._loop.call_soon(self._tell_outputs)  # a relay fails in a press, which goes first

    def _mended(self, pin: int) -> None:
        self._outputs_failed.pop(pin, None)
        self._loop.call_soon(self._tell_outputs)

    def _tell_outputs(self) -> None:
        failed = dict(self._outputs_failed)
        self._voice.fault("output", bool(failed), data={"pins": failed})
