"""The file of the control socket: who may open it, and what it replaces."""

import os
import socket
import stat
from pathlib import Path

import pytest

from control.house import House
from gatehouse.control.listening import ControlSocketError


async def test_the_socket_is_for_its_group_only(house: House, tmp_path: Path) -> None:
    """Mode 0660 and the group of the folder, whatever the umask of the process is."""
    if os.geteuid() == 0:
        os.chown(tmp_path, -1, 12345)
    before = os.umask(0)
    try:
        await house.open()
    finally:
        os.umask(before)
    found = house.path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert found.st_gid == house.path.parent.stat().st_gid
    assert not (tmp_path / "control.new").exists()


async def test_the_socket_of_a_killed_service_is_replaced(house: House) -> None:
    """After kill -9 the socket file is still there: the next start must not stumble over it."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(house.path))
    await house.open()
    assert (await (await house.connect()).ask({"do": "echo"}))["ok"]


async def test_a_living_service_is_not_robbed_of_its_socket(house: House, tmp_path: Path) -> None:
    """A second service started by hand is refused, and the first one stays reachable."""
    await house.open()
    second = House(tmp_path)
    with pytest.raises(ControlSocketError, match="another service"):
        await second.open()
    await second.close()
    assert (await (await house.connect()).ask({"do": "echo"}))["ok"]


async def test_what_is_not_a_socket_is_not_removed(house: House, tmp_path: Path) -> None:
    """A wrong path in the configuration must not cost somebody's file."""
    house.path.write_text("precious")
    with pytest.raises(ControlSocketError, match="not a socket"):
        await house.open()
    assert house.path.read_text() == "precious"
    elsewhere = House(tmp_path / "missing")
    with pytest.raises(ControlSocketError, match=r"is .* there"):
        await elsewhere.open()


async def test_closing_leaves_a_successor_s_socket(house: House) -> None:
    """A service that stops slowly must not remove the socket of the one that took over."""
    await house.open()
    house.path.unlink()
    successor = House(house.path.parent)
    await successor.open()
    assert house.server is not None
    await house.server.close()
    assert (await (await successor.connect()).ask({"do": "echo"}))["ok"]
    await successor.close()
