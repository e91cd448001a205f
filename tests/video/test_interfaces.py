"""The addresses of this machine from which cameras are looked for."""

import errno
import ipaddress
import socket
import struct

from gatehouse.video import interfaces
from gatehouse.video.interfaces import IFF_LOOPBACK, IFF_UP, SIOCGIFFLAGS, told_of

KERNEL: dict[str, tuple[int, str | None]] = {
    "lo": (IFF_UP | IFF_LOOPBACK, "127.0.0.1"),
    "eth0": (IFF_UP | 0x1002, "192.0.2.7"),
    "eth1": (0x1002, "192.0.2.8"),
    "wlan0": (IFF_UP, None),
    "eth0.100": (IFF_UP, "198.51.100.7"),
    "br-lan": (IFF_UP, "192.0.2.7"),
}


def ask(what: int, request: bytes) -> bytes:
    """Answer as the kernel does (netdevice(7))."""
    name = request[:16].rstrip(b"\0").decode()
    if len(request) < 32:
        raise OSError(errno.EFAULT, "a struct ifreq is longer")
    if name not in KERNEL:
        raise OSError(errno.ENODEV, "no such device")
    flags, address = KERNEL[name]
    if what == SIOCGIFFLAGS:
        return request[:16] + struct.pack("H", flags).ljust(24, b"\0")
    if address is None:
        raise OSError(errno.EADDRNOTAVAIL, "no address")
    told = struct.pack("H2x4s", socket.AF_INET, socket.inet_aton(address))
    return request[:16] + told.ljust(24, b"\0")


def test_what_is_up_and_leads_outside_is_told_once() -> None:
    """A probe by a cable that is out, or to ourselves, finds no camera; one by each net does."""
    assert told_of([*KERNEL, "gone"], ask) == ("192.0.2.7", "198.51.100.7")
    assert told_of([], ask) == ()


def test_this_machine_is_read() -> None:
    """The kernel's structures must be those of the machine that this runs on."""
    for address in interfaces.addresses():
        assert not ipaddress.IPv4Address(address).is_loopback
