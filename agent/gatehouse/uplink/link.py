"""The connection: brokers in order, a new client for every attempt, and what went wrong."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from gatehouse.clock import Clock
from gatehouse.config.model import Broker, District
from gatehouse.events import rfc3339
from gatehouse.uplink.backoff import Jitter
from gatehouse.uplink.failures import ClosedError, TakenOverError, UnreachableError
from gatehouse.uplink.mqtt import Connection
from gatehouse.uplink.ports import LinkState, LinkStatus
from gatehouse.uplink.resolve import Resolver, is_loopback
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.tls import Certificates
from gatehouse.uplink.troubles import Troubles
from gatehouse.uplink.wire import Limits, Listener, Peer

_log = logging.getLogger(__name__)

UNCHECKED = "certificate-dates-unchecked"

CLOSED_IN_A_ROW: Final = 3
"""So many connections closed soon and without a word are another client with our id."""

Session = Callable[[Connection, Limits], Awaitable[None]]


class Link:
    """Keeps one connection open; ``session`` lives as long as each of them does."""

    def __init__(
        self,
        *,
        gateway: str,
        district: District,
        clock: Clock,
        random: Callable[[], float],
        timing: Timing,
        troubles: Troubles,
        resolver: Resolver,
        listener: Listener,
        will: Callable[[int], tuple[str, bytes]],
        session: Session,
        alarm_waits: Callable[[], bool],
        unanswered: Callable[[], bool],
        changed: Callable[[LinkStatus], None],
    ) -> None:
        self._gateway = gateway
        self._brokers = district.brokers
        self._clock = clock
        self._timing = timing
        self._troubles = troubles
        self._resolver = resolver
        self._certificates = Certificates(district, timeout_s=timing.certificates_s)
        self._listener = listener
        self._will = will
        self._session = session
        self._alarm_waits = alarm_waits
        self._unanswered = unanswered
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._jitter = Jitter(timing.retry_least_s, timing.retry_most_s, random)
        self._connections = 0
        self._attempt: asyncio.Timeout | None = None
        self._connection: Connection | None = None
        self._woken = asyncio.Event()
        self._failed_over = False
        self._closed_soon = 0  # in a row
        self._parted = asyncio.Event()
        self._offline_s = 0.0
        self._offline: asyncio.TimerHandle | None = None
        self.unchecked = False
        self.status = LinkStatus(LinkState.OFFLINE)

    async def run(self) -> None:
        """Connect, again and again, until parted or cancelled; never raises an error."""
        at = 0
        self._outage()
        try:
            while not self._parted.is_set():
                why, lasted_s = await self._once(self._brokers[at])
                if self._parted.is_set():
                    break
                self._note(self._brokers[at], why)
                at, pause_s = self._next(at, why, lasted_s)
                longest_s = self._timing.patience_s if self._alarm_waits() else pause_s
                await self._pause(min(pause_s, longest_s))
        finally:
            if self._offline is not None:
                self._offline.cancel()

    def hurry(self) -> None:
        """A press waits: do not sit out the pause between two attempts."""
        self._woken.set()

    def give_up(self) -> None:
        """An alarm has waited long enough for this broker: try the next one at once.

        An only broker that answers, if with a refusal, is not left: it would not answer better.
        """
        if self._connection is not None:
            if len(self._brokers) > 1 or self._unanswered():
                self._failed_over = True
                self._connection.fail(UnreachableError("an alarm waited too long for its PUBACK"))
        elif self._attempt is not None:
            self._failed_over = True
            self._abandon(self._attempt)
        else:
            self._woken.set()

    def part(self) -> None:
        """End the connection in order, or the attempt, and let ``run`` return."""
        self._parted.set()
        self._woken.set()
        if self._connection is not None:
            self._connection.part()
        elif self._attempt is not None:
            self._abandon(self._attempt)

    def _abandon(self, attempt: asyncio.Timeout) -> None:
        """Let an attempt run out now; one that does already cannot be told again."""
        if not attempt.expired():
            attempt.reschedule(self._loop.time())

    async def _once(self, broker: Broker) -> tuple[UnreachableError, float | None]:
        """Connect to one broker and stay; return why that ended and how long it lasted, in s."""
        self._set(LinkState.CONNECTING, broker)
        began_s = None
        connection = None
        try:
            async with asyncio.timeout(self._timing.attempt_s) as self._attempt:
                connection, limits = await self._open(broker)
            self._attempt = None
            self._failed_over = False  # it came through before it could be given up
            if self._parted.is_set():
                connection.part()
                return connection.closed.result(), None
            self._connection = connection
            began_s = self._loop.time()
            self._connected(broker)
            await self._session(connection, limits)
            why = UnreachableError(f"the session with {broker.url} ended")
        except UnreachableError as exc:
            why = exc
        except TimeoutError:
            why = UnreachableError(f"no connection to {broker.url} in time")
        except Exception as exc:  # noqa: BLE001  # every failure is a reconnect
            _log.exception("the connection to %s failed in an unforeseen way", broker.url)
            why = UnreachableError(f"{broker.url}: {exc!r}")
        finally:
            self._attempt = self._connection = None
            if connection is not None:
                connection.fail(UnreachableError("the session ended"))
        if connection is not None and began_s is not None:
            lasted_s = self._loop.time() - began_s
            return self._explained(connection.closed.result(), lasted_s), lasted_s
        return why, None

    def _explained(self, why: UnreachableError, lasted_s: float) -> UnreachableError:
        """Tell another client with our id from other losses.

        MQTT 5 has DISCONNECT 0x8E for it, but mosquitto 2.0.11 just closes the older connection.
        """
        if not isinstance(why, ClosedError) or lasted_s >= self._timing.stable_s:
            self._closed_soon = 0
            return why
        self._closed_soon += 1
        if self._closed_soon < CLOSED_IN_A_ROW:
            return why
        return TakenOverError(
            f"{why}, {self._closed_soon} times in a row and soon: perhaps another client connects"
            f" as {self._gateway}; give each gateway its own id and certificate"
        )

    async def _open(self, broker: Broker) -> tuple[Connection, Limits]:
        """Try the addresses of one broker in order."""
        addresses = await self._resolver.addresses(broker.host)
        if not broker.tls and not all(is_loopback(address) for address in addresses):
            raise UnreachableError(f"{broker.url} is not on this machine: use mqtts:// for it")
        dates = self._clock.synced()
        why = UnreachableError(f"{broker.host} has no address")
        for address in addresses:
            context = None
            if broker.tls:
                context = await self._certificates.context(broker.host, dates=dates)
            topic, will = self._will(self._connections + 1)
            peer = Peer(broker.url, address, broker.port, context, self._gateway, topic, will)
            connection = Connection(peer, self._listener, self._timing)
            try:
                limits = await connection.open()
            except UnreachableError as exc:
                if exc.fault != UnreachableError.fault:
                    raise
                why = exc
            else:
                self.unchecked = broker.tls and not dates
                return connection, limits
            finally:
                self._connections += connection.greeted
        raise why

    def _next(self, at: int, why: UnreachableError, lasted_s: float | None) -> tuple[int, float]:
        """Choose the next broker and the pause before it, in seconds."""
        stable = lasted_s is not None and lasted_s >= self._timing.stable_s
        if stable:
            self._jitter.reset()
        if self._failed_over:
            self._failed_over = False
            return (at + 1) % len(self._brokers), 0.0
        waits = self._alarm_waits()
        if isinstance(why, TakenOverError) and not waits:
            return 0, self._timing.duplicate_wait_s
        if stable:
            return 0, 0.0 if waits else self._jitter.next_s()
        following = (at + 1) % len(self._brokers)
        if following and lasted_s is None:
            return following, 0.0
        return following, self._jitter.next_s()

    async def _pause(self, pause_s: float) -> None:
        if pause_s <= 0:
            await asyncio.sleep(0)  # however fast attempts fail, the loop gets its turn
            return
        self._woken.clear()
        if self._parted.is_set():
            return
        self._set(LinkState.OFFLINE)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._woken.wait()

    def _connected(self, broker: Broker) -> None:
        if self._offline is not None:
            self._offline.cancel()
            self._offline = None
        for fault in ("offline", "broker-refused", "certificate"):
            self._troubles.end(fault)
        if self.unchecked:
            self._troubles.begin(UNCHECKED, {"broker": broker.url})
        else:
            self._troubles.end(UNCHECKED)
        _log.info("connected to %s", broker.url)
        self._set(LinkState.CONNECTED, broker)

    def steady(self) -> None:
        """The connection has held for a while: nobody else uses our id any more."""
        self._troubles.end("duplicate-id")

    def _note(self, broker: Broker, why: UnreachableError) -> None:
        """Make of a failure the fault that it is."""
        if self.status.state is LinkState.CONNECTED:
            _log.warning("not connected any more: %s", why)
            self._outage()
        self._set(LinkState.OFFLINE, error=str(why))
        data = {"broker": broker.url, "text": str(why)}
        if (
            why.fault != UnreachableError.fault
            or self._loop.time() >= self._offline_s
            or self._alarm_waits()
        ):
            self._troubles.begin(why.fault, data)

    def _outage(self) -> None:
        """Begin to count the time without a connection; ``offline`` is told after 30 s of it.

        Earlier if an alarm waits and an attempt fails (see _note).
        """
        self._offline_s = self._loop.time() + self._timing.offline_after_s
        if self._offline is not None:
            self._offline.cancel()
        self._offline = self._loop.call_at(self._offline_s, self._tell_offline)

    def _tell_offline(self) -> None:
        self._offline = None
        others = ("broker-refused", "certificate", "duplicate-id")
        if not any(self._troubles.stands(fault) for fault in others):
            text = self.status.error or "no connection yet"
            self._troubles.begin(UnreachableError.fault, {"text": text})

    def _set(
        self, state: LinkState, broker: Broker | None = None, *, error: str | None = None
    ) -> None:
        """Change the status and tell of it; a change from connecting to connecting is none."""
        old = self.status
        fresh = replace(
            old,
            state=state,
            broker=broker.url if broker else None,
            connection=self._connections,
            error=None if state is LinkState.CONNECTED else error or old.error,
        )
        if fresh == old:
            return
        if state is not old.state or old.since is None:
            fresh = replace(fresh, since=rfc3339(self._clock.reading().unix_ns))
        self.status = fresh
        self._changed(fresh)
