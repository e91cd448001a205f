"""Segments and the pre-roll ring of a CSI camera, by picamera2's outputs."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

SEGMENT_S: Final = 60.0
PREROLL_S: Final = 40
"""What the ring holds: 30 s before a press (issue 3), and time for the order to arrive."""
_AGAIN_S: Final = 15.0
_PROVEN: Final = 3
"""Keyframes after which a file is surely written: what the first one began goes to the disk with
the second, and a full disk shows only then."""
_FLUSHED: Final = {
    # empty_moov is not possible: the encoder's parameters come with the first frame
    "movflags": "frag_keyframe+delay_moov+default_base_moof",
    "flush_packets": "1",
}

log = logging.getLogger(__name__)

Count = Callable[[int, bool], None]
Say = Callable[[bool, str], None]
"""Told whether it records, and if not, why; at every change."""


class Recording:
    """The outputs of one camera's encoder; files begin at keyframes and survive a power cut."""

    def __init__(self, folder: Path | None, count: Count, say: Say) -> None:
        """Record into ``folder``; None: nothing but the ring, and nothing to ``say``.

        ``count`` hears of every frame.
        """
        from picamera2 import outputs  # noqa: PLC0415  # only where there is a camera

        self._folder = folder
        self._splitter = outputs.SplittableOutput()
        self._ring = outputs.CircularOutput2(buffer_duration_ms=PREROLL_S * 1000)
        self._began = 0.0
        self._failed_at: float | None = None
        self._now = 0.0
        self._say = say
        self._said: bool | None = None
        self._why = ""
        self._keys = 0
        self._keeping = threading.Lock()
        self._kept: Path | None = None
        self._closes: threading.Timer | None = None
        self.outputs = [self._splitter, self._ring, _counting(outputs.Output, count)]

    def turn(self, now_unix: float, since_key_s: float) -> None:
        """Begin the next segment when it is time; called just after a keyframe.

        A segment is named after the second in which its first frame will come: the next keyframe.
        """
        self._now = now_unix
        if self._folder is None:
            return
        if self._due(now_unix):
            self._begin(self._folder, now_unix, since_key_s)
        self._tell()

    def _begin(self, folder: Path, now_unix: float, since_key_s: float) -> None:
        begins = datetime.fromtimestamp(now_unix + max(0.0, 1.0 - since_key_s) + 0.5, UTC)
        path = folder / f"{begins:%Y-%m-%d}" / f"{begins:%Y%m%dT%H%M%SZ}.mp4"
        try:
            folder.mkdir(exist_ok=True)  # not its parents: a disk may not be mounted
            path.parent.mkdir(exist_ok=True)
            if path.exists():
                return  # a child before us began in this very second: the next keyframe will do
            if self._failed_at is not None or not self._began:
                self._failed_at, self._keys = None, 0
            self._began = now_unix  # before the frames come, whose failure must not be forgotten
            self._splitter.split_output(_rebased(path, self._lost))
        except OSError as exc:
            self._lost(exc)

    def _tell(self) -> None:
        """Say whether it records, when that changed; a failure at once, a success when proven."""
        records = self._failed_at is None
        self._keys += 1
        if self._said is records or (records and (not self._began or self._keys < _PROVEN)):
            return
        self._said = records
        self._say(records, "" if records else self._why)

    def keep(self, path: Path, after_s: float) -> None:
        """Write what the ring holds and the next ``after_s`` seconds into a file.

        The ring is a delay line: what comes now leaves it ``PREROLL_S`` later. While that file is
        written, another order for it makes it longer.
        """
        closes = threading.Timer(after_s + PREROLL_S, self._close, args=(path,))
        with self._keeping:
            if self._kept != path:
                self._ring.open_output(_rebased(path, self._not_kept))
            if self._closes is not None:
                self._closes.cancel()
            self._kept, self._closes = path, closes
        closes.start()

    def _close(self, path: Path) -> None:
        with self._keeping:
            if self._kept == path:
                self._kept = None
                self._ring.close_output()

    def _due(self, now_unix: float) -> bool:
        if self._failed_at is not None:
            return not 0 <= now_unix - self._failed_at < _AGAIN_S
        return not 0 <= now_unix - self._began < SEGMENT_S  # also after a step of the clock

    def _lost(self, why: Exception) -> None:
        """Note that a file cannot be written (in the encoder's thread); the next try is later."""
        if self._said is not False:
            log.warning("recording failed: %s; again in %g s", why, _AGAIN_S)
        self._why, self._failed_at = str(why), self._now

    @staticmethod
    def _not_kept(why: Exception) -> None:
        log.warning("what was before an order cannot be written: %s", why)


def _rebased(path: Path, lost: Callable[[Exception], None]) -> Any:  # noqa: ANN401  # picamera2 has no types
    """Return an output whose file begins at time 0, whatever the encoder's clock says."""
    from picamera2.outputs import PyavOutput  # noqa: PLC0415  # only where there is a camera

    class Rebased(PyavOutput):  # type: ignore[misc]  # picamera2 ships no types
        zero: int | None = None

        def outputframe(  # picamera2's signature
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int = 0,
            packet: Any = None,  # noqa: ANN401  # the same
            audio: bool = False,
        ) -> None:
            self.zero = timestamp if self.zero is None else self.zero
            super().outputframe(frame, keyframe, timestamp - self.zero, packet, audio)

    made = Rebased(str(path), format="mp4", options=_FLUSHED)
    made.error_callback = lost
    return made


def _counting(output: type[Any], count: Count) -> Any:  # noqa: ANN401  # as above
    class Counting(output):  # type: ignore[misc]  # the same
        def outputframe(  # picamera2's signature
            self,
            frame: bytes,
            keyframe: bool = True,
            timestamp: int | None = None,  # noqa: ARG002  # the same
            packet: Any = None,  # noqa: ANN401, ARG002  # the same
            audio: bool = False,  # noqa: ARG002  # the same
        ) -> None:
            count(len(frame), keyframe)

    return Counting()
