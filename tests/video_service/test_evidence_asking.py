"""Asking an eye for a picture: an old one is none, and what is lost is known at once."""

import asyncio
import time
from typing import Any

import pytest

from gatehouse.clock import SystemClock
from gatehouse.video import eye_messages as say
from gatehouse.video_service import asking
from gatehouse.video_service.asking import Asking, NoPictureError

LAST = "2026-11-26T05:00:00.000000Z"


class Eye:
    """An eye that answers as a test says."""

    def __init__(self, of: Asking, age_s: float | None) -> None:
        self._of = of
        self._age_s = age_s

    async def run(self) -> None:
        """Look."""

    def order(self, order: dict[str, Any]) -> bool:
        """Answer soon, with a frame of that age; None: not at all."""
        if self._age_s is not None:
            at_ns = time.monotonic_ns() - round(self._age_s * 1e9)
            picture = say.Picture(order["number"], at_ns, 1, b"sw")
            asyncio.get_running_loop().call_soon(self._of.answered, picture)
        return True


async def test_a_picture_of_now() -> None:
    """It must have the time of its frame, by the wall clock."""
    of = Asking(SystemClock("boot"))
    with of.through(Eye(of, 0.5)):
        seen = await of.picture(3.0, 30_000, lambda: LAST)
    assert (seen.small, seen.whole) == (b"s", b"w")
    assert time.time_ns() - seen.unix_ns >= 500_000_000


async def test_an_old_picture_is_none() -> None:
    """A frame of before the press, shown as new, could cost a life."""
    of = Asking(SystemClock("boot"))
    with of.through(Eye(of, 4.0)), pytest.raises(NoPictureError, match=r"\d\.\d s old") as none:
        await of.picture(3.0, 30_000, lambda: LAST)
    assert none.value.since is not None
    assert none.value.since != LAST, "it is when that frame came"


async def test_nobody_looks_or_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead camera must be said to be one, and since when, and hold nothing up."""
    monkeypatch.setattr(asking, "LIMIT_S", 0.05)
    of = Asking(SystemClock("boot"))
    with pytest.raises(NoPictureError, match="nobody looks") as nobody:
        await of.picture(3.0, 30_000, lambda: LAST)
    with of.through(Eye(of, None)):
        with pytest.raises(NoPictureError, match="no picture within") as late:
            await of.picture(3.0, 30_000, lambda: LAST)
        asyncio.get_running_loop().call_soon(of.lost, "see to the cable")
        with pytest.raises(NoPictureError, match="the cable") as lost:
            await of.picture(3.0, 30_000, lambda: LAST)
    assert {each.value.since for each in (nobody, late, lost)} == {LAST}
    of.answered(say.Picture(99, 0, 1, b"xy"))  # nobody waits for it any more
