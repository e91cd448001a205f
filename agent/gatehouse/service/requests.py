"""What the control socket answers (docs/house.md, control/)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import msgspec

from gatehouse.control import protocol
from gatehouse.errors import ControlError, OutboxError
from gatehouse.outbox import LogEntry
from gatehouse.service import documents, pictures
from gatehouse.service.documents import Rooms

ACTS: Final = frozenset(
    {
        "reset",
        "drill-start",
        "drill-stop",
        "walktest",
        "blink",
        "selftest-trial",
        "selftest-report",
    }
)
"""What changes something here or at the district: the log says which local user asked for it."""

_REASONS: Final = ("real", "mistake", "test")
_NAME_LENGTH: Final = 100
_MOST_TYPES: Final = 100
_TOO_LONG_S: Final = 1_000_000


class Watchers:
    """Those who follow what happens; a slow one misses lines rather than holding anything up."""

    def __init__(self, lines: int) -> None:
        """Keep at most so many lines for each; with 1, whoever is slow sees only the latest."""
        self._lines = lines
        self._queues: set[asyncio.Queue[dict[str, Any]]] = set()

    def tell(self, line: dict[str, Any]) -> None:
        """Give everybody this line, unless their queue is full."""
        for queue in self._queues:
            if not queue.full():
                queue.put_nowait(line)

    @contextmanager
    def queue(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """Lend a queue into which each line is put from here on."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(self._lines)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    async def follow(self, first: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield ``first``, which says that nothing is missed from here, and each line after it."""
        with self.queue() as queue:
            yield first
            while True:
                yield await queue.get()


def _with_pending(row: LogEntry) -> msgspec.Raw:
    """Add ``pending`` to an event's JSON without reading it: 100,000 must not hold up a press."""
    end = b',"pending":true}' if row.pending else b',"pending":false}'
    return msgspec.Raw(row.body.rstrip().removesuffix(b"}") + end)


class Requests:
    """The handlers of the control socket, by their ``do``."""

    def __init__(self, rooms: Rooms, stages: Watchers, changes: Watchers) -> None:
        self._rooms = rooms
        self._stages = stages
        self._changes = changes

    def handlers(self) -> dict[str, Callable[[dict[str, Any]], Any]]:
        """Return each handler by its name on the socket."""
        return {
            "status": self._status,
            "events": self._events,
            "history": self._history,
            "reset": self._reset,
            "drill-start": self._drill_start,
            "drill-stop": self._drill_stop,
            "watch": self._watch,
            "follow": self._follow,
            "video": self._rooms.video.take,
            "picture": partial(pictures.take, self._rooms.uplink.pictures),
            "blink": self._blink,
            "outbox-check": self._outbox_check,
            "selftest-trial": self._rooms.selftests.trial,
            "selftest-report": self._rooms.selftests.report,
        }

    async def _status(self, _request: dict[str, Any]) -> dict[str, Any]:
        return documents.status(self._rooms)

    async def _events(self, request: dict[str, Any]) -> dict[str, Any]:
        limit, pending = request.get("limit", 50), request.get("pending", False)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 100_000:
            raise ControlError("limit must be a whole number from 1 to 100000")
        if not isinstance(pending, bool):
            raise ControlError("pending must be true or false")
        rows = await self._rooms.outbox.log(limit=limit, pending_only=pending)
        return {"events": [_with_pending(row) for row in rows]}

    async def _history(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one step through the whole log, oldest first; ``next`` is null at its end."""
        types, after = request.get("types"), request.get("after", 0)
        if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
            raise ControlError("types must be a list of event types")
        if len(types) > _MOST_TYPES:
            raise ControlError(f"types are at most {_MOST_TYPES}")
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 1 << 62:
            raise ControlError("after must be what an answer before gave as next")
        try:
            found, following = await self._rooms.outbox.history(types, after)
        except (OutboxError, TimeoutError) as exc:
            said = f"the log cannot be read now: {str(exc) or 'the disk does not answer'}"
            raise ControlError(said, protocol.TIMEOUT) from exc
        return {"events": [msgspec.Raw(each) for each in found], "next": following}

    async def _reset(self, request: dict[str, Any]) -> dict[str, Any]:
        button, by, reason = (request.get(key) for key in ("button", "by", "reason"))
        if not isinstance(button, str):
            raise ControlError("button must be a name")
        if reason not in _REASONS:
            raise ControlError(f"reason must be one of {', '.join(_REASONS)}")
        if not isinstance(by, str) or not by.strip() or len(by) > _NAME_LENGTH:
            raise ControlError(f"by must be a name of at most {_NAME_LENGTH} characters")
        count = self._rooms.station.reset(button, by=by.strip(), reason=str(reason))
        return {"alarms": count}

    async def _drill_start(self, request: dict[str, Any]) -> dict[str, Any]:
        buttons, seconds = request.get("buttons"), request.get("seconds", 600)
        if not isinstance(buttons, list) or not all(isinstance(name, str) for name in buttons):
            raise ControlError("buttons must be a list of names")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise ControlError("seconds must be a number")
        # A number of a thousand digits is a whole number in JSON, and too large to be a float.
        self._rooms.station.start_drill(buttons, float(min(max(seconds, -1), _TOO_LONG_S)))
        return {"drill": documents.drill(self._rooms)}

    async def _drill_stop(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"stopped": self._rooms.station.stop_drill()}

    async def _blink(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds, sound = request.get("seconds", 1.0), request.get("sound", False)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise ControlError("seconds must be a number")
        if not isinstance(sound, bool):
            raise ControlError("sound must be true or false")
        length_s = float(min(max(seconds, -1), _TOO_LONG_S))
        failed = self._rooms.station.try_outputs(length_s, sound=sound)
        return {"failed": {str(pin): why for pin, why in failed.items()}}

    async def _outbox_check(self, _request: dict[str, Any]) -> dict[str, Any]:
        try:
            reserve = await self._rooms.outbox.examine()
        except OSError as exc:  # OutboxError and TimeoutError are OSErrors
            return {"sound": False, "text": str(exc) or "the disk does not answer"}
        return {"sound": True, "slices": reserve.slices, "of": reserve.of}

    async def _watch(self, _request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        return self._each_change()

    async def _each_change(self) -> AsyncIterator[dict[str, Any]]:
        async for _ in self._changes.follow({}):
            yield documents.status(self._rooms)

    async def _follow(self, _request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        return self._stages.follow({"following": True})
