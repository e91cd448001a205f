"""The pictures that a child which looks through RTSP is asked for.

The frame decoded last serves when it is young enough. Else what came since its keyframe is decoded
too, by a decoder of its own: a camera with a keyframe in 20 s would else have nothing to show. The
time of a picture is always that at which its own frame came.
"""

import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

import av

from gatehouse.video import eye_messages as say
from gatehouse.video import jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

_MOST_BYTES: Final = 16_000_000
"""Of the packets since a keyframe; a camera at 8 Mbit/s sends so many in 16 s."""
_MOST_WAITING: Final = 4


class _Asked(NamedTuple):
    number: int
    most_bytes: int
    """Of the small one, about."""


class Pictures:
    """Keeps what pictures are made of. The thread that demuxes and the one of orders use it."""

    def __init__(self, tell: "Callable[[say.Message], None]") -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._newest: tuple[av.VideoFrame, int] | None = None
        self._waiting = deque[_Asked](maxlen=_MOST_WAITING)
        self._since_key: list[tuple[Packet[VideoStream], int]] = []
        self._bytes = 0
        self._decoder: VideoCodecContext | None = None
        self._decoded = 0
        self._arrived: dict[int | None, int] = {}

    # the thread of orders

    def obey(self, lines: "Iterable[bytes]") -> None:
        """Do what the parent says, a JSON object a line, until it says no more."""
        for line in lines:
            order = json.loads(line)
            if order["do"] == "picture":
                most_bytes = int(order.get("most_bytes", say.MOST_SMALL))
                self._asked(_Asked(int(order["number"]), most_bytes), float(order["old_s"]))

    def _asked(self, asked: "_Asked", old_s: float) -> None:
        with self._lock:
            newest = self._newest
            if newest is None or time.monotonic_ns() - newest[1] > old_s * 1e9:
                self._waiting.append(asked)
                return
        self._answer(asked, *newest)

    # the thread that demuxes

    def packet(self, packet: "Packet[VideoStream]", video: "VideoStream") -> None:
        """Take each packet as it comes; what waits for a picture gets it now."""
        if packet.is_keyframe:
            self._since_key, self._bytes, self._decoded, self._arrived = [], 0, 0, {}
            if self._decoder is not None:
                self._decoder.flush_buffers()
        if packet.is_keyframe or self._since_key:
            self._since_key.append((packet, time.monotonic_ns()))
            self._bytes += packet.size
        if self._bytes > _MOST_BYTES:
            self._since_key = []
        if self._waiting:
            self._serve(video)

    def decoded(self, frame: av.VideoFrame, at_ns: int) -> None:
        """Take a frame that was decoded anyway."""
        with self._lock:
            self._newest = (frame, at_ns)

    def _serve(self, video: "VideoStream") -> None:
        if (found := self._catch_up(video)) is not None:
            self.decoded(*found)
        with self._lock:
            newest = self._newest
            waiting = list(self._waiting) if newest is not None else []
            for _ in waiting:
                self._waiting.popleft()
        for asked in waiting:
            if newest is not None:
                self._answer(asked, *newest)

    def _catch_up(self, video: "VideoStream") -> tuple[av.VideoFrame, int] | None:
        """Decode what came since the keyframe, from where the last time ended."""
        decoder = self._decoder = self._decoder or _decoder_like(video)
        found: tuple[av.VideoFrame, int] | None = None
        for packet, at_ns in self._since_key[self._decoded :]:
            self._arrived[packet.pts] = at_ns
            try:
                frames = decoder.decode(packet)
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                # a decoder that reorders gives an earlier frame than it was given
                came_ns = self._arrived.pop(frame.pts, None)
                if came_ns is not None:
                    found = (frame, came_ns)
        self._decoded = len(self._since_key)
        return found

    def _answer(self, asked: "_Asked", frame: av.VideoFrame, at_ns: int) -> None:
        small = jpeg.small(frame, asked.most_bytes)
        self._tell(say.Picture(asked.number, at_ns, len(small), small + jpeg.whole(frame)))


def _decoder_like(video: "VideoStream") -> "VideoCodecContext":
    theirs = video.codec_context
    decoder = av.CodecContext.create(theirs.name, "r")
    assert isinstance(decoder, av.VideoCodecContext)  # noqa: S101  # it is like a video's
    decoder.extradata = theirs.extradata
    decoder.thread_count = 1
    decoder.flags |= av.codec.context.Flags.low_delay
    return decoder
