"""The child that looks through an RTSP camera: ``python -m gatehouse.video.rtsp_eye URL``.

The first line on stdin is the credential, ``user:password`` or empty: what stands on a command line
or in the environment can be read by others, and what libav says of an error has the address with
the password in it. So no text of libav's goes out from here, only its names for errors.

Only keyframes are decoded, but for pictures that are asked for (`rtsp_pictures`); of the other
frames the bytes are counted. The lines behind the first on stdin are orders. A stream that ends is
a failure: a camera that dies ends it without an error.
"""

import ctypes
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from gatehouse.video import eye_messages as say
from gatehouse.video.picture import HEIGHT, WIDTH
from gatehouse.video.rtsp_eye_url import with_credential
from gatehouse.video.rtsp_pictures import Pictures

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_OPEN_S: Final = 8.0
"""Below the parent's patience, so that the reason is told and not guessed. Once open, a stream that
stalls is the parent's to find: libav first hands out the last frame when a read times out, which
would look like life."""
_OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "timeout": "20000000",  # of the socket, in µs; only for an orphan
    "fpsprobesize": "0",  # libav would else hold back 20 frames to guess the frame rate
}
_LOOK_EVERY_S: Final = 0.5
"""Streams of keyframes alone are not decoded more often."""
_BEAT_S: Final = 1.0
_NICE: Final = 10
_PR_SET_PDEATHSIG: Final = 1

Tell = Callable[[say.Message], None]


def look(url: str, tell: Tell, pictures: Pictures) -> say.Failed:
    """Look until something fails; return what failed."""
    try:
        container = av.open(
            url,
            options=_OPTIONS,
            timeout=(_OPEN_S, None),
        )
    except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError) as exc:
        return say.Failed(say.REFUSED, _name(exc))
    except (av.error.FFmpegError, OSError) as exc:
        return say.Failed(say.UNREACHABLE, _name(exc))
    with container as stream:
        if not stream.streams.video:
            return say.Failed(say.UNREACHABLE, "the address gives no video")
        try:
            _watch(stream, stream.streams.video[0], tell, pictures)
        except (av.error.EOFError, av.error.ConnectionResetError, av.error.BrokenPipeError):
            pass
        except (av.error.FFmpegError, OSError) as exc:
            return say.Failed(say.STALLED, _name(exc))
    return say.Failed(say.ENDED, "the camera ended the stream")


def _name(exc: BaseException) -> str:
    """Name an error in words that cannot hold an address."""
    if isinstance(exc, av.error.ExitError):  # our own timeout, by libav's interrupt callback
        return "no answer in time"
    if isinstance(exc, av.error.FFmpegError) and exc.strerror:
        return str(exc.strerror)
    return type(exc).__name__


def _watch(stream: "InputContainer", video: "VideoStream", tell: Tell, pictures: Pictures) -> None:
    context = video.codec_context
    context.thread_count = 1  # threads would hold keyframes back
    context.skip_frame = "NONKEY"
    size = (video.width, video.height)
    if all(size):
        tell(say.Opened(*size, context.name))
    count = _Count(tell, float(video.time_base or 0))
    for packet in stream.demux(video):
        if packet.size == 0:  # libav's sign that the stream has ended
            return
        pictures.packet(packet, video)
        came_ns = time.monotonic_ns()
        if not count.take(packet):
            continue
        for frame in _decode(video, packet):
            if (frame.width, frame.height) != size:
                size = (frame.width, frame.height)
                tell(say.Opened(*size, context.name))
            count.key(packet, *_reduce(frame))
            pictures.decoded(frame, came_ns)


def _decode(video: "VideoStream", packet: "Packet[VideoStream]") -> list[av.VideoFrame]:
    """Decode one keyframe alone; a damaged one is no picture."""
    context = video.codec_context
    try:
        frames = [*context.decode(packet), *context.decode(None)]  # else the last one is kept back
    except av.error.InvalidDataError:
        frames = []
    context.flush_buffers()
    return frames[-1:]


def _reduce(frame: av.VideoFrame) -> tuple[bytes, float]:
    """Make a picture small and grey; return it and how much colour it had."""
    small = frame.reformat(WIDTH, HEIGHT, "yuv420p", dst_color_range="JPEG").to_ndarray()
    colour = np.abs(small[HEIGHT:].astype(np.int16) - 128).mean()
    return small[:HEIGHT].tobytes(), round(float(colour), 2)


class _Count:
    """Counts what comes between keyframes, and tells the parent that something comes."""

    def __init__(self, tell: Tell, time_base: float) -> None:
        self._tell = tell
        self._time_base = time_base
        self._all = self._frames = self._bytes = 0
        self._fps = 0.0
        self._told = time.monotonic()
        self._pts: int | None = None

    def take(self, packet: "Packet[VideoStream]") -> bool:
        """Take one packet; True for a keyframe that is to be looked at."""
        self._all += 1
        self._frames += 1
        since_s = self._since(packet)
        if packet.is_keyframe and (since_s is None or since_s >= _LOOK_EVERY_S):
            return True
        self._bytes += packet.size
        now = time.monotonic()
        if now - self._told >= _BEAT_S:
            self._told = now
            self._tell(say.Beat(time.monotonic_ns(), self._all))
        return False

    def key(self, packet: "Packet[VideoStream]", grey: bytes, colour: float) -> None:
        """Tell of a keyframe and of what came since the last one."""
        if since_s := self._since(packet):
            self._fps = round(self._frames / since_s, 2)
        if packet.pts is not None:
            self._pts = packet.pts
        now = time.monotonic_ns()
        self._tell(say.Key(now, self._bytes, self._frames, self._fps, colour, grey))
        self._told = now / 1e9
        self._frames = self._bytes = 0

    def _since(self, packet: "Packet[VideoStream]") -> float | None:
        """Return the camera's own seconds since the last keyframe looked at; None: not known.

        The time of arrival does not do: at the beginning libav gives all at once.
        """
        if packet.pts is None or self._pts is None or packet.pts <= self._pts:
            return None
        return (packet.pts - self._pts) * self._time_base


def _is_left(pipe: int) -> bool:
    """Whether nobody can write to us any more.

    One who looks at a camera that sends nothing says nothing, and would never notice.
    """
    ends = select.poll()
    ends.register(pipe, 0)  # an end is told unasked
    return bool(ends.poll(0))


def main(argv: Sequence[str] | None = None) -> int:
    """Look until something fails or the parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(_NICE)
    (url,) = sys.argv[1:] if argv is None else argv
    credential = sys.stdin.buffer.readline()
    if not credential.endswith(b"\n") or _is_left(sys.stdin.fileno()):
        return 1  # the parent died before we asked to die with it
    out, turn = sys.stdout.buffer, threading.Lock()

    def tell(message: say.Message) -> None:
        with turn:
            out.write(say.encode(message))
            out.flush()

    pictures = Pictures(tell)
    orders = iter(sys.stdin.buffer.readline, b"")
    threading.Thread(target=pictures.obey, args=(orders,), name="orders", daemon=True).start()
    try:
        secret = credential.decode().strip("\r\n")
        tell(look(with_credential(url, secret), tell, pictures))
    except BrokenPipeError:  # the parent is gone
        return 1
    except Exception as exc:  # noqa: BLE001  # a traceback could show the address
        tell(say.Failed(say.STALLED, type(exc).__name__))
    return 1


if __name__ == "__main__":
    os._exit(main())  # libav's threads are not waited for
