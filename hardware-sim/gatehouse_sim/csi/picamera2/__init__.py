"""A stand-in for picamera2 0.3.38: its signatures, and its bad habits, on a film.

* a loose cable raises nothing: captures, splits and stops hang, for ever unless told a time;
* the camera opens for one process; the reason why it does not lies in the error's ``__cause__``;
* an error in an output ends the thread of the event loop, and ``stop`` then never returns.
"""

import fcntl
import os
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

from gatehouse_sim.csi import VARIABLE, manners_of

from .encoders import H264Encoder
from .film import Film

__all__ = ["H264Encoder", "Picamera2"]

_FRAME_S = 0.04


class Picamera2:
    """One camera that plays a film at 25 pictures a second."""

    _locks: ClassVar[list[Any]] = []

    def __init__(
        self,
        camera_num: int = 0,
        verbose_console: Any = None,
        tuning: Any = None,
        allocator: Any = None,
    ) -> None:
        if camera_num >= len(self.global_camera_info()):
            raise RuntimeError(f"No camera number {camera_num} found - use rpicam-hello")
        try:
            self._lock_file = self._acquire(camera_num)
        except RuntimeError as exc:
            raise RuntimeError("Camera __init__ sequence did not complete.") from exc
        self._film = Film(Path(manners_of().film))
        self._encoder: H264Encoder | None = None
        self._jobs: list[tuple[Any, Future[Any]]] = []
        self._config: dict[str, Any] = {}
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        """Return the attached cameras."""
        return [{"Model": "imx708", "Num": 0, "Id": "/sim/0"}] if manners_of().present else []

    @staticmethod
    def _acquire(camera_num: int) -> Any:
        held = Path(os.environ[VARIABLE]).with_suffix(f".{camera_num}.lock").open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise RuntimeError("Failed to acquire camera: Device or resource busy") from exc
        return held

    def create_video_configuration(
        self,
        main: Any = None,
        lores: Any = None,
        raw: Any = None,
        transform: Any = None,
        colour_space: Any = None,
        buffer_count: int = 6,
        controls: Any = None,
        display: str | None = "main",
        encode: str | None = "main",
        queue: bool = True,
        sensor: Any = None,
        use_case: str = "video",
    ) -> dict[str, Any]:
        """Make a configuration."""
        given = {"raw": raw, "transform": transform, "colour_space": colour_space}
        given |= {"buffer_count": buffer_count, "display": display, "encode": encode}
        given |= {"queue": queue, "sensor": sensor, "use_case": use_case}
        return {**given, "main": main or {}, "lores": lores, "controls": controls or {}}

    def configure(self, camera_config: Any = None) -> None:
        """Take a configuration."""
        self._config = camera_config

    def camera_configuration(self) -> dict[str, Any]:
        """Return the configuration in use."""
        return self._config

    def start_recording(
        self,
        encoder: H264Encoder,
        output: Any,
        pts: Any = None,
        config: Any = None,
        quality: Any = None,
        name: Any = None,
    ) -> None:
        """Start the encoder, then the camera."""
        if config is not None:
            self.configure(config)
        encoder.output = output
        encoder.size = self._film.size
        encoder.start(quality)
        self._encoder = encoder
        self.start()

    def start(self, config: Any = None, show_preview: bool = False) -> None:
        """Start the frames."""
        self._thread = threading.Thread(target=self._event_loop, name="picamera2", daemon=True)
        self._thread.start()

    def stop_recording(self) -> None:
        """Stop; with a dead event loop or a loose cable this never returns."""
        self.stop()
        if self._encoder is not None:
            self._encoder.stop()

    def stop(self) -> None:
        """Stop; see ``stop_recording``."""
        self._dispatch(self._ending.set, True)

    def close(self) -> None:
        """Stop, and let others have the camera."""
        self.stop()
        self._lock_file.close()

    def capture_array(
        self, name: str = "main", wait: Any = None, signal_function: Any = None
    ) -> Any:
        """Return the next picture of a stream; ``wait`` as in `_dispatch`."""
        return self._dispatch(lambda: self._film.array(name), wait, signal_function)

    def capture_file(
        self,
        file_output: Any,
        name: str = "main",
        format: str | None = None,
        wait: Any = None,
        signal_function: Any = None,
        exif_data: Any = None,
    ) -> Any:
        """Write the next picture as JPEG."""

        def save() -> None:
            if hasattr(file_output, "write"):
                file_output.write(self._film.jpeg())
            else:
                Path(file_output).write_bytes(self._film.jpeg())

        return self._dispatch(save, wait, signal_function)

    def _dispatch(self, job: Any, wait: Any, signal_function: Any = None) -> Any:
        """Have the event loop do it: None or True waits for ever, a number so many seconds."""
        if wait is None:
            wait = signal_function is None
        done: Future[Any] = Future()
        self._jobs.append((job, done))
        if not wait:
            return done
        return done.result(timeout=None if wait is True else wait)

    def _event_loop(self) -> None:
        began = time.monotonic()
        number = 0
        while not self._ending.is_set():
            number += 1
            time.sleep(max(0.0, began + number * _FRAME_S - time.monotonic()))
            manners = manners_of()
            if manners.loose:
                continue  # no frame, no job done, no error
            self._film.play(Path(manners.film))
            frame, keyframe = self._film.next()
            jobs, self._jobs = self._jobs, []
            for job, done in jobs:
                try:
                    done.set_result(job())
                except Exception as exc:  # noqa: BLE001  # as the real one: told to who waits
                    done.set_exception(exc)
            if self._encoder is not None and not self._ending.is_set():
                at_us = int((time.monotonic() - began) * 1e6)
                self._encoder.outputframe(frame, keyframe, at_us)
