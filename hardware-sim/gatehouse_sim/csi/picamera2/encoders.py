"""The encoder of picamera2 0.3.38 that Gatehouse uses; its frames come from a film."""

from typing import Any

from .outputs import Output


class H264Encoder:
    """Hands ready-made H.264 frames to its outputs. On a Pi 5 the real one is libav's."""

    def __init__(
        self,
        bitrate: int | None = None,
        repeat: bool = True,
        iperiod: int | None = None,
        framerate: float | None = None,
        qp: int | None = None,
        profile: str | None = None,
    ) -> None:
        self.bitrate, self.repeat, self.iperiod = bitrate, repeat, iperiod
        self.framerate, self.qp, self.profile = framerate, qp, profile
        self.size = (0, 0)
        self.running = False
        self._outputs: list[Output] = []

    @property
    def output(self) -> Any:
        """The outputs: one alone, or a list."""
        return self._outputs[0] if len(self._outputs) == 1 else self._outputs

    @output.setter
    def output(self, value: Output | list[Output]) -> None:
        self._outputs = value if isinstance(value, list) else [value]

    def start(self, quality: Any = None) -> None:
        """Start the outputs and tell them of the stream."""
        self.running = True
        for output in self._outputs:
            output.start()
        for output in self._outputs:
            width, height = self.size
            output._add_stream("video", "h264", width=width, height=height)  # noqa: SLF001  # its way

    def stop(self) -> None:
        """Stop the outputs."""
        self.running = False
        for output in self._outputs:
            output.stop()

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: Any = None,
        audio: bool = False,
    ) -> None:
        """Hand one frame to every output; what one raises ends the thread that called."""
        for output in self._outputs:
            output.outputframe(frame, keyframe, timestamp, packet, audio)
