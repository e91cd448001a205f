"""A film as the simulated camera sees it: encoded frames, and the pictures of its keyframes."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.bitstream import BitStreamFilterContext


class Film:
    """Plays one H.264 file over and over; another may be put in at any frame."""

    def __init__(self, path: Path) -> None:
        self._path = Path()
        self._frames: list[tuple[bytes, bool]] = []
        self._pictures: list[Any] = []
        self._picture: Any = None
        self._at = 0
        self.size = (0, 0)
        self.play(path)

    def play(self, path: Path) -> None:
        """Put this film in, unless it is in already."""
        if path == self._path:
            return
        self._path, self._frames, self._pictures, self._at = path, [], [], 0
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            self.size = (stream.width, stream.height)
            annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            stream.codec_context.skip_frame = "NONKEY"
            for packet in container.demux(stream):
                if packet.size:
                    self._pictures += packet.decode()
                    self._frames += [(bytes(p), p.is_keyframe) for p in annex_b.filter(packet)]
        self._keys = iter(())

    def next(self) -> tuple[bytes, bool]:
        """Return the next encoded frame and whether it is a keyframe."""
        if self._at == 0:
            self._keys = iter(self._pictures)
        frame, keyframe = self._frames[self._at]
        self._at = (self._at + 1) % len(self._frames)
        if keyframe:
            self._picture = next(self._keys, self._picture)
        return frame, keyframe

    def array(self, name: str) -> Any:
        """Return the picture as YUV420: the grey rows first, then half as many of colour."""
        width, height = (320, 180) if name == "lores" else self.size
        picture = self._picture.reformat(width, height, "yuv420p")
        return np.asarray(picture.to_ndarray())

    def jpeg(self) -> bytes:
        """Return the picture as JPEG."""
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height = self.size
        encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
        packets = encoder.encode(self._picture.reformat(*self.size, "yuvj420p"))
        return b"".join(bytes(packet) for packet in packets)
