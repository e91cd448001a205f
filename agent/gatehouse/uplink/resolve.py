"""Names to addresses, in a daemon thread, with the last good answer kept.

getaddrinfo can hang for half a minute and cannot be cancelled; a name server that is down must not
keep an alarm from a broker whose address was known a minute ago.
"""

import ipaddress
import socket
from collections.abc import Callable

from gatehouse.threads import off_loop
from gatehouse.uplink.failures import UnreachableError

Lookup = Callable[[str], list[str]]


def lookup(host: str) -> list[str]:
    """Ask the system's resolver; blocks. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    """Addresses of names; one lookup a name at a time."""

    def __init__(self, timeout_s: float, ask: Lookup = lookup) -> None:
        self._timeout_s = timeout_s
        self._ask = ask
        self._good: dict[str, list[str]] = {}
        self._asking: set[str] = set()

    async def addresses(self, host: str) -> list[str]:
        """Return the addresses of ``host``, the last good ones if none can be had now.

        Raises UnreachableError when the name was never resolved.
        """
        if is_address(host):
            return [host]
        try:
            if host in self._asking:
                raise TimeoutError("an earlier lookup still hangs")
            return await off_loop(
                lambda: self._look(host), name="gatehouse-names", timeout_s=self._timeout_s
            )
        except (OSError, UnicodeError) as exc:
            if host in self._good:
                return self._good[host]
            why = str(exc) or f"no answer within {self._timeout_s:g} s"
            raise UnreachableError(
                f"cannot resolve {host}: {why}; check the name server and the broker's name"
            ) from exc

    def _look(self, host: str) -> list[str]:
        """Look up in the thread; an answer that comes too late is good for the next time."""
        self._asking.add(host)
        try:
            found = self._ask(host)
            if not found:
                raise OSError("the name has no address")
            self._good[host] = found
            return found
        finally:
            self._asking.discard(host)


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's own."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
