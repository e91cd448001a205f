"""Pictures on their way to the district: behind everything else, one at a time."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from gatehouse.errors import MessageError
from gatehouse.threads import off_loop
from gatehouse.uplink import picture_file, refusals, word
from gatehouse.uplink.picture_queue import Asked, Pace, PictureQueue
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.topics import Topics
from gatehouse.uplink.word import Word

_log = logging.getLogger(__name__)

DEADLINE_S: Final = 600.0
DEADLINE_MOST_S: Final = 3600.0
"""After an hour the broker itself would forget it."""

NUMBER_MOST: Final = 99
LEVEL: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What may stand for an alarm, or a command, as a level of a topic."""


class Line(Protocol):
    """The part of the sender that pictures need."""

    def offer(self, picture: Word) -> None:
        """Publish it once nothing else waits or is under way."""

    def withdraw(self) -> bool:
        """Take back what was not published yet; False when it was, or there is nothing."""

    def refusal_of(self, topic: str, code: int) -> bool:
        """Note the answer to a publication that is no event."""


@dataclass(frozen=True, slots=True)
class PictureCounts:
    """How many wait, and what became of the others since the start."""

    queued: int
    sent: int
    dropped: int


class Pictures:
    """Takes what the video service asks for, and carries it while a connection lasts."""

    def __init__(
        self,
        folder: Path,
        topics: Topics,
        timing: Timing,
        *,
        line: Line,
        changed: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._topics = topics
        self._timing = timing
        self._line = line
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._queue = PictureQueue()
        self._pace = Pace(timing)
        self._new = asyncio.Event()
        self._complained = False

    @property
    def counts(self) -> PictureCounts:
        """How many wait, were sent, were dropped."""
        self._queue.first(self._loop.time())
        return PictureCounts(len(self._queue), self._queue.sent, self._queue.dropped)

    @property
    def most_bytes(self) -> int:
        """How large the next pictures should be, for one to take about a second."""
        return self._pace.most_bytes

    def ask(self, alarm: str, number: int, path: str, deadline_s: float = DEADLINE_S) -> None:
        """Let a picture wait. Raises MessageError for what cannot be one."""
        if not LEVEL.fullmatch(alarm):
            raise MessageError("alarm must be the id of an alarm or of a command")
        if not 1 <= number <= NUMBER_MOST:
            raise MessageError(f"number must be from 1 to {NUMBER_MOST}")
        if not 0 < deadline_s <= DEADLINE_MOST_S:
            raise MessageError(f"deadline_s must be more than 0 and at most {DEADLINE_MOST_S:g}")
        picture_file.inside(self._folder, path)
        self._queue.add(Asked(alarm, number, path, self._loop.time() + deadline_s))
        self._new.set()

    async def carry(self) -> None:
        """Send what waits, as long as one connection lasts."""
        while True:
            now = self._loop.time()
            asked = self._queue.first(now)
            if asked is None:
                self._line.refusal_of(self._topics.pictures, 0)  # none is refused any more
                self._new.clear()
                await self._new.wait()
            elif self._pace.resume_s > now:
                await asyncio.sleep(min(self._pace.resume_s, asked.due_s) - now)
            else:
                try:
                    await self._carry(asked)
                    self._changed()
                except Exception:  # noqa: BLE001  # a mistake in here must not cost the connection
                    _log.exception("sending a picture failed")
                    self._queue.drop(asked)

    async def _carry(self, asked: Asked) -> None:
        """Read one picture and have it published; what fails for a while is tried again."""
        read = partial(picture_file.read, self._folder, asked.path)
        try:
            body = await off_loop(
                read, name="gatehouse-picture", timeout_s=self._timing.picture_read_s
            )
        except TimeoutError:  # each try leaves a thread behind in the dead disk
            self._pace.harmed(self._loop.time())
            self._complain(f"{asked.path}: the disk does not answer")
        except (MessageError, OSError) as exc:
            self._queue.drop(asked)
            self._complain(str(exc))
        else:
            if self._pace.bears(len(body), self._loop.time()):
                await self._publish(asked, body)
            else:
                self._queue.drop(asked)
                self._complain(f"{asked.path}: {len(body)} bytes are too many for this line")

    async def _publish(self, asked: Asked, body: bytes) -> None:
        """Offer a picture to the line until it is answered, or nobody wants it any more."""
        answered: asyncio.Future[int] = self._loop.create_future()
        picture = word.picture(
            self._topics.picture(asked.alarm, asked.number), body, answered.set_result
        )
        self._line.offer(picture)
        try:
            async with asyncio.timeout_at(asked.due_s):
                await asyncio.wait((answered,))
        except TimeoutError:
            if self._line.withdraw():
                return
            await asyncio.wait((answered,))  # it is under way: the sender's deadline holds
        finally:
            self._line.withdraw()
            if picture.flight.sent_s and not answered.done():  # the connection ended under it
                self._pace.harmed(self._loop.time())
        self._answered(asked, answered.result(), len(body), picture.flight.sent_s)

    def _answered(self, asked: Asked, code: int, size: int, sent_s: float) -> None:
        """Act on a PUBACK."""
        now = self._loop.time()
        refused = self._line.refusal_of(self._topics.pictures, code)
        if refusals.alone(code):
            self._queue.drop(asked)
        elif refused:
            self._pace.harmed(now)
        elif code == refusals.NO_SUBSCRIBER:
            self._pace.unheard(now)
        else:
            self._queue.done(asked)
            self._pace.taken(now - sent_s, size, now)
            self._complained = False

    def _complain(self, text: str) -> None:
        """Log the first of several failures in a row; all are counted."""
        if not self._complained:
            self._complained = True
            _log.warning("a picture cannot be sent: %s", text)
