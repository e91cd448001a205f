"""A camera's clock beside ours, and its streams, asked of a simulated ONVIF device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.errors import CameraError
from gatehouse.video.onvif import ClockReading, ClockRule, clock_offset, ours_is_off, streams
from gatehouse.video.soap import NoOnvifError
from gatehouse_sim.onvif_device import OnvifDevice
from video.onvif_rig import CLOCK, LIMIT_S, PASSWORD, SLACK_S, asked


@pytest.mark.parametrize("offset_s", [0.0, 45.0, -3600.0, 8 * 3600.0])
async def test_a_clock_is_compared_with_ours(offset_s: float) -> None:
    """A recording that is an hour off cannot be found on the day it is asked for."""
    async with OnvifDevice(offset_s=offset_s) as device:
        reading = await asked(device)
    assert reading.offset_s == pytest.approx(offset_s, abs=SLACK_S)
    assert reading.round_trip_s > 0


async def test_a_camera_that_woke_in_1970() -> None:
    """Cameras without a battery begin there after every power cut."""
    async with OnvifDevice(offset_s=-CLOCK.reading().unix_ns / 1e9 + 60) as device:
        reading = await asked(device)
    assert reading.offset_s is not None
    assert reading.offset_s < -1.5e9


async def test_whether_a_time_server_sets_it_is_told() -> None:
    """A technician must know whether to set the clock or to mend the time server."""
    async with OnvifDevice(by_ntp=True) as device:
        assert (await asked(device)).by_ntp
        device.by_ntp = False
        assert not (await asked(device)).by_ntp


async def test_local_time_alone_is_not_judged() -> None:
    """Without its zone it would be eight hours off, every day, for a camera that is right."""
    async with OnvifDevice(manners="local-only") as device:
        assert (await asked(device)).offset_s is None


async def test_the_time_is_asked_without_a_password() -> None:
    """ONVIF lets anybody ask: a password that is not sent cannot be heard or locked out."""
    async with OnvifDevice(credential=f"admin:{PASSWORD}") as device:
        await asked(device)
        await asked(device, credential="admin:wrong")
        assert not any(b"admin" in heard for heard in device.heard)


@pytest.mark.parametrize("how", ["token", "digest"])
async def test_cameras_that_want_a_password_for_the_time(how: str) -> None:
    """Some do, against the rule; and the password must not go over the network as it is."""
    known = f"admin:{PASSWORD}"
    async with OnvifDevice(credential=known, how=how, all_private=True) as device:  # type: ignore[arg-type]  # one of the two
        assert (await asked(device, credential=known)).offset_s == pytest.approx(0, abs=SLACK_S)
        assert not any(b"ass w:" in heard for heard in device.heard)
        device.heard.clear()
        with pytest.raises(CameraError, match="user or password"):
            await asked(device, credential="admin:wrong")
        assert sum(b"admin" in heard for heard in device.heard) == 1
        with pytest.raises(CameraError, match="user or password"):
            await asked(device)


async def test_where_nothing_speaks_onvif() -> None:
    """Not every camera does; that is no fault of it."""
    device = OnvifDevice(manners="gone")
    async with device:
        port = device.port
        assert await clock_offset("127.0.0.1", port, clock=CLOCK, timeout_s=LIMIT_S) is None
        for manners in ("web-page", "nonsense"):
            device.manners = manners
            assert await clock_offset("127.0.0.1", port, clock=CLOCK, timeout_s=LIMIT_S) is None
    assert await clock_offset("127.0.0.1", port, clock=CLOCK, timeout_s=LIMIT_S) is None
    assert await clock_offset("no-camera.invalid", clock=CLOCK, timeout_s=LIMIT_S) is None


@pytest.mark.parametrize("how", ["token", "digest"])
@pytest.mark.parametrize("offset_s", [0.0, 7200.0])
async def test_streams_are_asked_with_a_password(how: str, offset_s: float) -> None:
    """Else a technician must guess addresses, and most for a camera whose clock is off.

    It refuses a token of our time, and is the very one that needs care.
    """
    known = f"admin:{PASSWORD}"
    async with OnvifDevice(credential=known, how=how, offset_s=offset_s) as device:  # type: ignore[arg-type]  # one of the two
        found = await streams(
            "127.0.0.1", device.port, clock=CLOCK, credential=known, timeout_s=LIMIT_S
        )
        assert not any(b"ass w:" in heard for heard in device.heard)
    assert [(each.width, each.height) for each in found] == [(2560, 1440), (640, 360)]
    assert found[0].url == "rtsp://127.0.0.1/main?transportmode=u"


async def test_streams_with_a_wrong_password() -> None:
    """The technician must be told that it is the password."""
    async with OnvifDevice(credential="admin:right") as device:
        with pytest.raises(CameraError, match="user or password"):
            await streams(
                "127.0.0.1", device.port, clock=CLOCK, credential="admin:x", timeout_s=LIMIT_S
            )


async def test_streams_where_nothing_speaks_onvif() -> None:
    """It must be told apart from a camera without streams."""
    async with OnvifDevice(manners="gone") as device:
        with pytest.raises(NoOnvifError):
            await streams(
                "127.0.0.1", device.port, clock=CLOCK, credential="a:b", timeout_s=LIMIT_S
            )


def reading(offset_s: float | None) -> ClockReading:
    """Make a reading."""
    return ClockReading(offset_s, 0.01, by_ntp=False)


def test_a_clock_is_off_after_three_answers_in_a_row() -> None:
    """One late answer of a busy camera must make no fault, and three right ones must end it."""
    rule = ClockRule()
    assert [rule.take(reading(s)) for s in (31, -31, 0, 31, 31, 31)] == [False] * 5 + [True]
    assert [rule.take(reading(s)) for s in (0, 30, 31, 0, 0, 0)] == [True] * 5 + [False]


def test_it_is_in_doubt_while_answers_speak_against_it() -> None:
    """Then a camera is asked more often, so that its fault is told soon."""
    rule = ClockRule()
    answers = [reading(s) for s in (0, 31, 31, 0, 31, 31, 31, 31, 0, 0, 0)]
    doubts = []
    for each in answers:
        rule.take(each)
        doubts.append(rule.in_doubt)
    assert doubts == [False, *[True] * 2, False, *[True] * 2, *[False] * 2, *[True] * 2, False]


def test_what_cannot_be_judged_counts_for_neither() -> None:
    """A camera that is away for a while has not set its clock meanwhile."""
    rule = ClockRule()
    for each in (reading(99), None, reading(99), reading(None), reading(99)):
        off = rule.take(each)
    assert off
    assert rule.take(None)


@pytest.mark.parametrize(
    ("offsets", "synced", "ours"),
    [
        ([3600, 3610], False, True),
        ([-3600, -3610, None], False, True),
        ([3600, 3610], True, False),
        ([3600, 0], False, False),
        ([3600, -3600], False, False),
        ([3600, 7200], False, False),
        ([3600, None], False, False),
        ([0, 1], False, False),
        ([], False, False),
    ],
)
def test_our_own_unset_clock_accuses_nobody(
    offsets: list[float | None], synced: bool, ours: bool
) -> None:
    """After a power cut all cameras of a school would be called wrong by a gateway that is."""
    assert ours_is_off(map(reading, offsets), synced=synced) is ours


@given(st.lists(st.one_of(st.none(), st.floats(-1e10, 1e10))))
def test_the_rule_follows_the_last_three_alike(offsets: list[float | None]) -> None:
    """Whatever went before, three judged answers that agree are the verdict."""
    rule = ClockRule()
    for offset in offsets:
        rule.take(reading(offset))
    for _ in range(3):
        rule.take(reading(500.0))
    assert rule.off
    for _ in range(3):
        rule.take(reading(-5.0))
    assert not rule.off
