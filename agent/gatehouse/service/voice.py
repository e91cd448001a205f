"""Telling: a happening becomes an event, on its way to the disk and to the district at once."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from gatehouse import events
from gatehouse.clock import Clock
from gatehouse.events import Event, Happening, Scribe
from gatehouse.faults import GATEWAY, FaultBook

log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where events are kept until the district has them."""

    def put(self, event: Event, body: bytes) -> None:
        """Take an event; never blocks, never raises."""


class Way(Protocol):
    """The way to the district."""

    def press(self, event: Event, body: bytes) -> None:
        """Publish a live alarm at once, where a connection is open."""

    def wake(self) -> None:
        """Say that something new waits."""


class Voice:
    """Makes events and hands them over; knows which faults stand."""

    def __init__(
        self,
        *,
        scribe: Scribe,
        faults: FaultBook,
        outbox: Sink,
        uplink: Way,
        clock: Clock,
        on_event: Callable[[Event, Happening], None],
        on_faults: Callable[[], None],
    ) -> None:
        self._scribe = scribe
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock
        self._on_event = on_event
        self._on_faults = on_faults
        self.faults = faults

    def tell(self, happening: Happening) -> Event:
        """Make the event; a press is published before it is put to the disk's thread.

        The two start within microseconds, and neither waits for the other: the one that is done
        first moves the stage. Once the outbox has the event nothing raises: a press that seems
        untold would be told again, as another alarm.
        """
        event = self._scribe.write(happening)
        body = events.encode(event)
        if event.type == events.ALARM_RAISED:
            try:
                self._uplink.press(event, body)
            except Exception:  # the disk must have it, whatever the network code does
                log.exception("publishing the alarm %s failed; it waits in the outbox", event.id)
        self._outbox.put(event, body)
        for tell in (self._uplink.wake, partial(self._on_event, event, happening)):
            try:
                tell()
            except Exception:  # it is kept, and will be sent
                log.exception("%s %s is kept, but not all heard of it", event.type, event.id)
        return event

    def fault(
        self,
        name: str,
        begins: bool,
        *,
        subject: str = GATEWAY,
        family: str | None = None,
        data: Mapping[str, Any] | None = None,
        at_ns: int | None = None,
    ) -> None:
        """Note that a fault began or ended; it is told only when that is news."""
        if begins:
            since = events.rfc3339(self._clock.reading().unix_ns)
            told = self.faults.begin(
                name, subject=subject, family=family, since=since, data=data, at_ns=at_ns
            )
        else:
            told = self.faults.end(name, subject=subject, data=data, at_ns=at_ns)
        if told is None:
            return
        log.warning("%s %s at %s: %s", "fault" if begins else "mended:", name, subject, data or "")
        self.tell(told)
        self._on_faults()

    def amend(self, name: str, data: Mapping[str, Any], *, subject: str = GATEWAY) -> None:
        """Show other details of a fault that stands; no event, as it neither began nor ended."""
        self.faults.amend(name, data, subject=subject)
        self._on_faults()
