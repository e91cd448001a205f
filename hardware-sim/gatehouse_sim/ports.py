"""Loopback ports that stay with a simulated server while it is away."""

import socket


def reserve(port: int = 0) -> socket.socket:
    """Hold a loopback port for a server's whole life, also while it is away.

    The socket is bound and never listens: connections are refused as to any dead one, and nobody
    else is given the port. The server can listen on it because both sides allow reuse.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if port:  # a port that was named may still linger from a server before
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except BaseException:
        held.close()
        raise
    return held
