"""Asking an eye for pictures, and knowing again what it answers."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from gatehouse.clock import Clock
from gatehouse.errors import CameraError
from gatehouse.events import rfc3339
from gatehouse.video import eye_messages as say
from gatehouse.video_service.parts import Looks

OLD_S: Final = 3.0
"""A frame that is older shows what was, and is no picture of now."""
LIMIT_S: Final = 2.0
"""How long an eye may take; a Pi that decodes four streams needs a tenth of that."""


class NoPictureError(CameraError):
    """A camera gives no picture; ``since`` is when it was last seen (RFC 3339), if it was."""

    def __init__(self, message: str, since: str | None = None) -> None:
        super().__init__(message)
        self.since = since


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture as it was taken."""

    at_ns: int
    """When its frame came, CLOCK_MONOTONIC."""
    unix_ns: int
    clock: str
    """``synced`` or ``unsynced``."""
    whole: bytes
    small: bytes

    @property
    def taken(self) -> str:
        """When its frame came, RFC 3339."""
        return rfc3339(self.unix_ns)


class Asking:
    """Asks one camera's eye, whichever that is now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._eye: Looks | None = None
        self._number = 0
        self._asked: dict[int, asyncio.Future[say.Picture]] = {}

    @contextlib.contextmanager
    def through(self, eye: Looks) -> Iterator[None]:
        """Ask this eye for as long as it looks."""
        self._eye = eye
        try:
            yield
        finally:
            self._eye = None
            self.lost("the camera is not watched any more")

    def order(self, order: dict[str, Any]) -> bool:
        """Tell the eye to do something; False when nobody looks now."""
        return self._eye is not None and self._eye.order(order)

    async def picture(self, old_s: float, most_bytes: int, last: Callable[[], str | None]) -> Seen:
        """Take a picture. Raises NoPictureError with what ``last`` says: when it was last seen."""
        self._number += 1
        number = self._number
        order = {"do": "picture", "number": number, "old_s": old_s, "most_bytes": most_bytes}
        if not self.order(order):
            raise NoPictureError("nobody looks through the camera now", last())
        self._asked[number] = asked = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await asked
        except TimeoutError:
            raise NoPictureError(f"no picture within {LIMIT_S:g} s", last()) from None
        except CameraError as exc:
            raise NoPictureError(str(exc), last()) from exc
        finally:
            self._asked.pop(number, None)
        now = self._clock.reading()
        age_ns = now.monotonic_ns - found.at_ns
        unix_ns = now.unix_ns - age_ns
        if age_ns > OLD_S * 1e9:
            raise NoPictureError(f"the last picture is {age_ns / 1e9:.1f} s old", rfc3339(unix_ns))
        clock = "synced" if self._clock.synced() else "unsynced"
        return Seen(found.at_ns, unix_ns, clock, found.whole, found.small)

    def answered(self, picture: say.Picture) -> None:
        """Take what the eye answers; nobody may wait for it any more."""
        asked = self._asked.pop(picture.number, None)
        if asked is not None and not asked.done():
            asked.set_result(picture)

    def lost(self, why: str) -> None:
        """Note that the eye answers no more: what was asked of it comes to nothing."""
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(CameraError(why or "the camera was lost"))
