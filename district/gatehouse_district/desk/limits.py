"""How often somebody may: buckets of tries that fill up again with time. Pure."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

_MOST: Final = 10_000
"""Buckets that are kept: a crowd of addresses costs no more than a megabyte or two."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Buckets:
    """One bucket for each key: ``burst`` tries at once, then ``per_s`` in each second."""

    def __init__(self, *, burst: float, per_s: float, most: int = _MOST) -> None:
        self._burst = burst
        self._per_s = per_s
        self._most = most
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, now_s: float) -> float:
        """Take one try; return 0, or after how many seconds there will be one."""
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now_s))
        self._buckets.move_to_end(key)
        passed_s = max(0.0, now_s - bucket.at_s)
        bucket.left = min(self._burst, bucket.left + passed_s * self._per_s)
        bucket.at_s = now_s
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / self._per_s
        bucket.left -= 1.0
        return 0.0

    def give_back(self, key: str) -> None:
        """Give a try back: it was a good one."""
        if bucket := self._buckets.get(key):
            bucket.left = min(self._burst, bucket.left + 1.0)


def neighbourhood(address: str) -> str:
    """Return what is limited for an address: itself, of IPv6 its /64 (one line has that many)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is not None:  # IPv4 at a socket that takes both
        return str(ip.ipv4_mapped)
    if ip.version == 4:
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))
