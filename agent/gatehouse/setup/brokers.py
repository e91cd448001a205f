"""Proving the way to the district: each broker is greeted as ``<id>-selftest``."""

import asyncio
from typing import Final

from gatehouse import unproven
from gatehouse.clock import Clock
from gatehouse.config.model import Broker, District
from gatehouse.setup.proofs import Proof
from gatehouse.texts import _
from gatehouse.uplink.failures import UnreachableError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.mqtt import Connection
from gatehouse.uplink.resolve import Resolver, is_loopback
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.tls import Certificates
from gatehouse.uplink.wire import Peer

_SELFTEST: Final = "-selftest"


class _Deaf:
    """Hears nothing: there is no session, and nothing is subscribed to."""

    def acknowledged(self, mid: int, code: int) -> None:
        """Nothing was published."""

    def arrived(self, message: Incoming) -> None:
        """Nothing is subscribed to."""

    def caught_up(self) -> None:
        """There is nothing to send."""


async def prove(gateway: str, district: District, clock: Clock, *, limit_s: float) -> list[Proof]:
    """Connect to all brokers at once; each is let go of in order. Never raises for a broker."""
    async with asyncio.TaskGroup() as tasks:
        tried = [
            tasks.create_task(_proof(gateway, district, broker, clock, limit_s))
            for broker in district.brokers
        ]
    return [task.result() for task in tried]


async def _proof(
    gateway: str, district: District, broker: Broker, clock: Clock, limit_s: float
) -> Proof:
    why = None
    try:
        async with asyncio.timeout(limit_s):
            await _connect(gateway, district, broker, clock)
    except UnreachableError as exc:
        why = str(exc).removeprefix(f"{broker.url}: ")
    except TimeoutError:
        why = _("no answer within {seconds} s").format(seconds=f"{limit_s:g}")
    return Proof(f"broker/{broker.url}", unproven.CONNECTION, why)


async def _connect(gateway: str, district: District, broker: Broker, clock: Clock) -> None:
    """Connect to the first address that answers, and part. Raises UnreachableError."""
    timing = Timing()
    addresses = await Resolver(timing.resolve_s).addresses(broker.host)
    if not broker.tls and not all(is_loopback(address) for address in addresses):
        raise UnreachableError(f"{broker.url} is not on this machine: use mqtts:// for it")
    why = UnreachableError(f"{broker.host} has no address")
    for address in addresses:
        context = None
        if broker.tls:
            certificates = Certificates(district, timeout_s=timing.certificates_s)
            context = await certificates.context(broker.host, dates=clock.synced())
        name = f"{gateway}{_SELFTEST}"
        peer = Peer(broker.url, address, broker.port, context, name, None, b"")
        connection = Connection(peer, _Deaf(), timing)
        try:
            await connection.open()
        except UnreachableError as exc:
            if exc.fault != UnreachableError.fault:
                raise
            why = exc
        else:
            connection.part()
            return
    raise why
