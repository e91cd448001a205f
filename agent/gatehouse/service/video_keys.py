"""Which happenings of the video service are events already, by their keys.

A key is answered only when its event is on our own disk: then it is in the log, and known again
after kill -9. The log keeps events for a year and longer; of the keys the newest are enough, as the
video service forgets a happening once it is answered.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from gatehouse.control import reports
from gatehouse.errors import OutboxError

MOST: Final = 20_000
_AGAIN_S: Final = 5.0


class Log(Protocol):
    """What is asked of the outbox."""

    async def of_types(
        self, types: Sequence[str], before: int | None
    ) -> tuple[list[bytes], int | None]:
        """Return some events, the newest first, and before which row to go on; None: no more."""


class Keys:
    """The keys whose events are stored, and those whose events wait for the disk. Pure."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._stored: OrderedDict[str, None] = OrderedDict()
        self._waiting: OrderedDict[str, str] = OrderedDict()
        self._by_event: dict[str, str] = {}
        self.learnt = False
        """Whether it is known what was stored before this start."""

    def learn(self, newest_first: Sequence[str]) -> None:
        """Know what was stored before this start."""
        for key in reversed(newest_first):
            self._keep(key)
        self.learnt = True

    def stored(self, event_id: str) -> bool:
        """Note that an event is durable; whether it is one with a key."""
        key = self._by_event.pop(event_id, None)
        if key is None:
            return False
        del self._waiting[key]
        self._keep(key)
        return True

    def is_stored(self, key: str) -> bool:
        """Whether its event is durable."""
        return key in self._stored

    def event(self, key: str) -> str | None:
        """Return the event that waits for the disk."""
        return self._waiting.get(key)

    def told(self, key: str, event_id: str) -> None:
        """Let an event wait for the disk; one that waited for the same key is forgotten."""
        self._forget(key)
        if len(self._waiting) >= self._most:
            self._forget(next(iter(self._waiting)))
        self._waiting[key] = event_id
        self._by_event[event_id] = key

    def _forget(self, key: str) -> None:
        event_id = self._waiting.pop(key, None)
        if event_id is not None:
            del self._by_event[event_id]

    def _keep(self, key: str) -> None:
        self._stored[key] = None
        self._stored.move_to_end(key)
        if len(self._stored) > self._most:
            self._stored.popitem(last=False)


class _Data(msgspec.Struct):
    key: str = ""


class _Event(msgspec.Struct):
    data: _Data


_decoder: Final = msgspec.json.Decoder(_Event)


async def read_keys(log: Log, most: int = MOST) -> list[str]:
    """Return the keys in the log, the newest first. Waits for a disk that does not answer."""
    found: list[str] = []
    before: int | None = None
    more = True
    while more and len(found) < most:
        try:
            bodies, before = await log.of_types(sorted(reports.HAPPENINGS), before)
        except (OutboxError, TimeoutError):  # the outbox tells of it
            await asyncio.sleep(_AGAIN_S)
            continue
        found += _keys(bodies)
        more = before is not None
    return found[:most]


def _keys(bodies: Iterable[bytes]) -> Iterator[str]:
    for body in bodies:
        try:
            key = _decoder.decode(body).data.key
        except (msgspec.DecodeError, UnicodeDecodeError):  # not one of ours: nobody asks for it
            continue
        if key:
            yield key
