"""Who is at the other end of a Unix socket, as the kernel knows it: no name that was typed."""

import socket
import struct
from asyncio.trsock import TransportSocket
from dataclasses import dataclass
from typing import Final

_UCRED: Final = struct.Struct("3i")
"""pid, uid, gid of whoever called connect(): unix(7), SO_PEERCRED."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process and the user it ran as when it connected."""

    pid: int
    uid: int

    def __str__(self) -> str:
        """Say both as numbers: the name of a user is a look into files, which may hang."""
        return f"uid {self.uid}, pid {self.pid}"


def peer_of(sock: socket.socket | TransportSocket) -> Peer:
    """Return who is at the other end. Raises OSError."""
    said = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _gid = _UCRED.unpack(said)
    return Peer(pid, uid)
