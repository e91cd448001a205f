"""The IPv4 addresses of this machine, as the kernel tells them (netdevice(7)).

A probe for cameras goes out by each: where the route to the multicast address leads is often not
where the cameras are.
"""

import fcntl
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Final

SIOCGIFFLAGS: Final = 0x8913
SIOCGIFADDR: Final = 0x8915
IFF_UP: Final = 0x1
IFF_LOOPBACK: Final = 0x8

_REQUEST: Final = struct.Struct("16s24x")
"""``struct ifreq``: a name, then what is asked for."""
_FLAGS: Final = struct.Struct("16sH")
_ADDRESS: Final = struct.Struct("16sHH4s")
"""A name, then ``struct sockaddr_in``: family, port, address."""

Ask = Callable[[int, bytes], bytes]
"""Asks the kernel about one interface; raises OSError."""


def addresses() -> tuple[str, ...]:
    """Return the first IPv4 address of each interface that is up and not the loopback.

    Empty when there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        names = [name for _, name in socket.if_nameindex()]
        return told_of(names, lambda what, request: fcntl.ioctl(sock, what, request))


def told_of(names: Iterable[str], ask: Ask) -> tuple[str, ...]:
    """Return the addresses of those of ``names`` that are of use."""
    found = []
    for name in names:
        request = _REQUEST.pack(name.encode())
        try:
            _, flags = _FLAGS.unpack_from(ask(SIOCGIFFLAGS, request))
            if not flags & IFF_UP or flags & IFF_LOOPBACK:
                continue
            *_, address = _ADDRESS.unpack_from(ask(SIOCGIFADDR, request))
        except OSError:  # gone meanwhile, or it has no IPv4 address
            continue
        found.append(socket.inet_ntoa(address))
    return tuple(dict.fromkeys(found))
