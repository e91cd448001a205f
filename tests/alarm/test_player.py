"""The player of patterns: exact over a whole night, and never worth an alarm."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import pytest

from alarm.fakes import FakeLoop
from alarm.lines import MS, NOW_NS, S
from gatehouse.alarm.lamps import BLIP, CHIRP, DARK, FAST, SLOW, STEADY, Loop, Pattern, Player

PIN = 22


@dataclass
class Lamp:
    """A player with lamps that can fail, and what became of them."""

    loop: FakeLoop = field(default_factory=FakeLoop)
    writes: list[tuple[int, bool]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    mended: int = 0
    broken: bool = False

    def __post_init__(self) -> None:
        self.player = Player(
            loop=cast("Loop", self.loop),
            write=self._write,
            on_failure=lambda pin, error: self.failures.append(f"{pin}: {error}"),
            on_mended=self._mend,
        )

    def _write(self, _pin: int, on: bool) -> None:
        if self.broken:
            raise OSError("no such pin")
        self.writes.append((self.loop.now_ns - NOW_NS, on))

    def _mend(self, _pin: int) -> None:
        self.mended += 1

    def take(self) -> list[tuple[int, bool]]:
        """Return the writes since the last look."""
        writes, self.writes = self.writes, []
        return writes


@pytest.fixture
def lamp() -> Iterator[Lamp]:
    """Hand out a lamp, and see that a closed player plays nothing."""
    made = Lamp()
    yield made
    made.player.close()
    assert made.loop.waiting() == 0


@pytest.mark.parametrize(
    ("pattern", "period_ns", "on_ns"),
    [(FAST, S / 3, S / 6), (SLOW, S, S / 2), (BLIP, 10 * S, S / 10), (CHIRP, 60 * S, S / 10)],
)
def test_frequencies_hold_without_drift(
    lamp: Lamp, pattern: Pattern, period_ns: float, on_ns: float
) -> None:
    """Patterns that drift apart can no longer be told apart, or counted by a test outside."""
    lamp.player.show(PIN, pattern)
    lamp.loop.run(20 * 60 * S)
    writes = lamp.take()
    rises = [at_ns for at_ns, on in writes if on]
    falls = [at_ns for at_ns, on in writes if not on]
    assert all(a[1] is not b[1] for a, b in pairwise(writes))
    assert len(rises) == pytest.approx(20 * 60 * S / period_ns, abs=1)
    for number, (rise, fall) in enumerate(zip(rises, falls, strict=False)):
        assert rise == pytest.approx(number * period_ns, abs=10_000)
        assert fall - rise == pytest.approx(on_ns, abs=10_000)


def test_a_late_loop_does_not_shift_the_pattern(lamp: Lamp) -> None:
    """A turn that came late must not push all that follow."""
    lamp.player.show(PIN, SLOW)
    lamp.loop.run(400 * MS)
    lamp.loop.now_ns += 300 * MS  # the loop was busy from 0.4 s to 0.7 s
    lamp.loop.run(10 * S)
    assert [at_ns for at_ns, _ in lamp.take()][:4] == [0, 700 * MS, S, 1500 * MS]


def test_a_pattern_that_plays_goes_on_undisturbed(lamp: Lamp) -> None:
    """The lamps are shown anew at every event: none may make one stutter."""
    lamp.player.show(PIN, SLOW)
    for _ in range(100):
        lamp.loop.run(70 * MS)
        lamp.player.show(PIN, SLOW)
    assert [at_ns for at_ns, _ in lamp.take()] == [number * 500 * MS for number in range(15)]


def test_a_change_shows_at_once_and_ends_the_old_pattern(lamp: Lamp) -> None:
    """Between two blips a press would otherwise stay unseen for 10 s."""
    lamp.player.show(PIN, BLIP)
    lamp.loop.run(5 * S)
    lamp.take()
    lamp.player.show(PIN, FAST)
    assert lamp.take() == [(5 * S, True)]
    lamp.player.show(PIN, STEADY)
    lamp.loop.run(60 * S)
    assert lamp.take() == [(5 * S, True)]
    lamp.player.show(PIN, DARK)
    assert lamp.take() == [(65 * S, False)]
    assert lamp.loop.waiting() == 0


@pytest.mark.parametrize("pattern", [FAST, STEADY])
def test_a_failing_lamp_is_told_once_and_raises_nothing(lamp: Lamp, pattern: Pattern) -> None:
    """A lamp is never worth an alarm, and its fault no more than one word."""
    lamp.broken = True
    lamp.player.show(PIN, pattern)
    for _ in range(5):
        lamp.loop.run(S)
        lamp.player.show(PIN, pattern)
    assert (lamp.failures, lamp.mended) == ([f"{PIN}: no such pin"], 0)
    lamp.broken = False
    lamp.loop.run(S)
    lamp.player.show(PIN, pattern)
    assert (len(lamp.failures), lamp.mended) == (1, 1)
    assert lamp.take()[-1][1] is True or pattern is FAST
    lamp.broken = True
    lamp.player.show(PIN, DARK)
    assert (len(lamp.failures), lamp.mended) == (2, 1)


def test_a_steady_lamp_that_failed_is_tried_at_the_next_showing(lamp: Lamp) -> None:
    """A relay whose write failed would otherwise stay open through the whole alarm."""
    lamp.broken = True
    lamp.player.show(PIN, STEADY)
    lamp.broken = False
    lamp.player.show(PIN, STEADY)
    assert (lamp.take(), lamp.mended) == ([(0, True)], 1)


def test_closing_leaves_all_dark(lamp: Lamp) -> None:
    """A lamp that goes on after the service has ended tells the guard of a dead alarm."""
    lamp.player.show(PIN, FAST)
    lamp.player.show(PIN + 1, STEADY)
    lamp.take()
    lamp.player.close()
    assert [on for _, on in lamp.take()] == [False, False]
