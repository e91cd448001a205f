"""How often somebody may try. Pure: times are handed in, in seconds of any one clock."""

from collections import deque
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final

WITHIN_S: Final = 600.0
_MOST_PLACES: Final = 10_000
"""Addresses remembered at once; beyond that only the limit over all counts for new ones."""


def place(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, which a host has to itself."""
    try:
        found = ip_address(address.partition("%")[0])  # fe80::1%eth0 is of one line
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return found.exploded[:19]
    return str(found)


@dataclass(slots=True)
class Tries:
    """Counts tries within `WITHIN_S`, of each address and of all together.

    A secret of 40 bits, at 60 tries in ten minutes for its 24 hours, is guessed with a chance of
    one in 10^8.
    """

    each: int
    all: int
    _all: deque[float] = field(default_factory=deque)
    _places: dict[str, deque[float]] = field(default_factory=dict)

    def wait_s(self, address: str, now_s: float) -> float:
        """Count a try and return 0, or return how long to wait; a refused try does not count."""
        key = place(address)
        for gone in [k for k, seen in self._places.items() if _fresh(seen, now_s) == 0]:
            del self._places[gone]
        own = self._places.get(key, deque())
        if _fresh(own, now_s) >= self.each:
            return own[0] + WITHIN_S - now_s
        if _fresh(self._all, now_s) >= self.all:
            return self._all[0] + WITHIN_S - now_s
        self._all.append(now_s)
        own.append(now_s)
        if key in self._places or len(self._places) < _MOST_PLACES:
            self._places[key] = own
        return 0.0


def _fresh(seen: deque[float], now_s: float) -> int:
    while seen and seen[0] <= now_s - WITHIN_S:
        seen.popleft()
    return len(seen)
