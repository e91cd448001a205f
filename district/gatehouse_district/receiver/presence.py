"""Whether a gateway is there, told from what it and the broker say. Pure.

A state is told apart by store, start and connection, so that a late will of an older connection
changes nothing.
"""

from dataclasses import dataclass, replace
from typing import Final

from gatehouse_district.model import Presence
from gatehouse_district.receiver.lacking import RANDOM_FROM

INTERVALS: Final = 3
"""Heartbeats that may fail before a gateway counts as silent."""
HEARTBEAT_S: Final = 20.0
"""Of a gateway whose birth does not say (contract section 2)."""


@dataclass(frozen=True, slots=True)
class Life:
    """Which connection of which start spoke last, and whether it is there."""

    presence: Presence = Presence.UNKNOWN
    store: str = ""
    start: int = -1
    connection: int = -1
    stopped: str = ""
    """``store/start`` that said ``gateway.stopped`` last."""

    def said(self, store: str, start: int, connection: int, *, online: bool) -> "Life":
        """Return what is known after a birth, or after an offline state or will."""
        if not self._is_news(store, start, connection, online=online):
            return self
        if online:
            presence = Presence.ONLINE
        else:
            orderly = self.stopped == f"{store}/{start}"
            presence = Presence.STOPPED if orderly else Presence.LOST
        return Life(presence, store, start, connection, self.stopped)

    def stops(self, store: str, start: int) -> "Life":
        """Return what is known after an event ``gateway.stopped``."""
        here = (store, start) == (self.store, self.start)
        lost = here and self.presence is Presence.LOST
        presence = Presence.STOPPED if lost else self.presence
        return replace(self, presence=presence, stopped=f"{store}/{start}")

    def beats(self, connection: int | None) -> "Life":
        """Return what is known after a heartbeat, which may say on which connection.

        What was lost is back only by a newer connection: an old heartbeat may come late.
        """
        if self.presence is Presence.SILENT:
            return replace(self, presence=Presence.ONLINE)
        gone = self.presence in {Presence.LOST, Presence.STOPPED}
        if gone and connection is not None and connection > self.connection:
            return replace(self, presence=Presence.ONLINE, connection=connection)
        return self

    def falls_silent(self) -> "Life":
        """Return what is known when heartbeats have failed."""
        if self.presence is Presence.ONLINE:
            return replace(self, presence=Presence.SILENT)
        return self

    def _is_news(self, store: str, start: int, connection: int, *, online: bool) -> bool:
        if self.start < 0:
            return True
        if store != self.store:
            return online  # a new card is born; the end of an old one is late
        if start != self.start and max(start, self.start) >= RANDOM_FROM:
            return online  # random starts have no order
        if (start, connection) == (self.start, self.connection):
            alive = self.presence in {Presence.ONLINE, Presence.SILENT}
            return alive or (online and self.presence is Presence.UNKNOWN)
        return (start, connection) > (self.start, self.connection)
