"""What one keyframe tells of its camera: pure numbers of a grey picture, 320 x 180, 0 to 255.

The thresholds were measured on real and simulated cameras (design section 3). Which of them makes a
fault, and how many pictures in a row it takes, is said in `verdict`.
"""

from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""A picture: rows of pixels."""
Numbers = NDArray[np.float32]

WIDTH: Final = 320
HEIGHT: Final = 180
TILES: Final = (9, 16)
"""Rows and columns of tiles of 20 x 20 pixels."""

_DARK_MEAN: Final = 8.0
_DARK_SPREAD: Final = 1.0
_COVERED_SPREAD: Final = 1.1
_USABLE_SHARPNESS: Final = 20.0
_OUT_OF_FOCUS: Final = 0.15
_STRANGE_PEAK: Final = 0.12
_SURE_PEAK: Final = 0.3
_SHIFT_PX: Final = 10.0
_STILL_BYTES: Final = 0.4
_STILL_CHANGE: Final = 0.35
_BAND: Final = 0.25
"""Cycles a pixel: finer detail is mostly sensor noise and says nothing of where a camera looks."""
_FLAT_VIEW: Final = 10.0
_LIKENESS: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """What is measured on one picture alone."""

    mean: float
    spread: float
    """Median over the tiles of the standard deviation within a tile."""
    sharpness: float
    """Variance of the Laplacian."""
    tiles: Numbers
    """The mean of each tile: what is left of a view through a lens that is out of focus."""

    @property
    def black(self) -> bool:
        """Whether there is nothing but black."""
        return self.mean < _DARK_MEAN and self.spread < _DARK_SPREAD

    @property
    def flat(self) -> bool:
        """Whether most of the picture has one tone, as behind a cover, a hand or paint."""
        return self.spread < _COVERED_SPREAD

    @property
    def unusable(self) -> bool:
        """Whether there is no edge anywhere."""
        return self.sharpness < _USABLE_SHARPNESS

    @property
    def usable(self) -> bool:
        """Whether it is a view that can be compared with others."""
        return not (self.black or self.flat or self.unusable)

    def unfocused(self, usual_sharpness: float) -> bool:
        """Whether it is far less sharp than this camera usually is."""
        return self.sharpness < _OUT_OF_FOCUS * usual_sharpness

    def shows_the_view(self, usual: "Metrics | None") -> bool:
        """Whether a picture without edges is still this camera's view, only out of focus.

        Judged by the light and dark areas of the usual picture, or, when none was learnt, by
        whether there are such areas at all: a cover has one tone.
        """
        if usual is None:
            return float(self.tiles.std()) >= _FLAT_VIEW
        mine, theirs = self.tiles - self.tiles.mean(), usual.tiles - usual.tiles.mean()
        scale = float(np.sqrt((mine * mine).sum() * (theirs * theirs).sum()))
        return scale > 0 and float((mine * theirs).sum()) / scale > _LIKENESS


def picture_of(grey: bytes) -> Grey:
    """Return the picture that an eye sent, or that was kept. Raises ValueError if it is none."""
    return np.frombuffer(grey, np.uint8).reshape(HEIGHT, WIDTH)


def measure(picture: Grey) -> Metrics:
    """Measure one picture."""
    numbers = picture.astype(np.float32)
    rows, columns = TILES
    tiles = numbers.reshape(rows, HEIGHT // rows, columns, WIDTH // columns)
    around = numbers[:-2, 1:-1] + numbers[2:, 1:-1] + numbers[1:-1, :-2] + numbers[1:-1, 2:]
    laplacian = around - 4 * numbers[1:-1, 1:-1]
    return Metrics(
        mean=float(numbers.mean()),
        spread=float(np.median(tiles.std(axis=(1, 3)))),
        sharpness=float(laplacian.var()),
        tiles=tiles.mean(axis=(1, 3)),
    )


def change(before: Grey, after: Grey) -> float:
    """Return the mean absolute difference of two pictures."""
    return float(np.abs(after.astype(np.int16) - before).mean())


def still(p_bytes: float, usual_p_bytes: float, changed: float) -> bool:
    """Whether an encoder repeats one picture: too little is coded, and nothing moves.

    Byte equality never holds: encoders dither, and clocks are burnt in.
    """
    return p_bytes < _STILL_BYTES * usual_p_bytes and not lively(changed)


def lively(changed: float) -> bool:
    """Whether two pictures differ as pictures of a camera that works do, if only by noise."""
    return changed >= _STILL_CHANGE


@dataclass(frozen=True, slots=True)
class Shift:
    """How a picture lies against the reference: how surely, and by how many pixels."""

    peak: float
    pixels: float

    @property
    def moved(self) -> bool:
        """Whether the camera looks elsewhere: another view, or the same one beside its place."""
        strange = self.peak < _STRANGE_PEAK
        return strange or (self.peak >= _SURE_PEAK and self.pixels > _SHIFT_PX)

    @property
    def in_place(self) -> bool:
        """Whether the camera surely looks where it did."""
        return self.peak >= _SURE_PEAK and self.pixels < 1


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A picture to compare others with, and its spectrum."""

    picture: Grey
    metrics: Metrics
    _spectrum: NDArray[np.complexfloating] = field(repr=False)

    @classmethod
    def of(cls, picture: Grey) -> Self:
        """Prepare a picture."""
        return cls(picture, measure(picture), _spectrum(picture))

    def shift(self, picture: Grey) -> Shift:
        """Find how far a picture lies from this one, by phase correlation.

        Only the phases of edges count, so that light and contrast do not; a picture compared with
        itself has the peak 1.
        """
        cross = self._spectrum * np.conj(_spectrum(picture))
        size = np.abs(cross)
        phases = np.divide(cross, size, out=np.zeros_like(cross), where=size > 1e-6)
        surface = np.fft.irfft2(phases * _IN_BAND, s=(HEIGHT, WIDTH)) * _SCALE
        down, right = divmod(int(surface.argmax()), WIDTH)
        down, right = min(down, HEIGHT - down), min(right, WIDTH - right)
        return Shift(float(surface.max()), float(np.hypot(down, right)))


def _spectrum(picture: Grey) -> NDArray[np.complexfloating]:
    edges = _edges(picture)
    spectrum: NDArray[np.complexfloating] = np.fft.rfft2((edges - edges.mean()) * _WINDOW)
    return spectrum


def _edges(picture: Grey) -> Numbers:
    """Return how strong the edge at each pixel is, whichever side is lighter.

    Under infrared a wall may be darker than the tree before it, but its edge stays where it was;
    by the tones alone every switch to night vision would look like another place.
    """
    numbers = picture.astype(np.float32)
    fine = (numbers[:-1, :-1] + numbers[1:, :-1] + numbers[:-1, 1:] + numbers[1:, 1:]) / 4
    edges: Numbers = np.zeros((HEIGHT, WIDTH), np.float32)
    across, down = fine[:-2, 2:] - fine[:-2, :-2], fine[2:, :-2] - fine[:-2, :-2]
    edges[:-3, :-3] = np.hypot(across, down)
    return edges


def _window() -> Numbers:
    window: Numbers = np.outer(np.hanning(HEIGHT), np.hanning(WIDTH)).astype(np.float32)
    return window


def _band() -> Numbers:
    far = np.hypot(np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None, :])
    band: Numbers = (far <= _BAND).astype(np.float32)
    return band


_WINDOW: Final = _window()
_IN_BAND: Final = _band()
_SCALE: Final = 1.0 / float(np.fft.irfft2(_IN_BAND, s=(HEIGHT, WIDTH))[0, 0])
