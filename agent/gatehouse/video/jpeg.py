"""A picture as JPEG, whole and small, by libav's encoder."""

from fractions import Fraction
from typing import Any, Final

import av
from av.video.reformatter import VideoReformatter

from gatehouse.video.eye_messages import MOST_SMALL

_WHOLE: Final = 5
"""libav's quantiser, 2 (best) to 31: about 300 kB for a gate in 1080 lines."""
_SMALL: Final = (
    *((960, 6), (960, 10), (960, 16), (640, 12), (640, 24)),
    *((480, 24), (320, 20), (320, 31)),
)
"""Widths and quantisers, tried in this order until one fits."""


def frame_of(yuv420: Any) -> av.VideoFrame:  # noqa: ANN401  # an array of picamera2
    """Return picamera2's array of a ``YUV420`` stream as a frame."""
    return av.VideoFrame.from_ndarray(yuv420, format="yuv420p")


def whole(frame: av.VideoFrame) -> bytes:
    """Return a frame as JPEG in its own size."""
    return _encoded(frame, frame.width, frame.height, _WHOLE)


def small(frame: av.VideoFrame, most_bytes: int) -> bytes:
    """Return a frame as JPEG of so many bytes, or as small as it can be made: mostly 3 to 8 kB.

    Never more than `MOST_SMALL` (contract section 3).
    """
    made = b""
    for width, quantiser in _SMALL:
        across = min(width, frame.width)
        made = _encoded(frame, across, max(2, frame.height * across // frame.width), quantiser)
        if len(made) <= min(most_bytes, MOST_SMALL):
            break
    return made


def _encoded(frame: av.VideoFrame, width: int, height: int, quantiser: int) -> bytes:
    # a reformatter of our own: a frame's is not to be used by two threads
    shaped = VideoReformatter().reformat(
        frame, width & ~1, height & ~1, "yuvj420p", dst_color_range="JPEG"
    )
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101  # mjpeg is a video codec
    encoder.width, encoder.height = shaped.width, shaped.height
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    encoder.qmin = encoder.qmax = quantiser
    shaped.pts = 0
    return b"".join(bytes(each) for each in [*encoder.encode(shaped), *encoder.encode(None)])
