"""The cameras' clocks: asked at the right times, judged fairly, and never forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatehouse.errors import CameraError
from gatehouse.video.onvif import ClockReading
from gatehouse.video_service.clocks import DOUBT_S, EVERY_S, SELDOM_S, Clocks
from video_service.watch_rig import Clock

Answer = float | None | Exception
"""How far ahead it is; None: it does not speak ONVIF."""


@dataclass(eq=False)
class Camera:
    """A camera that may be asked."""

    name: str
    answer: Answer = 0.0
    credential: str = "admin:sesame"
    lost: bool = False
    way_is_well: bool = True
    told: list[bool] = field(default_factory=list)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int | None]:
        """Where it is."""
        return self.name, 8080

    def tell_clock(self, off: bool, data: Mapping[str, Any]) -> None:
        """Hear it."""
        self.told.append(off)
        self.data = data


class Rig:
    """Some cameras that are asked, and by a clock that a test moves."""

    def __init__(self, *cameras: Camera) -> None:
        self.cameras = {each.name: each for each in cameras}
        self.clock = Clock()
        self.clocks = Clocks(self._ask, self.clock)
        self.clocks.watch(cameras)
        self.asked: list[tuple[str, str | None]] = []
        self.at_once = self.most = 0

    async def _ask(self, host: str, port: int | None, known: str | None) -> ClockReading | None:
        assert port == 8080
        self.asked.append((host, known))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        answer = self.cameras[host].answer
        self.at_once -= 1
        if isinstance(answer, Exception):
            raise answer
        return None if answer is None else ClockReading(answer, 0.01, by_ntp=False)

    async def rounds(self, count: int) -> list[float]:
        """Ask so often, each time when it is due; return what was waited after each."""
        waits = []
        for _ in range(count):
            waits.append(await self.clocks.round())
            self.clock.after(waits[-1])
        return waits


async def test_a_clock_that_is_right() -> None:
    """One answer is enough to know it, and it is asked again soon enough to find a step."""
    gate = Camera("gate")
    assert await Rig(gate).rounds(3) == [EVERY_S] * 3
    assert gate.told == [False] * 3


async def test_a_clock_that_is_off_is_told_soon_and_ends() -> None:
    """Three answers are needed; at the usual pace that would be a minute of doubt."""
    gate = Camera("gate", 3600.0)
    rig = Rig(gate)
    assert await rig.rounds(3) == [DOUBT_S, DOUBT_S, EVERY_S]
    assert gate.told == [True]  # before it nothing was said: what stood, stood
    assert gate.data == {"offset_s": 3600.0, "by_ntp": False}
    gate.answer = 1.0
    assert await rig.rounds(3) == [DOUBT_S, DOUBT_S, EVERY_S]
    assert gate.told == [True, False]


async def test_a_camera_that_does_not_speak_onvif() -> None:
    """That is no fault of it, and no reason not to know for ever."""
    gate = Camera("gate", None)
    assert await Rig(gate).rounds(2) == [SELDOM_S] * 2
    assert gate.told == [False] * 2


async def test_a_camera_that_speaks_no_more() -> None:
    """One that is starting up has not set its clock; one that was exchanged has another."""
    gate = Camera("gate", 3600.0)
    rig = Rig(gate)
    await rig.rounds(3)
    gate.answer = None
    assert await rig.rounds(2) == [EVERY_S] * 2
    assert gate.told == [True]
    await rig.rounds(1)
    assert gate.told == [True, False]


async def test_a_camera_that_is_away_is_not_judged() -> None:
    """A power cut must not end the fault of its clock, nor keep it from being asked when back."""
    gate = Camera("gate", 3600.0)
    rig = Rig(gate)
    await rig.rounds(3)
    gate.lost, gate.way_is_well, gate.answer = True, False, None
    asked = len(rig.asked)
    assert await rig.rounds(5) == [DOUBT_S] * 5
    assert len(rig.asked) == asked
    gate.lost = False
    assert await rig.rounds(5) == [DOUBT_S] * 5
    gate.answer = CameraError("too slow")
    assert await rig.rounds(5) == [DOUBT_S] * 5
    assert gate.told == [True]


async def test_a_password_goes_only_where_it_was_right() -> None:
    """Cameras lock out who tries a wrong one too often."""
    gate = Camera("gate", way_is_well=False)
    rig = Rig(gate)
    await rig.rounds(1)
    gate.way_is_well = True
    await rig.rounds(1)
    assert rig.asked == [("gate", None), ("gate", "admin:sesame")]


@pytest.mark.parametrize("error", [CameraError("nonsense"), RuntimeError("of ours")])
async def test_errors_are_asked_for_less_and_less(error: Exception) -> None:
    """A camera that answers nonsense must cost little, and the others nothing."""
    gate, yard = Camera("gate", error), Camera("yard")
    rig = Rig(gate, yard)
    waits = await rig.rounds(41)
    assert set(waits) == {EVERY_S}
    times = [at for at, each in enumerate(_by_round(rig)) if "gate" in each]
    assert times == [0, 1, 3, 7, 15, 31]
    assert gate.told == []
    assert yard.told == [False] * 41
    gate.answer = 0.0
    await rig.rounds(20)
    assert gate.told[0] is False


def _by_round(rig: Rig) -> list[list[str]]:
    """Return who was asked in each round; yard is asked last in all."""
    rounds: list[list[str]] = [[]]
    for host, _ in rig.asked:
        rounds[-1].append(host)
        if host == "yard":
            rounds.append([])
    return rounds[:-1]


async def test_our_own_unset_clock_accuses_nobody() -> None:
    """After a power cut all cameras of a school would be called wrong by a gateway that is."""
    cameras = [Camera("gate", 3600.0), Camera("yard", 3601.0)]
    rig = Rig(*cameras)
    rig.clock.is_synced = False
    assert await rig.rounds(5) == [EVERY_S] * 5
    assert [each.told for each in cameras] == [[], []]
    for each in cameras:
        each.answer = 0.0
    rig.clock.is_synced = True
    await rig.rounds(1)
    assert [each.told for each in cameras] == [[False], [False]]


async def test_one_that_is_asked_alone_is_judged_beside_the_others() -> None:
    """Else the first that is asked again would be accused, though our own clock is to blame."""
    gate, yard = Camera("gate", 3600.0), Camera("yard", 3601.0)
    rig = Rig(gate, yard)
    rig.clock.is_synced = False
    await rig.rounds(1)
    yard.lost = True
    await rig.rounds(8)
    assert rig.asked.count(("gate", "admin:sesame")) > 2
    assert gate.told == []


async def test_few_at_once_and_those_that_stay_are_remembered() -> None:
    """Sixty-four questions at once are a storm; and a reload must not forget what was found."""
    cameras = [Camera(f"c{number}", 3600.0) for number in range(10)]
    rig = Rig(*cameras)
    await rig.rounds(2)
    assert rig.most <= 4
    rig.clocks.watch(cameras[:5])
    await rig.rounds(1)
    assert [each.told for each in cameras] == [*[[True]] * 5, *[[]] * 5]
