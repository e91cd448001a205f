"""What a camera may answer when it is asked for its time: nonsense, and worse."""

import asyncio
import contextlib

import pytest

from gatehouse.errors import CameraError
from gatehouse.video.onvif import clock_offset
from gatehouse.video.soap import MOST_BYTES
from gatehouse_sim.onvif_device import Manners, OnvifDevice
from gatehouse_sim.onvif_words import envelope
from video.onvif_rig import CLOCK, LIMIT_S, asked, camera_that_says


@pytest.mark.parametrize(
    ("manners", "told"), [("huge", f"over {MOST_BYTES}"), ("bomb", "document type declaration")]
)
async def test_an_answer_meant_to_harm(manners: Manners, told: str) -> None:
    """A camera that somebody has broken into must not take the video service with it."""
    async with OnvifDevice(manners=manners) as device:
        with pytest.raises(CameraError, match=told):
            await asked(device)
        device.manners = "well"
        await asked(device)


@pytest.mark.parametrize("manners", ["silent", "slow"])
async def test_an_answer_that_never_ends(manners: Manners) -> None:
    """A byte now and then must not hold a connection for ever."""
    async with OnvifDevice(manners=manners) as device:
        async with asyncio.timeout(LIMIT_S):
            with pytest.raises(CameraError, match="did not answer within"):
                await clock_offset("127.0.0.1", device.port, clock=CLOCK, timeout_s=0.5)


async def test_elements_within_elements_without_end() -> None:
    """Depth must not exhaust the interpreter's stack."""
    async with OnvifDevice(manners="deep") as device:
        with pytest.raises(CameraError):
            await asked(device)


MOMENT = (
    "<UTCDateTime><Time><Hour>{}</Hour><Minute>{}</Minute><Second>{}</Second></Time>"
    "<Date><Year>{}</Year><Month>{}</Month><Day>{}</Day></Date></UTCDateTime>"
)


@pytest.mark.parametrize(
    "told",
    [
        MOMENT.format(25, 0, 0, 2026, 1, 1),
        MOMENT.format(1, 0, 0, 2026, 2, 30),
        MOMENT.format(1, 0, 0, 0, 0, 0),
        MOMENT.format(1, 0, 0, "9" * 30, 1, 1),
        MOMENT.format(1, 0, 0, "9" * 5000, 1, 1),
        MOMENT.format("now", 0, 0, 2026, 1, 1),
        MOMENT.format(1, 0, -5, 2026, 1, 1),
        "<UTCDateTime><Time/></UTCDateTime>",
    ],
    ids=range(8),
)
async def test_a_time_that_never_was(told: str) -> None:
    """Nonsense is said to be nonsense: it neither raises a fault nor ends the service."""
    async with OnvifDevice(time_answer=told) as device:
        with pytest.raises(CameraError, match="never was"):
            await asked(device)


@pytest.mark.parametrize("told", ["", "<UTCDateTime/>", "<DateTimeType>NTP</DateTimeType>"])
async def test_no_time_at_all_is_not_judged(told: str) -> None:
    """Cameras before version 2 of ONVIF need not tell UTC."""
    async with OnvifDevice(time_answer=f"<SystemDateAndTime>{told}</SystemDateAndTime>") as device:
        assert (await asked(device)).offset_s is None


async def test_a_leap_second() -> None:
    """xs:int of a tt:Time goes to 61; a camera that is right then is not nonsense."""
    async with OnvifDevice(time_answer=MOMENT.format(23, 59, 60, 2016, 12, 31)) as device:
        assert (await asked(device)).offset_s is not None


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbomb",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\nConnection: close\r\n\r\n<",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=a,nonce=b,algorithm=ROT13\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=a,nonce=b,qop=auth-int\r\n\r\n",
        b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"
        + b'<?xml version="1.0" encoding="no-such-code"?><Envelope/>'.ljust(60),
        b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + b"<Envelope/>".ljust(60),
    ],
    ids=range(13),
)
async def test_whatever_comes_is_an_answer_or_a_camera_error(answer: bytes) -> None:
    """Any other error would end the task that watches all cameras."""
    async with camera_that_says(answer) as port:
        with contextlib.suppress(CameraError):
            told = clock_offset("127.0.0.1", port, clock=CLOCK, credential="a:b", timeout_s=LIMIT_S)
            assert await told is None


async def test_a_fault_is_told_in_the_cameras_words() -> None:
    """A technician who reads "it failed" can do nothing; but a camera writes to no terminal."""
    said = "Sorry,\n&#x9b;2Jnot today" + "!" * 5000
    body = envelope(f"<s:Fault><s:Reason><s:Text>{said}</s:Text></s:Reason></s:Fault>").encode()
    answer = b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with camera_that_says(answer) as port:
        with pytest.raises(CameraError) as told:
            await clock_offset("127.0.0.1", port, clock=CLOCK, timeout_s=LIMIT_S)
    assert "Sorry, 2Jnot today" in str(told.value)
    assert len(str(told.value)) < 300


async def test_a_challenge_without_end() -> None:
    """The library would read it whole before it shows a password's digest."""
    asks = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a", nonce="b"\r\n\r\n'
    async with camera_that_says(asks + b" " * 4 * MOST_BYTES) as port:
        with pytest.raises(CameraError, match="over"):
            await clock_offset("127.0.0.1", port, clock=CLOCK, credential="a:b", timeout_s=LIMIT_S)
