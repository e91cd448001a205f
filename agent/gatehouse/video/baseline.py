"""What is usual for one camera, by day and by night: learnt from it, kept as a file, learnt anew.

Whether a picture is out of focus, moved or frozen can be told only beside what this camera usually
shows. A camera by night is another one: infrared light, no colour, more noise. So each has its own.
"""

import contextlib
import struct
import zlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec
import numpy as np

from gatehouse import files
from gatehouse.video.picture import Grey, Metrics, Numbers, Reference, picture_of

_LEARN: Final = 15
"""Usable pictures that make a reference; their median has no passers-by and little noise."""
_FOLLOW_EVERY: Final = 10
_FOLLOW: Final = 0.1
"""How much of a picture enters the reference: shadows and seasons change it over minutes."""
_P_BYTES: Final = 60
_P_BYTES_ENOUGH: Final = 4
_SUM: Final = struct.Struct(">I")


class Light(StrEnum):
    """Which of its two baselines a camera is judged by."""

    DAY = "day"
    NIGHT = "night"


_NIGHT_BELOW, _DAY_ABOVE = 50.0, 70.0
_GREY_BELOW, _COLOUR_ABOVE = 2.0, 4.0
_SWITCH_AFTER: Final = 3


@dataclass(slots=True)
class Daylight:
    """Tells day from night, by brightness and colour, three usable pictures in a row."""

    light: Light | None = None
    settled: bool = False
    """False while pictures speak for the other one: they are then compared with nothing."""
    _against: int = 0

    def see(self, mean: float, colour: float | None) -> None:
        """Look at one usable picture; ``colour`` is None when the source does not tell."""
        seems = self._seems(mean, colour)
        if seems in {None, self.light}:
            self._against = 0
        else:
            self._against += 1
            if self.light is None or self._against >= _SWITCH_AFTER:
                self.light, self._against = seems, 0
        self.settled = self._against == 0

    def _seems(self, mean: float, colour: float | None) -> Light | None:
        """Between the limits nothing speaks for a change (None), unless nothing is known yet."""
        grey = colour is not None and colour < _GREY_BELOW
        if grey or mean < _NIGHT_BELOW:
            return Light.NIGHT
        if self.light is None or (mean > _DAY_ABOVE and (colour is None or colour > _COLOUR_ABOVE)):
            return Light.DAY
        return None


@dataclass(slots=True)
class Usual:
    """What is usual in one light. ``reference`` is None until it was learnt."""

    reference: Reference | None = None
    sharpness: float = 0.0
    _average: Numbers | None = None
    _p_bytes: deque[int] = field(default_factory=lambda: deque(maxlen=_P_BYTES))
    _pupils: list[tuple[Grey, float]] = field(default_factory=list)
    _followed: int = 0

    @property
    def p_bytes(self) -> float | None:
        """Rolling median of the P-frame bytes between keyframes; None while there are few."""
        if len(self._p_bytes) < _P_BYTES_ENOUGH:
            return None
        return float(np.median(self._p_bytes))

    def moving(self, p_bytes: int) -> None:
        """Note the P-frame bytes of a camera that is not frozen."""
        self._p_bytes.append(p_bytes)

    def learn(self, picture: Grey, metrics: Metrics) -> bool:
        """Take a usable picture into what is learnt; True when that made the reference."""
        if self.reference is not None:
            return False
        self._pupils.append((picture, metrics.sharpness))
        if len(self._pupils) < _LEARN:
            return False
        pictures = np.stack([picture for picture, _ in self._pupils])
        self.sharpness = float(np.median([sharpness for _, sharpness in self._pupils]))
        self._pupils = []
        self._refer(np.median(pictures, axis=0).astype(np.float32))
        return True

    def follow(self, picture: Grey) -> None:
        """Let the reference follow the light; only for pictures that lie surely in their place.

        The sharpness stays as it was learnt, else a lens that grows dirty would become usual.
        """
        self._followed += 1
        if self._average is not None and self._followed % _FOLLOW_EVERY == 0:
            self._refer(self._average + _FOLLOW * (picture - self._average))

    def _refer(self, average: Numbers) -> None:
        self._average = average
        self.reference = Reference.of(np.rint(average).astype(np.uint8))

    def kept(self) -> "Kept":
        """Return what is worth keeping."""
        reference = None if self.reference is None else self.reference.picture.tobytes()
        return Kept(list(self._p_bytes), self.sharpness, reference)

    @classmethod
    def of(cls, kept: "Kept") -> Self:
        """Make it of what was kept. Raises ValueError when that is no picture."""
        usual = cls(sharpness=kept.sharpness)
        usual._p_bytes.extend(kept.p_bytes)
        if kept.reference is not None:
            usual._refer(picture_of(kept.reference).astype(np.float32))
        return usual


class Kept(msgspec.Struct):
    """What is kept of one light."""

    p_bytes: list[Annotated[int, msgspec.Meta(ge=0)]]
    sharpness: Annotated[float, msgspec.Meta(ge=0)]
    reference: bytes | None


class Baseline:
    """What was learnt of one camera."""

    def __init__(self, usual: Iterable[tuple[Light, Usual]] = ()) -> None:
        self._usual = {light: Usual() for light in Light} | dict(usual)

    def __getitem__(self, light: Light) -> Usual:
        return self._usual[light]

    def other(self, light: Light | None) -> Usual | None:
        """Return what is usual in this light or, if that was not learnt, in the other one."""
        order = sorted(self._usual.items(), key=lambda item: item[0] != light)
        return next((usual for _, usual in order if usual.reference is not None), None)

    @property
    def learnt(self) -> tuple[Light, ...]:
        """In which light there is a reference."""
        return tuple(light for light, usual in self._usual.items() if usual.reference is not None)

    def forget(self) -> None:
        """Learn anew: the camera was moved, cleaned or focused on purpose."""
        self._usual = {light: Usual() for light in Light}

    def to_bytes(self) -> bytes:
        """Return it as it is kept, behind a checksum."""
        body = msgspec.msgpack.encode({light: usual.kept() for light, usual in self._usual.items()})
        return _SUM.pack(zlib.crc32(body)) + body

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self:
        """Make it of what was kept. Raises ValueError when that is damaged."""
        body = kept[_SUM.size :]
        if kept[: _SUM.size] != _SUM.pack(zlib.crc32(body)):
            raise ValueError("the kept baseline is damaged")
        try:
            found = msgspec.msgpack.decode(body, type=dict[Light, Kept])
        except msgspec.DecodeError as exc:
            raise ValueError(f"the kept baseline is of another version: {exc}") from exc
        return cls((light, Usual.of(each)) for light, each in found.items())


def keep(baseline: bytes, path: Path) -> None:
    """Write what `Baseline.to_bytes` gave, so that after a power cut the old or the new is there.

    Raises OSError. It touches the disk: call it beside the loop.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, baseline, mode=0o640)


def load(path: Path) -> Baseline:
    """Read what was kept; one that is missing or damaged is learnt anew."""
    with contextlib.suppress(OSError, ValueError):
        return Baseline.from_bytes(path.read_bytes())
    return Baseline()
