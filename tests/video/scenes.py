"""Pictures of a school gate that never was, as a camera would give them: 320 x 180, grey."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gatehouse.video.eye_messages import Key
from gatehouse.video.picture import HEIGHT, WIDTH, Grey

MARGIN: Final = 40
SECOND_NS: Final = 1_000_000_000
EVERY_NS: Final = 2 * SECOND_NS
DAY_BYTES, NIGHT_BYTES = 50_000, 150_000


def dice(seed: int = 0) -> np.random.Generator:
    """Return chance that is the same in every run."""
    return np.random.default_rng(seed)


@dataclass
class Scene:
    """Walls, windows and trees, wider than the camera sees; under infrared they look otherwise."""

    seed: int = 1
    day: NDArray[np.float64] = field(init=False)
    infrared: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Draw it."""
        chance = dice(self.seed)
        shape = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN)
        self.day, self.infrared = np.full(shape, 150.0), np.full(shape, 60.0)
        for _ in range(260):
            height, width = chance.integers(4, 36), chance.integers(4, 44)
            top, left = chance.integers(0, shape[0] - height), chance.integers(0, shape[1] - width)
            box = np.s_[top : top + height, left : left + width]
            self.day[box] = chance.uniform(20, 235)
            self.infrared[box] = chance.uniform(10, 110)

    def seen(
        self, *, infrared: bool = False, right: int = 0, down: int = 0, turned: float = 0.0
    ) -> NDArray[np.float64]:
        """Return what the camera sees; ``right``, ``down`` and ``turned`` if it was moved."""
        whole = self.infrared if infrared else self.day
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
        y, x = rows - HEIGHT / 2, columns - WIDTH / 2
        angle = np.radians(turned)
        from_row = np.cos(angle) * y - np.sin(angle) * x + HEIGHT / 2 + MARGIN + down
        from_column = np.sin(angle) * y + np.cos(angle) * x + WIDTH / 2 + MARGIN + right
        at_row = np.rint(from_row).astype(int).clip(0, whole.shape[0] - 1)
        at_column = np.rint(from_column).astype(int).clip(0, whole.shape[1] - 1)
        seen: NDArray[np.float64] = whole[at_row, at_column]
        return seen


def shot(
    light: NDArray[np.float64], chance: np.random.Generator, *, noise: float = 1.5, gain: float = 1
) -> Grey:
    """Take a picture of what is seen, with the noise of a sensor."""
    numbers = light * gain + chance.normal(0, noise, light.shape)
    return np.rint(numbers).clip(0, 255).astype(np.uint8)


def blurred(light: NDArray[np.float64], size: int = 15) -> NDArray[np.float64]:
    """Return it out of focus: a box blur, three times."""
    for _ in range(3):
        for axis in (0, 1):
            padded = np.pad(
                light, [(size // 2,) * 2 if a == axis else (0, 0) for a in (0, 1)], "edge"
            )
            summed = np.cumsum(padded, axis=axis)
            summed = np.insert(summed, 0, 0, axis=axis)
            length = light.shape[axis]
            upper = np.take(summed, range(size, size + length), axis=axis)
            light = (upper - np.take(summed, range(length), axis=axis)) / size
    return light


def tone(value: float) -> NDArray[np.float64]:
    """Return one tone all over: a cover, a hand, paint, or the dark."""
    return np.full((HEIGHT, WIDTH), value)


def key(
    number: int, picture: Grey, *, p_bytes: int = DAY_BYTES, colour: float | None = 20.0
) -> Key:
    """Return what an eye would say of a picture."""
    return Key(number * EVERY_NS, p_bytes, 50, 25.0, colour, picture.tobytes())


def hour(seed: int) -> Iterator[Key]:
    """Give an hour of a camera that is well: day, dusk, night, dawn; people, cars and weather."""
    scene, chance = Scene(seed), dice(seed)
    by_day, by_night = scene.seen(), scene.seen(infrared=True)
    number, switched = 1800, False
    for each in range(number):
        sun = np.clip(0.5 + 0.9 * np.cos(each / number * 2 * np.pi), 0.05, 1.0)
        switched = sun < (0.35 if switched else 0.25)  # the camera's own infrared filter
        cloud = 1 + 0.15 * np.sin(each / 90) + 0.05 * np.sin(each / 11)
        light = by_night.copy() if switched else by_day * sun * cloud
        _people(light, chance, each)
        if each % 400 in {150, 151}:  # headlights, for two keyframes
            light = light * 1.6 + 40
            light[60:130, 100:220] = 255
        if 500 < each < 700 or 1000 < each < 1100:  # rain, and rain by night
            for _ in range(60):
                top, left = chance.integers(0, HEIGHT - 12), chance.integers(0, WIDTH)
                light[top : top + 12, left] += 60
        noise = 4.0 if switched else 1.5
        p_bytes = (NIGHT_BYTES if switched else DAY_BYTES) * chance.lognormal(0, 0.25)
        yield key(
            each,
            shot(light, chance, noise=noise),
            p_bytes=int(p_bytes),
            colour=0.6 if switched else 4.0 + 18 * float(sun),
        )


def _people(light: NDArray[np.float64], chance: np.random.Generator, each: int) -> None:
    """Let people walk by, and children come out of school in a crowd."""
    crowd = 300 < each < 360
    for _ in range(25 if crowd else chance.integers(0, 4)):
        top, left = chance.integers(40, HEIGHT - 50), chance.integers(0, WIDTH - 16)
        light[top : top + 48, left : left + 16] = chance.uniform(20, 200)
