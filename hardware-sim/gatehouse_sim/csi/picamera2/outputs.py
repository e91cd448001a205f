"""The outputs of picamera2 0.3.38 that Gatehouse uses: same names, same signatures, same traps."""

import threading
from collections import deque
from fractions import Fraction
from typing import Any

import av

_MICROSECOND = Fraction(1, 1_000_000)


class Output:
    """Takes encoded frames and does nothing with them."""

    def __init__(self, pts: Any = None) -> None:
        self.recording = False
        self.ptsoutput = pts
        self.needs_add_stream = False

    def start(self) -> None:
        """Begin."""
        self.recording = True

    def stop(self) -> None:
        """End."""
        self.recording = False

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Take one frame; ``timestamp`` in µs."""

    def _add_stream(self, encoder_stream: str, *args: Any, **kwargs: Any) -> None:
        """Hear of a stream that will come."""


class PyavOutput(Output):
    """Writes a file through PyAV; a failure ends it without a word unless somebody asked."""

    def __init__(
        self, output_name: Any, format: str | None = None, pts: Any = None, options: Any = None
    ) -> None:
        super().__init__(pts=pts)
        self._name, self._format, self._options = output_name, format, options
        self._container: Any = None
        self._stream: Any = None
        self.error_callback: Any = None
        self.needs_add_stream = True

    def start(self) -> None:
        """Open the file."""
        self._container = av.open(self._name, "w", format=self._format, options=self._options)
        super().start()

    def stop(self) -> None:
        """Close the file."""
        super().stop()
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Write one frame."""
        if self._container is None or not self.recording:
            return
        made = av.Packet(frame)
        made.pts = made.dts = timestamp
        made.time_base = _MICROSECOND
        made.is_keyframe = keyframe
        made.stream = self._stream
        try:
            self._container.mux(made)
        except Exception as exc:  # noqa: BLE001  # as the real one: told to the callback alone
            self._container = None
            if self.error_callback:
                self.error_callback(exc)

    def _add_stream(self, encoder_stream: str, codec_name: str, **kwargs: Any) -> None:
        self._stream = self._container.add_stream(codec_name, **kwargs)


class SplittableOutput(Output):
    """Passes frames on; `split_output` waits for a keyframe, for ever if none comes."""

    def __init__(self, output: Output | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._to = output
        self._next: Output | None = None
        self._key_only = True
        self._done = threading.Event()
        self._streams: list[tuple[Any, ...]] = []
        self.needs_add_stream = True

    def split_output(self, new_output: Output, wait_for_keyframe: bool = True) -> None:
        """Go on in another output; the old one is closed before this returns."""
        new_output.start()
        for stream, codec, kwargs in self._streams:
            new_output._add_stream(stream, codec, **kwargs)  # noqa: SLF001  # picamera2's own way
        old, self._key_only, self._next = self._to, wait_for_keyframe, new_output
        self._done.wait()
        self._done.clear()
        if old is not None:
            old.stop()

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Take one frame."""
        if self._next is not None and (keyframe or not self._key_only):
            self._to, self._next = self._next, None
            self._done.set()
        if self._to is not None:
            self._to.outputframe(frame, keyframe, timestamp, packet, audio)

    def start(self) -> None:
        """Begin."""
        super().start()
        if self._to is not None:
            self._to.start()

    def stop(self) -> None:
        """End."""
        super().stop()
        if self._to is not None:
            self._to.stop()

    def _add_stream(self, encoder_stream: str, codec_name: str, **kwargs: Any) -> None:
        self._streams.append((encoder_stream, codec_name, kwargs))
        if self._to is not None:
            self._to._add_stream(encoder_stream, codec_name, **kwargs)  # noqa: SLF001  # the same


class CircularOutput2(Output):
    """A delay line: what is opened gets each frame when it has become as old as the buffer."""

    def __init__(self, pts: Any = None, buffer_duration_ms: int = 5000) -> None:
        super().__init__(pts=pts)
        self.buffer_duration_ms = buffer_duration_ms
        self._held: deque[tuple[bytes, bool, int, Any, bool]] = deque()
        self._to: Output | None = None
        self._zero: int | None = None
        self._streams: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()

    def open_output(self, output: Output) -> None:
        """Begin to write what leaves the buffer, from its first keyframe."""
        if self._to is not None:
            raise RuntimeError("Underlying output must be closed first")
        output.start()
        for stream, codec, kwargs in self._streams:
            output._add_stream(stream, codec, **kwargs)  # noqa: SLF001  # picamera2's own way
        with self._lock:
            self._to, self._zero = output, None

    def close_output(self) -> None:
        """Stop writing; what the buffer still holds is not written."""
        if self._to is None:
            raise RuntimeError("No underlying output has been opened")
        with self._lock:
            output, self._to = self._to, None
        output.stop()

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Take one frame, let go of those that are old enough."""
        now = timestamp or 0
        with self._lock:
            self._held.append((frame, keyframe, now, packet, audio))
            while now - self._held[0][2] >= self.buffer_duration_ms * 1000:
                self._leave(*self._held.popleft())

    def _leave(self, frame: bytes, keyframe: bool, at: int, packet: Any, audio: bool) -> None:
        if keyframe and self._zero is None:
            self._zero = at
        if self._to is not None and self._zero is not None:
            self._to.outputframe(frame, keyframe, at - self._zero, packet, audio)

    def _add_stream(self, encoder_stream: str, codec_name: str, **kwargs: Any) -> None:
        self._streams.append((encoder_stream, codec_name, kwargs))
