"""Cameras found by WS-Discovery.

The probe goes to a loopback address: nothing leaves this machine.
"""

import asyncio

import pytest

from gatehouse.video import discovery
from gatehouse.video.discovery import Found, discover
from gatehouse_sim.onvif_device import OnvifDevice
from gatehouse_sim.onvif_words import match

LISTEN_S = 1.0
"""Long enough for an answer over loopback, also on a busy machine; it is waited out in full."""


async def found_by(device: OnvifDevice, interfaces: tuple[str, ...] = ("127.0.0.1",)) -> Found:
    """Probe for one device."""
    return await discover(LISTEN_S, address=device.probe_address, interfaces=interfaces)


async def test_a_camera_is_found() -> None:
    """A technician would else look for addresses in the leases of a router he has no key to."""
    async with OnvifDevice() as device:
        found = await found_by(device)
    assert found.passed_over == 0
    (camera,) = found.devices
    assert (camera.host, camera.port) == ("127.0.0.1", 8099)
    assert camera.name == "HIKVISION DS-2CD2042"
    assert camera.hardware == "DS-2CD2042"
    assert camera.location == "校门"
    assert len(camera.xaddrs) == 2


async def test_a_probe_is_repeated_and_means_the_same() -> None:
    """UDP loses; a camera that heard both must not count as two."""
    async with OnvifDevice() as device:
        found = await found_by(device, ("127.0.0.1", "127.0.0.1"))
        assert len(device.probes) == 4
        assert len(set(device.probes)) == 1
    assert len(found.devices) == 1


async def test_each_endpoint_is_one_device() -> None:
    """A camera answers once for each of its addresses, and is one camera all the same."""
    replies = [match("", endpoint=f"urn:uuid:{n % 3}") for n in range(9)]
    async with OnvifDevice(replies=lambda _: replies) as device:
        found = await found_by(device)
    assert [each.endpoint for each in found.devices] == ["urn:uuid:0", "urn:uuid:1", "urn:uuid:2"]


BOMB = b'<!DOCTYPE s [<!ENTITY a "aaaa">]>'


async def test_what_is_no_answer_is_passed_over_and_counted() -> None:
    """One broken device must not hide the others (it does in the WSDiscovery library)."""

    def replies(asked: str) -> list[bytes]:
        return [
            b"\xff\x00" * 700,
            b"<a>" * 9000,
            match(asked).replace(b"?>", b"?>" + BOMB, 1),
            b"<html/>",
            match("urn:uuid:somebody-elses-probe"),
            match(asked).replace(b"ProbeMatch", b"Hello"),
            match(asked),
        ]

    async with OnvifDevice(replies=replies) as device:
        found = await found_by(device)
    assert len(found.devices) == 1
    assert found.passed_over == 6


async def test_printers_are_no_cameras() -> None:
    """Windows printers answer to every probe; they are no fault either."""

    def replies(asked: str) -> list[bytes]:
        printer = match(asked, endpoint="urn:uuid:p", types="wprt:PrintDeviceType", scopes="")
        old = match(asked, endpoint="urn:uuid:old", types="tds:Device")
        bare = match(asked, endpoint="", scopes="", xaddrs="")
        return [printer, old, bare]

    async with OnvifDevice(replies=replies) as device:
        found = await found_by(device)
    assert [each.endpoint for each in found.devices] == ["urn:uuid:old", "127.0.0.1:80"]
    assert found.devices[1].host == "127.0.0.1"
    assert found.passed_over == 0


async def test_what_sloppy_cameras_leave_out() -> None:
    """A camera that every other program finds must be found here too."""

    def replies(asked: str) -> list[bytes]:
        bare = match(asked, endpoint="urn:uuid:bare")
        for tag in (b'<d:ProbeMatches xmlns:d="', b"</d:ProbeMatches>"):
            bare = bare.replace(tag, tag.replace(b"d:ProbeMatches", b"d:Body"))
        return [bare, match("", endpoint="urn:uuid:related-to-nothing")]

    async with OnvifDevice(replies=replies) as device:
        found = await found_by(device)
    assert [each.endpoint[9:] for each in found.devices] == ["bare", "related-to-nothing"]
    assert found.passed_over == 0


async def test_a_flood_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that invents others must not fill the memory of the gateway."""
    monkeypatch.setattr(discovery, "MOST_DEVICES", 5)
    replies = [match("", endpoint=f"urn:uuid:{n}") for n in range(40)]
    async with OnvifDevice(replies=lambda _: replies) as device:
        found = await found_by(device)
        assert len(found.devices) == 5
        assert found.passed_over == 35
        monkeypatch.setattr(discovery, "MOST_BYTES", 3 * len(replies[0]))
        found = await found_by(device)
    assert len(found.devices) == 3
    assert found.passed_over == 37


async def test_nobody_there() -> None:
    """An empty network is an answer, and a closed port no error."""
    async with OnvifDevice(manners="silent") as device:
        address = device.probe_address
        assert await found_by(device) == Found((), 0)
    assert await discover(LISTEN_S, address=address, interfaces=["127.0.0.1"]) == Found((), 0)


async def test_an_interface_that_has_gone() -> None:
    """One cable pulled must not blind the others; all of them pulled is told."""
    async with OnvifDevice() as device:
        found = await found_by(device, ("192.0.2.1", "127.0.0.1"))
        assert len(found.devices) == 1
        with pytest.raises(OSError, match="assign"):
            await found_by(device, ("192.0.2.1",))


async def test_discovery_can_be_given_up() -> None:
    """Ctrl-C must not leave sockets open (a warning of one would fail this test)."""
    async with OnvifDevice() as device:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await discover(600, address=device.probe_address, interfaces=["127.0.0.1"])
