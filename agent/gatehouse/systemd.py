"""Speaking to systemd: sd_notify(3) and nothing else of it."""

import os
import socket
from collections.abc import Mapping
from typing import Final

_FOREVER_USEC: Final = 2**64 - 1


class Notifier:
    """Sends state lines to the socket that systemd named; says nothing without one."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ)

    def say(self, *lines: str) -> None:
        """Send lines such as ``READY=1``; a systemd that does not listen is not our trouble."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError:  # full, missing, or no file descriptor left: the watchdog line comes again
            return


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return WatchdogSec in s; None when systemd does not watch this process.

    By sd_watchdog_enabled(3): 0 and "for ever" (2^64 - 1) are no periods.
    """
    pid, usec = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1_000_000 if 0 < int(usec) < _FOREVER_USEC else None
