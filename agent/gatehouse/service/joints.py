"""Where the rooms meet: what the disk and the district report, and who is told of it."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gatehouse import events
from gatehouse.alarm.button import Stage
from gatehouse.clock import Clock
from gatehouse.errors import NotRunningError
from gatehouse.events import Event, Happening
from gatehouse.service import pictures
from gatehouse.service.documents import Rooms
from gatehouse.service.requests import Watchers
from gatehouse.service.voice import Voice
from gatehouse.systemd import Notifier
from gatehouse.uplink import Hooks, LinkState, LinkStatus

log = logging.getLogger(__name__)

PROVEN_NS: Final = 60_000_000_000
"""Contract section 6: the district counts as proven for a minute."""


class Joints:
    """The callables that the rooms are given before the other rooms exist."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._early: list[tuple[str, bool, Mapping[str, Any]]] = []
        self.stages = Watchers(1000)
        self.changes = Watchers(1)
        self._voice: Voice | None = None
        self._rooms: Rooms | None = None
        self._notifier: Notifier | None = None
        self._started = False

    def join(self, rooms: Rooms, voice: Voice, notifier: Notifier) -> None:
        """Connect the rooms."""
        self._rooms = rooms
        self._voice = voice
        self._notifier = notifier

    def catch_up(self) -> None:
        """Tell what the disk reported while it was opened; the start has been told by now.

        Contract section 4: the first event of a start is ``gateway.started``.
        """
        self._started = True
        early, self._early = self._early, []
        for name, begins, data in early:
            self.trouble(name, begins, data)

    def hooks(self) -> Hooks:
        """Return what the uplink calls."""
        return Hooks(
            sent=self.sent,
            received=self.received,
            fault=self.uplink_fault,
            link_changed=self.link_changed,
            pictures_changed=self._changed,
            acknowledge=self.acknowledge,
            refused=self.refused,
            selftest=self.selftest,
            video=self.video,
        )

    # what the station asks (Outside)

    def proven(self) -> bool:
        """Whether the district was proven within the last minute."""
        if self._rooms is None or (proven_ns := self._rooms.uplink.link.proven_ns) is None:
            return False
        return self._clock.reading().monotonic_ns - proven_ns < PROVEN_NS

    def faulty(self) -> bool:
        """Whether any fault stands."""
        return self._rooms is not None and len(self._rooms.faults) > 0

    # what the voice says

    def told(self, event: Event, happening: Happening) -> None:
        """Start the clock of a press."""
        if self._rooms is None:
            return
        if event.type == events.ALARM_RAISED and happening.at_ns is not None:
            self._rooms.latencies.raised(event.id, happening.at_ns)
            self._progress(event.id, "raised", happening.at_ns)
        self._rooms.unproven.seen(event)
        self._changed()

    def faults_changed(self) -> None:
        """Show a fault that began or ended on the lamps."""
        if self._rooms is not None:
            self._rooms.station.refresh()
        self._changed()

    # what the disk reports

    def stored(self, event_id: str, at_ns: int) -> None:
        """An event is durable."""
        self._reached(event_id, Stage.STORED, at_ns)
        if self._rooms is not None:
            self._rooms.video.stored(event_id)

    def trouble(self, name: str, begins: bool, data: Mapping[str, Any]) -> None:
        """The outbox has trouble, or is well again."""
        if self._voice is None or not self._started:
            self._early.append((name, begins, data))
        else:
            self._voice.fault(name, begins, data=data)

    # what the district reports

    def sent(self, event_id: str, at_ns: int) -> None:
        """The broker has an event; without receipts it waits no longer."""
        self._reached(event_id, Stage.SENT, at_ns)
        self._changed()

    def received(self, ids: Iterable[str], at_ns: int) -> None:
        """The district has these events on disk."""
        for event_id in ids:
            self._reached(event_id, Stage.RECEIVED, at_ns)
        self._changed()  # that the district is proven, the lamps show at the next second's look

    def uplink_fault(self, name: str, begins: bool, data: Mapping[str, Any]) -> None:
        """The way to the district has trouble, or is well again."""
        if self._voice is not None:  # the uplink is run after all are joined
            self._voice.fault(name, begins, data=data)

    def link_changed(self, status: LinkStatus) -> None:
        """Show the link on the lamps and to those who watch."""
        if self._rooms is not None:
            if status.state is LinkState.CONNECTED and status.broker is not None:
                self._rooms.unproven.connected(status.broker)
            self._rooms.station.refresh()
        self._changed()

    def acknowledge(self, alarm_id: str, by: str) -> bool:
        """A person at the district has answered; False if that alarm is not open here."""
        if self._rooms is None:
            return False
        answered = self._rooms.station.acknowledged(alarm_id)
        if answered is None:
            return False
        self._rooms.outbox.acknowledged(answered, by)
        self._progress(alarm_id, "acknowledged", self._clock.reading().monotonic_ns)
        self._changed()
        return True

    def selftest(self, command_id: str) -> bool:
        """The district wants the checks to be run; False when it cannot have them now."""
        return self._rooms is not None and self._rooms.selftests.begin(command_id)

    async def video(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the video service. Raises NotRunningError, ControlError, OSError."""
        if self._rooms is None:
            raise NotRunningError("the rooms are not joined yet")
        return await pictures.ask_video(self._rooms.config.gateway.runtime_dir, request)

    def refused(self, reason: str, data: Mapping[str, Any]) -> None:
        """A command was refused."""
        told = {"reason": reason, **data}
        if self._voice is not None:
            self._voice.tell(Happening(events.COMMAND_REFUSED, "gateway", told))

    # what the watchdog's probe ends in

    def probe(self) -> None:
        """The way of a press is open up to the uplink's door."""
        if self._rooms is not None and self._notifier is not None:
            self._rooms.uplink.wake()
            self._notifier.say("WATCHDOG=1")

    def _reached(self, event_id: str, stage: Stage, at_ns: int) -> None:
        if self._rooms is None:
            return
        word = stage.word
        self._rooms.selftests.reached(event_id, word, at_ns)
        took = self._rooms.latencies.reached(event_id, word, at_ns)
        known = self._rooms.station.moved(event_id, stage)
        if known or took is not None:
            self._progress(event_id, word, at_ns)
            self._changed()

    def _progress(self, alarm_id: str, stage: str, at_ns: int) -> None:
        self.stages.tell({"alarm": alarm_id, "stage": stage, "t": at_ns})

    def _changed(self) -> None:
        self.changes.tell({})
