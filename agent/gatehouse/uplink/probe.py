"""Trying a broker as a gateway would, beside the gateway: ``<id>-selftest``, no session, no will.

What the broker's rules refuse is found by trying. mosquitto grants every subscription and filters
what it delivers, so a foreign topic counts as refused when nothing comes of it: neither our own
message on ``up/selftest`` nor any retained ``state``, our own among them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gatehouse.clock import Clock
from gatehouse.config.model import Broker, District
from gatehouse.uplink import frames
from gatehouse.uplink.failures import (
    BrokerRefusedError,
    CertificateRefusedError,
    UnreachableError,
)
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.mqtt import Connection, reason_text
from gatehouse.uplink.resolve import Resolver, is_loopback, lookup
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.tls import Certificates
from gatehouse.uplink.topics import PREFIX
from gatehouse.uplink.wire import Peer

FOREIGN: Final = "selftest.foreign"
"""A dot, which no gateway's id may have: nobody is spoken for, should the rules allow it."""
_BODY: Final = b'{"selftest":true}'
_NOBODY: Final = 0x10
_REFUSED: Final = 0x80
_SILENT_S: Final = 0.5
"""How long nothing of a foreign topic may come after our own message was acknowledged."""
_ATTEMPT_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How one broker answered; ``wrong`` is the step that failed."""

    broker: str
    wrong: str | None = None
    text: str = ""
    login_ms: float | None = None
    judged: bool = True
    heard: bool = True


class _WrongError(Exception):
    """A step failed."""

    def __init__(self, step: str, text: str) -> None:
        super().__init__(text)
        self.step = step


@dataclass(slots=True)
class _Ear:
    """Hears what the broker says on the probing connection."""

    codes: dict[int, "asyncio.Future[int]"] = field(default_factory=dict)
    topics: list[str] = field(default_factory=list)
    arrived_one: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledged(self, mid: int, code: int) -> None:
        """A PUBACK came."""
        future = self.codes.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(code)

    def arrived(self, message: Incoming) -> None:
        """A publication came: what we were not to hear."""
        self.topics.append(message.topic)
        self.arrived_one.set()

    def caught_up(self) -> None:
        """Do nothing: there is nothing to send."""


async def brokers(
    gateway: str, district: District, clock: Clock, timing: Timing | None = None
) -> Sequence[Answer]:
    """Try all brokers at once; never raises for what a broker does."""
    timing = timing or Timing()
    async with asyncio.TaskGroup() as tasks:
        tried = [
            tasks.create_task(_Probe(gateway, district, broker, clock, timing).answer())
            for broker in district.brokers
        ]
    return [task.result() for task in tried]


class _Probe:
    """One look at one broker."""

    def __init__(
        self, gateway: str, district: District, broker: Broker, clock: Clock, timing: Timing
    ) -> None:
        self._gateway = gateway
        self._district = district
        self._broker = broker
        self._clock = clock
        self._timing = timing
        self._ear = _Ear()

    async def answer(self) -> Answer:
        url, step = self._broker.url, "tcp"
        try:
            async with asyncio.timeout(2 * _ATTEMPT_S):
                return await self._try()
        except _WrongError as exc:
            step, text = exc.step, str(exc)
        except CertificateRefusedError as exc:
            step, text = "tls", str(exc)
        except BrokerRefusedError as exc:
            step, text = "login", str(exc)
        except UnreachableError as exc:
            text = str(exc)
        except TimeoutError:
            text = "no answer in time"
        return Answer(url, step, text.removeprefix(f"{url}: "))

    async def _try(self) -> Answer:
        loop = asyncio.get_running_loop()
        began = loop.time()
        connection = await self._connect()
        login_ms = (loop.time() - began) * 1000
        try:
            heard = await self._rights(connection)
            if self._broker.tls:
                await self._foreign(connection)
        finally:
            connection.part()
        return Answer(self._broker.url, login_ms=login_ms, judged=self._broker.tls, heard=heard)

    async def _connect(self) -> Connection:
        """Connect to the first address that answers."""
        broker, timing = self._broker, self._timing
        try:
            addresses = await Resolver(timing.resolve_s, lookup).addresses(broker.host)
        except UnreachableError as exc:
            raise _WrongError("name", str(exc)) from exc
        if not broker.tls and not all(is_loopback(address) for address in addresses):
            raise _WrongError("tls", "not on this machine: use mqtts:// for it")
        why = UnreachableError(f"{broker.host} has no address")
        for address in addresses:
            connection = Connection(await self._peer(address), self._ear, timing)
            try:
                async with asyncio.timeout(_ATTEMPT_S):
                    await connection.open()
            except UnreachableError as exc:
                if exc.fault != UnreachableError.fault:
                    raise
                why = exc
            else:
                return connection
        raise why

    async def _peer(self, address: str) -> Peer:
        broker, context = self._broker, None
        if broker.tls:
            certificates = Certificates(self._district, timeout_s=self._timing.certificates_s)
            context = await certificates.context(broker.host, dates=self._clock.synced())
        return Peer(
            broker.url, address, broker.port, context, f"{self._gateway}-selftest", None, b""
        )

    async def _rights(self, connection: Connection) -> bool:
        """Use our own topics; returns whether anybody listens there."""
        own = f"{PREFIX}{self._gateway}/"
        codes = await connection.subscribe_to([f"{own}down/selftest"])
        if not codes:
            raise connection.closed.result()
        if codes[0] >= _REFUSED:
            raise _WrongError("subscribe", f"{own}down/#: {reason_text(codes[0])}")
        code = await self._publish(connection, f"{own}up/selftest")
        if code >= _REFUSED:
            raise _WrongError("publish", f"{own}up/#: {reason_text(code)}")
        return code != _NOBODY

    async def _foreign(self, connection: Connection) -> None:
        """Try to hear and to say what is not ours."""
        foreign = [f"{PREFIX}+/state", f"{PREFIX}+/up/selftest"]
        codes = await connection.subscribe_to(foreign)
        if not codes:
            raise connection.closed.result()
        if min(codes) < _REFUSED:
            await self._publish(connection, f"{PREFIX}{self._gateway}/up/selftest")
            try:
                async with asyncio.timeout(_SILENT_S):
                    await self._ear.arrived_one.wait()
            except TimeoutError:
                pass
            else:
                raise _WrongError("foreign-read", f"it let us hear {self._ear.topics[0]}")
        code = await self._publish(connection, f"{PREFIX}{FOREIGN}/up/selftest", lost=_REFUSED)
        if code < _REFUSED:
            raise _WrongError("foreign-publish", f"it let us write below {PREFIX}{FOREIGN}/")

    async def _publish(self, connection: Connection, topic: str, lost: int | None = None) -> int:
        """Publish, and return the PUBACK's code; ``lost`` is what a closed connection means."""
        tail = frames.properties()
        mid = connection.publish_soon(frames.as_string(topic), tail, _BODY)
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ear.codes[mid] = answered
        async with asyncio.timeout(self._timing.puback_s):
            await asyncio.wait((answered, connection.closed), return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            return answered.result()
        if lost is not None:
            return lost
        raise connection.closed.result()
