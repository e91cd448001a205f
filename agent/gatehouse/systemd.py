"""Speaking to systemd: sd_notify(3) and nothing else of it."""

import os
import socket
from collections.abc import Mapping


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
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            try:
                sock.sendto("\n".join(lines).encode(), self._address)
            except OSError:  # a full or missing socket: the watchdog line comes again soon
                return


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return WatchdogSec in s; None when systemd does not watch this process."""
    pid, usec = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
    if not usec.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1_000_000
