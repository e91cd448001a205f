"""Pictures that an eye is asked for: of now, with their own time, or none at all."""

import asyncio
import io
import time

import av
import numpy as np
import pytest

from gatehouse.video import jpeg
from gatehouse.video.eye_messages import MOST_SMALL, Beat, Key, Picture
from video.sim_cameras import STALLS, Looking, looking, simulated


async def asked(look: Looking, number: int, old_s: float) -> Picture:
    """Ask for a picture and wait for it."""
    assert look.eye.order({"do": "picture", "number": number, "old_s": old_s})

    def found() -> list[Picture]:
        return [e for e in look.heard if isinstance(e, Picture) and e.number == number]

    await look.until(lambda: bool(found()))
    return found()[0]


@pytest.mark.parametrize("film", ["normal", "normal-h265"])
async def test_of_what_was_decoded_or_of_this_moment(film: str) -> None:
    """The first picture must cost no decoding; the later ones must not wait for a keyframe."""
    async with simulated({"gate": film}) as cameras, looking(cameras.url("gate")) as look:
        await look.more(2)
        first = await asked(look, 1, 60.0)
        before = [e.at_ns for e in look.heard if isinstance(e, Key)]
        assert any(abs(first.at_ns - at_ns) < 5_000_000_000 for at_ns in before), "a frame's time"
        asked_ns = time.monotonic_ns()
        second = await asked(look, 2, 0.0)
        assert second.at_ns > asked_ns
        for picture in (first, second):
            assert len(picture.small) <= MOST_SMALL
            with av.open(io.BytesIO(picture.whole), "r") as shown:
                frame = next(shown.decode(video=0))
                assert (frame.width, frame.height) == (1920, 1080)
            with av.open(io.BytesIO(picture.small), "r") as shown:
                assert next(shown.decode(video=0)).width == 960


async def test_a_camera_that_stands_still_gives_none() -> None:
    """What was decoded before the stall is no picture of now, and does not keep the eye alive."""
    async with (
        simulated({"gate": "normal"}) as cameras,
        looking(cameras.url("gate"), timing=STALLS) as look,
    ):
        await look.more(2)
        await cameras.stall("gate")
        stalled = len(look.heard)
        look.eye.order({"do": "picture", "number": 3, "old_s": 0.0})
        await look.until(lambda: look.health.verdict != "ok")
        late = [e for e in look.heard[stalled:] if isinstance(e, Picture)]
        newest = max(e.at_ns for e in look.heard if isinstance(e, Key | Beat))
        assert all(picture.at_ns <= newest + 1_000_000_000 for picture in late)
        await asyncio.sleep(0)


def test_a_small_picture_is_as_small_as_the_line_wants() -> None:
    """Without it a picture on a narrow line would hold up the next press."""
    grain = np.random.default_rng(1).integers(0, 12, (1620, 1920)).astype("uint8")
    slope = np.linspace(0, 200, 1920).astype("uint8")
    frame = jpeg.frame_of(grain + slope)
    sizes = [len(jpeg.small(frame, most)) for most in (60_000, 30_000, 10_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= 60_000
    assert sizes[1] <= 30_000
    assert sizes[2] <= 10_000
