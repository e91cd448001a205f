"""Pictures that wait for the line: which, how long, and how fast they may follow. Pure.

Only their paths wait; the bytes are read just before they go.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final

from gatehouse.uplink.backoff import doubling
from gatehouse.uplink.picture_file import MOST_BYTES
from gatehouse.uplink.timing import Timing

MOST: Final = 300
"""Pictures that may wait: three buttons at once, each with 8 cameras and 11 pictures, are 264."""

REMEMBERED: Final = 2000
"""Pictures that were sent: asked for again, by a video service that was restarted, they stay so."""

REST: Final = 3.0
"""After a picture the line rests for so many times what it took: a quarter of it is theirs."""

REST_MOST_S: Final = 2.0
"""And no longer than this: they are of use while somebody looks at the alarm. Where one takes more
than 0.7 s they have more than a quarter, and a press may wait as long as one takes.
"""

AIM_S: Final = 1.0
"""So long the next pictures are to take: a press cannot pass the one that is under way."""
BEARABLE_S: Final = 4.0
"""Longer than this none is to take: it was made before the line was known to be so narrow."""
LEAST_BYTES: Final = 8000
"""A gate in 320 columns; on a line that bears no such picture none is sent but to try."""
FIRST_BYTES: Final = 30_000
"""While nothing is known of the line: 2.4 s at 100 kbit/s, and no connection lost above 24."""
KNOWN_S: Final = 600.0
"""What a line bore longer ago says nothing, and no picture that was made for it still waits."""
_OF_THE_LAST: Final = 3
"""The best of so many pictures says what the line is like: one alone may have met with a crowd."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture that is to go; ``due_s`` is the loop's time after which nobody wants it."""

    alarm: str
    number: int
    path: str
    due_s: float


class PictureQueue:
    """The oldest first; when there are too many the oldest give way, and are counted."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waiting: OrderedDict[tuple[str, int], Asked] = OrderedDict()
        self._done: OrderedDict[tuple[str, int], None] = OrderedDict()
        self.sent = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, asked: Asked) -> None:
        """Let a picture wait; asked for again it keeps its place, and once sent it stays so."""
        if (asked.alarm, asked.number) in self._done:
            return
        self._waiting[asked.alarm, asked.number] = asked
        while len(self._waiting) > self._most:
            self._waiting.popitem(last=False)
            self.dropped += 1

    def first(self, now_s: float) -> Asked | None:
        """Return the next one, after those that are overdue were dropped."""
        for key in [key for key, asked in self._waiting.items() if asked.due_s <= now_s]:
            del self._waiting[key]
            self.dropped += 1
        return next(iter(self._waiting.values()), None)

    def done(self, asked: Asked) -> None:
        """End one that the broker has."""
        if self._end(asked):
            self.sent += 1
        self._done[asked.alarm, asked.number] = None
        if len(self._done) > REMEMBERED:
            self._done.popitem(last=False)

    def drop(self, asked: Asked) -> None:
        """End one that cannot be sent."""
        if self._end(asked):
            self.dropped += 1

    def _end(self, asked: Asked) -> bool:
        """Forget one, unless it gave way meanwhile."""
        return self._waiting.pop((asked.alarm, asked.number), None) is not None


class Pace:
    """When the next picture may go; times are the loop's."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._refusals = 0
        self._losses = 0
        self._rates = deque[float](maxlen=_OF_THE_LAST)
        self._taken_s = 0.0
        self.resume_s = 0.0
        self.most_bytes = FIRST_BYTES
        """How large the next pictures should be made."""

    def bears(self, size: int, now_s: float) -> bool:
        """Whether a picture of so many bytes goes up in time; the smallest are always tried.

        Some cameras give none so small: nothing would go any more, though the line were wide again.
        """
        if now_s - self._taken_s > KNOWN_S:
            self._rates.clear()
        rate = max(self._rates, default=0.0)
        return not rate or size <= max(LEAST_BYTES, rate * BEARABLE_S)

    def taken(self, took_s: float, size: int, now_s: float) -> None:
        """Note a PUBACK 0x00, ``took_s`` after the picture of so many bytes went."""
        self._taken_s = now_s
        self._rates.append(size / max(took_s, 0.001))
        rate = max(self._rates)
        self.most_bytes = round(min(max(rate * AIM_S, LEAST_BYTES), MOST_BYTES))
        self._refusals = 0
        if rate * BEARABLE_S < LEAST_BYTES:
            self.harmed(now_s)
            return
        self._losses = 0
        self.resume_s = now_s + min(REST * took_s, REST_MOST_S)

    def unheard(self, now_s: float) -> None:
        """Note a PUBACK 0x10: nobody has subscribed."""
        timing = self._timing
        wait_s = doubling(timing.refused_s, timing.refused_most_s, self._refusals)
        self._refusals += 1
        self.resume_s = now_s + wait_s

    def harmed(self, now_s: float) -> None:
        """Note that a picture did harm, or nearly: a refusal, a lost connection, a hung disk.

        mosquitto 2.0.11 ends the connection after a PUBACK 0x87, and on a line so slow that no
        PUBACK comes in time each picture would end it: alarms need it more, and the next picture is
        to be smaller.
        """
        self.most_bytes = max(LEAST_BYTES, self.most_bytes // 4)
        timing = self._timing
        wait_s = doubling(timing.picture_harm_s, timing.picture_harm_most_s, self._losses)
        self._losses += 1
        self.resume_s = now_s + wait_s
