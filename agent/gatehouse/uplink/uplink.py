"""The way to the district as the service sees it: one object that joins the room's parts."""

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from gatehouse.clock import Clock
from gatehouse.config.model import District
from gatehouse.errors import MessageError
from gatehouse.events import Event
from gatehouse.faults import GATEWAY
from gatehouse.uplink import frames, messages
from gatehouse.uplink.backoff import doubling
from gatehouse.uplink.commands import Commands
from gatehouse.uplink.errands import Errands
from gatehouse.uplink.failures import UnreachableError
from gatehouse.uplink.heart import Heart
from gatehouse.uplink.link import Link
from gatehouse.uplink.mqtt import Connection, reason_text
from gatehouse.uplink.pictures import Pictures
from gatehouse.uplink.ports import Heartbeat, Hooks, LinkStatus, Outbox
from gatehouse.uplink.resolve import Lookup, Resolver, lookup
from gatehouse.uplink.sender import Sender
from gatehouse.uplink.timing import Timing
from gatehouse.uplink.topics import Topics
from gatehouse.uplink.troubles import Troubles
from gatehouse.uplink.wire import Limits

_log = logging.getLogger(__name__)


class Uplink:
    """Sends what the outbox holds, hears receipts and commands; made inside the running loop."""

    def __init__(
        self,
        *,
        gateway: str,
        district: District,
        outbox: Outbox,
        clock: Clock,
        random: Callable[[], float],
        birth: Callable[[], messages.Birth],
        heartbeat: Heartbeat,
        hooks: Hooks,
        evidence: Path,
        cameras: Collection[str],
        seen_commands: Iterable[tuple[str, float]] = (),
        timing: Timing | None = None,
        ask: Lookup = lookup,
    ) -> None:
        self._timing = timing = timing or Timing()
        self._birth = birth
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._hooks = hooks
        self._topics = topics = Topics.of(gateway)
        self._heart = Heart(topic=topics.telemetry, make=heartbeat, every_s=district.heartbeat_s)
        self._troubles = troubles = Troubles(self._tell_fault)
        self._errands = Errands(
            ask=hooks.video,
            cameras=cameras,
            picture=lambda *told: self.pictures.ask(*told),  # noqa: PLW0108  # made below
            clock=clock,
            timeout_s=timing.errand_s,
        )
        self._commands = Commands(
            clock=clock,
            acknowledge=hooks.acknowledge,
            selftest=hooks.selftest,
            errands=self._errands,
            stir=lambda: self._sender.pump(),  # noqa: PLW0108  # the sender is made below
            refused=self._tell_refused,
            remember=outbox.command_seen,
            seen=seen_commands,
        )
        self._sender = Sender(
            outbox=outbox,
            topics=topics,
            hooks=hooks,
            troubles=troubles,
            timing=timing,
            clock=clock,
            receipts=district.receipts,
            reason_text=reason_text,
            next_reply=self._commands.next_reply,
            give_up=lambda: self._link.give_up(),  # noqa: PLW0108  # the link is made below
        )
        told = hooks.pictures_changed
        self.pictures = Pictures(evidence, topics, timing, line=self._sender, changed=told)
        self._link = Link(
            gateway=gateway,
            district=district,
            clock=clock,
            random=random,
            timing=timing,
            troubles=troubles,
            resolver=Resolver(timing.resolve_s, ask),
            listener=self,
            will=self._will,
            session=self._session,
            alarm_waits=self._sender.alarm_waits,
            unanswered=lambda: self._sender.unanswered,
            changed=self._tell_link,
        )
        self._connection: Connection | None = None
        self.counts: Counter[str] = Counter()

    @property
    def link(self) -> LinkStatus:
        """How the link stands now."""
        return replace(self._link.status, proven_ns=self._sender.proof.at_ns)

    @property
    def refusals(self) -> Counter[str]:
        """Commands refused since the start, by reason."""
        return self._commands.refusals

    async def run(self) -> None:
        """Keep the district informed, until cancelled or parted; every failure is a reconnect."""
        stood = (fault["fault"] for fault in self._birth().faults if fault["subject"] == GATEWAY)
        self._troubles.take_over(stood)
        async with asyncio.TaskGroup() as group:
            errands = group.create_task(self._errands.run())
            try:
                await self._link.run()
            finally:
                errands.cancel()
                self._sender.patience.stop()

    def press(self, event: Event, body: bytes) -> None:
        """Send a live alarm before everything queued, in this very call where a line is open."""
        self._sender.press(event, body)
        if self._connection is None:
            self._link.hurry()

    def wake(self) -> None:
        """Something new is in outbox.pending."""
        self._sender.wake()

    async def farewell(self, timeout_s: float) -> None:
        """Say that we go, so that the broker does not say it for us; at most ``timeout_s``."""
        connection = self._connection
        if connection is not None:
            answered: asyncio.Future[None] = self._loop.create_future()
            topic, body = self._will(self._link.status.connection)
            self._sender.say(topic, body, lambda _: answered.set_result(None), retain=True)
            connection.flush()
            await asyncio.wait(
                (answered, connection.closed),
                timeout=timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        self._link.part()

    # What the broker says (mqtt.Listener). A mistake in here must not cost the connection.

    def acknowledged(self, mid: int, code: int) -> None:
        """Hear a PUBACK."""
        try:
            self._sender.acknowledged(mid, code)
        except Exception:  # noqa: BLE001  # see above
            _log.exception("acting on PUBACK 0x%02x failed", code)

    def arrived(self, message: frames.Incoming) -> None:
        """Hear a receipt, act on it at once; hear a command, let it wait for its answer."""
        try:
            if message.topic == self._topics.receipt:
                self._receipt(message.payload)
            elif message.topic == self._topics.command:
                self._commands.arrived(message)
            else:
                self._count("other topics", f"a message on {message.topic[:100]!r}")
        except Exception:  # noqa: BLE001  # see above
            _log.exception("acting on a message on %s failed", message.topic[:100])

    def caught_up(self) -> None:
        """Send what the window admits now."""
        try:
            self._sender.pump()
        except Exception:  # noqa: BLE001  # see above
            _log.exception("sending failed")

    def _tell_fault(self, fault: str, begins: bool, data: dict[str, Any]) -> None:  # the hook's own
        self._tell(f"the fault {fault}", partial(self._hooks.fault, fault, begins, data))

    def _tell_refused(self, reason: str, data: dict[str, Any]) -> None:
        self._tell("a refused command", partial(self._hooks.refused, reason, data))

    def _tell_link(self, _: LinkStatus) -> None:
        self._tell("the link", partial(self._hooks.link_changed, self.link))

    def _tell(self, what: str, hook: Callable[[], None]) -> None:
        try:
            hook()
        except Exception:  # noqa: BLE001  # the line is more than who hears of it
            _log.exception("telling of %s failed", what)

    def _receipt(self, payload: bytes) -> None:
        try:
            ids = messages.receipt(payload)
        except MessageError as exc:
            self._count("malformed receipts", f"a malformed receipt: {exc}")
            return
        unknown = self._sender.received(ids)
        if unknown:
            self.counts["unknown receipts"] += unknown

    def _count(self, what: str, text: str) -> None:
        """Count something odd; log the first and then every thousandth, not a line for each."""
        self.counts[what] += 1
        if self.counts[what] % 1000 == 1:
            _log.warning("%s (number %d since the start)", text, self.counts[what])

    def _will(self, connection: int) -> tuple[str, bytes]:
        birth = self._birth()
        body = messages.Offline(store=birth.store, start=birth.start, connection=connection)
        return self._topics.state, messages.encode(body)

    async def _session(self, connection: Connection, limits: Limits) -> None:
        """Everything that lives as long as one connection."""
        self._connection = connection
        sender = self._sender
        sender.proof.begin(self._birth().start)
        steady = self._loop.call_later(self._timing.stable_s, self._link.steady)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._greet(connection))]
                await asyncio.sleep(0)  # SUBSCRIBE is in the stream; no receipt can miss us now
                sender.attach(connection, limits)
                works = (
                    sender.alarms.fill(),
                    sender.others.fill(),
                    sender.prove(),
                    self.pictures.carry(),
                    self._heart.beat(connection, partial(self._beaten, connection)),
                )
                tasks += [group.create_task(work) for work in works]
                # The loss of the line is no exception here: on Python 3.11 a TaskGroup with a
                # failing child forgets that its own task is being cancelled.
                await asyncio.wait((connection.closed,))
                for task in tasks:
                    task.cancel()
        finally:
            steady.cancel()
            self._connection = None
            sender.detach()

    async def _greet(self, connection: Connection) -> None:
        """Subscribe and say the birth; alarms do not wait for either."""
        topics = (self._topics.receipt, self._topics.command)
        for attempt in itertools.count():
            codes = await connection.subscribe_to(topics)
            if not codes:
                return
            if attempt == 0:
                self._say_birth(0)
            refused = {topic: code for topic, code in zip(topics, codes, strict=False) if code > 1}
            if not refused:
                break
            texts = [f"{topic}: {reason_text(code)}" for topic, code in refused.items()]
            self._troubles.begin(
                "subscribe-refused", {"topics": list(refused), "text": "; ".join(texts)}
            )
            await asyncio.sleep(self._refusal_wait_s(attempt))
        self._troubles.end("subscribe-refused")

    def _say_birth(self, attempt: int) -> None:
        """Publish the birth, again after a while if it was refused."""
        connection = self._connection
        if connection is None:
            return

        def told(code: int) -> None:
            if self._sender.refusal_of(self._topics.state, code) and connection is self._connection:
                self._loop.call_later(self._refusal_wait_s(attempt), self._say_birth, attempt + 1)

        birth = msgspec.structs.replace(self._birth(), connection=self._link.status.connection)
        self._sender.say(self._topics.state, messages.encode(birth), told, retain=True)

    def _refusal_wait_s(self, attempt: int) -> float:
        return doubling(self._timing.refused_s, self._timing.refused_most_s, attempt)

    def _beaten(self, connection: Connection) -> None:
        """Connect anew once the clock is set, unless an alarm waits: dates are judged then."""
        if self._link.unchecked and self._clock.synced() and not self._sender.alarm_waits():
            why = "the clock is set: certificates are judged by date now"
            connection.fail(UnreachableError(why))
