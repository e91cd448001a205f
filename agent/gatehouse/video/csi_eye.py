"""The child that looks through a CSI camera of this Pi, and records it (``picamera2:N``).

Written against picamera2 0.3.38, where a loose cable raises nothing and what waits for a frame
hangs (measured, design section 3): every wait has a time, the parent kills a child that says
nothing, and nobody here ever calls ``stop``, which may not return. The camera opens for one process
only; the kernel takes it back when this one ends.
"""

import argparse
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from gatehouse.errors import GatehouseError
from gatehouse.video import eye_messages as say
from gatehouse.video import jpeg
from gatehouse.video.csi_recording import PREROLL_S, Recording
from gatehouse.video.picture import HEIGHT, WIDTH

SIZE: Final = (1920, 1080)
FPS: Final = 25
BITRATE: Final = 4_000_000
"""Bits a second: 1080p25 of a gate needs about so much to read a face (43 GB a day)."""
_FRAME_S: Final = 8.0
"""Without a frame for so long the cable is loose; the parent would kill us after 10 s."""

Tell = Callable[[say.Message], None]


class CameraLostError(GatehouseError, OSError):
    """The camera gives no frames, or cannot be opened; ``fault`` is the eye's word for it."""

    def __init__(self, message: str, fault: str = say.UNREACHABLE) -> None:
        super().__init__(message)
        self.fault = fault


class Counter:
    """Counts encoded frames between keyframes; its own errors would end picamera2's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = threading.Event()
        self._p_bytes = self._frames = 0
        self._done = (0, 0)
        self.last_key_s = 0.0

    def frame(self, size: int, keyframe: bool) -> None:
        """Take one frame's size, in the encoder's thread."""
        with self._lock:
            if keyframe:
                self._done = (self._p_bytes, self._frames)
                self._p_bytes, self._frames = 0, 1
                self.last_key_s = time.monotonic()
                self._key.set()
            else:
                self._p_bytes += size
                self._frames += 1

    def next_key(self) -> tuple[int, int]:
        """Wait for a keyframe; return the bytes and frames before it. Raises CameraLostError."""
        if not self._key.wait(_FRAME_S):
            raise CameraLostError(
                f"no frame for {_FRAME_S:g} s: see to the ribbon cable of the camera", say.STALLED
            )
        self._key.clear()
        with self._lock:
            return self._done


def open_camera(number: int) -> Any:  # noqa: ANN401  # picamera2 ships no types
    """Open the camera; picamera2 hides the reason in the cause. Raises CameraLostError."""
    try:
        from picamera2 import Picamera2  # noqa: PLC0415  # only where there is a camera

        camera = Picamera2(number)
        camera.configure(
            camera.create_video_configuration(
                main={"size": SIZE, "format": "YUV420"},
                lores={"size": (WIDTH, HEIGHT), "format": "YUV420"},
                controls={"FrameRate": FPS},
            )
        )
    except Exception as exc:  # picamera2, libcamera and a missing package share no root
        why = f" ({exc.__cause__})" if exc.__cause__ else ""
        raise CameraLostError(f"camera {number} cannot be opened: {exc}{why}") from exc
    return camera


def look(number: int, folder: Path | None, tell: Tell) -> None:
    """Look, and record into ``folder`` (None: only the pre-roll ring), until something fails."""
    from picamera2.encoders import H264Encoder  # noqa: PLC0415  # only where there is a camera

    camera = open_camera(number)
    counter = Counter()
    recording = Recording(
        folder, counter.frame, lambda records, why: tell(say.Records(records, why))
    )
    encoder = H264Encoder(bitrate=BITRATE, repeat=True, iperiod=FPS)
    camera.start_recording(encoder, recording.outputs)
    orders = (camera, recording, tell)
    threading.Thread(target=_obey, args=orders, name="orders", daemon=True).start()
    tell(say.Opened(*SIZE, "h264"))
    before_s = time.monotonic()
    while True:
        p_bytes, frames = counter.next_key()
        try:
            picture = camera.capture_array("lores", wait=_FRAME_S)
        except TimeoutError as exc:
            raise CameraLostError("no picture: see to the cable", say.STALLED) from exc
        now_s = time.monotonic()
        fps = frames / max(0.001, now_s - before_s)
        before_s = now_s
        grey = picture[:HEIGHT, :WIDTH].tobytes()
        tell(say.Key(time.monotonic_ns(), p_bytes, frames, round(fps, 2), _colour(picture), grey))
        recording.turn(time.time(), now_s - counter.last_key_s)


def _colour(picture: Any) -> float:  # noqa: ANN401  # an array of picamera2
    """Return the mean distance of the colour planes (the rows below the grey ones) from grey."""
    return round(float(abs(picture[HEIGHT:].astype("int16") - 128).mean()), 2)


def _obey(camera: Any, recording: Recording, tell: Tell) -> None:  # noqa: ANN401  # as above
    """Do what the parent says on stdin, a JSON object a line; its end is our end."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "keep":
            recording.keep(Path(order["path"]), float(order["after_s"]))
        elif order["do"] == "picture":
            with contextlib.suppress(TimeoutError):  # the main thread finds the loose cable
                frame = jpeg.frame_of(camera.capture_array("main", wait=_FRAME_S))
                at_ns = time.monotonic_ns()
                small = jpeg.small(frame, int(order.get("most_bytes", say.MOST_SMALL)))
                both = small + jpeg.whole(frame)
                tell(say.Picture(int(order["number"]), at_ns, len(small), both))
    os._exit(0)


def main(argv: Sequence[str] | None = None) -> int:
    """Look until killed; says on stdout what the eye sees."""
    parser = argparse.ArgumentParser(prog="python -m gatehouse.video.csi_eye")
    parser.add_argument("number", type=int)
    parser.add_argument("--recordings", type=Path, help=f"else only {PREROLL_S} s are held")
    args = parser.parse_args(argv)
    out, turn = sys.stdout.buffer, threading.Lock()

    def tell(message: say.Message) -> None:
        with turn:
            out.write(say.encode(message))
            out.flush()

    try:
        look(args.number, args.recordings, tell)
    except CameraLostError as exc:
        tell(say.Failed(exc.fault, str(exc)))
    except BrokenPipeError:
        pass  # the parent is gone, and so are we
    return 1


if __name__ == "__main__":
    os._exit(main())  # threads of picamera2 that hang are not waited for
