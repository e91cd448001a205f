"""The district itself: what it is told goes to its disk, and what is on its disk gets a receipt."""

import asyncio
import ssl
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from gatehouse import events
from gatehouse.errors import MessageError
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.topics import Topics
from gatehouse_sim.district import heard
from gatehouse_sim.district.link import Letter, Link
from gatehouse_sim.district.manners import MALFORMED, Manners
from gatehouse_sim.district.memory import Memory
from gatehouse_sim.district.session import Session
from gatehouse_sim.district.store import Arrival, Record, Store
from gatehouse_sim.identity import Identity

_IDS_A_RECEIPT: Final = 1000  # 39 kB, well under the gateways' 128 KiB
_LIMIT_S: Final = 30.0


class District(Memory):
    """Receives, stores, sends receipts; ``manners`` may be replaced at any time."""

    def __init__(
        self,
        url: str,
        store: Path,
        files: Identity | None = None,
        *,
        manners: Manners | None = None,
        on_record: Callable[[Record, int], None] | None = None,
    ) -> None:
        """Prepare a district.

        ``files`` are its certificate for mqtts://; ``on_record`` is told of every arrival after its
        commit, with how often it came by then.
        """
        super().__init__()
        self.manners = manners or Manners()
        self.receipted: Counter[str] = Counter()
        """How many receipts named an event."""
        self.session = Session(url, _context(files), self._arrived, self.changed)
        self._path = store
        self._on_record = on_record
        self._store: Store | None = None
        self._late: set[asyncio.TimerHandle] = set()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, clean: bool = False) -> None:
        """Open the store and connect; returns when it hears the gateways."""
        self._store = Store(self._path, self._stored)
        for record, times in self._store.open():
            self.add(record, times)
        await self.session.come(clean=clean)

    async def stop(self) -> None:
        """Leave the broker (it keeps the session), store what came, and end."""
        await self.session.go()
        if self._store is not None:
            await self._store.close()
        for timer in self._late:
            timer.cancel()

    async def go_away(self, *, keep: bool = True, goodbye: bool = True) -> None:
        """Leave the broker; see ``Session.go``."""
        await self.session.go(keep=keep, goodbye=goodbye)

    async def come_back(self, *, clean: bool = False) -> None:
        """Connect again; with ``clean`` the broker throws away what it collected."""
        await self.session.come(clean=clean)

    async def forget(self, ids: Iterable[str]) -> None:
        """Lose these events from disk and memory, as if they had never come."""
        gone = list(ids)
        if self._store is not None:
            await self._store.forget(gone)
        self.drop(gone)

    def receipt(self, gateway: str, ids: Iterable[str]) -> None:
        """Send a receipt now, whether true or not."""
        waiting = list(ids)
        self.receipted.update(waiting)
        topic = Topics.of(gateway).receipt
        if self.manners.malformed:
            for nonsense in MALFORMED:
                self.say(topic, nonsense)
        for at in range(0, len(waiting), _IDS_A_RECEIPT):
            named = waiting[at : at + _IDS_A_RECEIPT]
            named += [str(uuid.uuid4()) for _ in range(self.manners.unknown)]
            body = msgspec.json.encode({"ids": named})
            for _ in range(self.manners.copies):
                self.say(topic, body)

    def say(self, topic: str, payload: bytes, correlation: bytes | None = None) -> None:
        """Publish anything."""
        self.session.say(Letter.to(topic, payload, correlation))

    def command(
        self, gateway: str, body: Mapping[str, Any], correlation: bytes | None = None
    ) -> None:
        """Send a command as it is given."""
        self.say(Topics.of(gateway).command, msgspec.json.encode(body), correlation)

    async def ask(
        self, gateway: str, body: Mapping[str, Any], *, timeout_s: float = _LIMIT_S
    ) -> heard.Reply:
        """Send a command and return its reply; ``id`` and ``expires`` are added if not given.

        Raises TimeoutError.
        """
        correlation = uuid.uuid4().bytes
        expires = datetime.now(UTC) + timedelta(minutes=1)
        given = {"id": str(uuid.uuid4()), "expires": expires.isoformat()} | dict(body)
        self.command(gateway, given, correlation)
        return await self.wait_for(
            lambda d: next((r for r in reversed(d.replies) if r.correlation == correlation), None),
            timeout_s=timeout_s,
        )

    async def acknowledge(self, gateway: str, alarm: str, by: str) -> heard.Reply:
        """Have a person answer an alarm; return the gateway's reply. Raises TimeoutError."""
        return await self.ask(gateway, {"command": "acknowledge", "alarm": alarm, "by": by})

    def _arrived(self, link: Link, message: Incoming, retained: bool) -> None:
        now_ns = time.monotonic_ns()
        try:
            gateway, leaf = heard.place(message.topic)
            if leaf in {"up/alarm", "up/event"}:
                self._event(gateway, link, message, now_ns)
                return  # the broker is told when it is on disk
            self._other(gateway, leaf, message, retained, now_ns)
        except MessageError as exc:
            self.malformed.append((message.topic, message.payload, str(exc)))
        if message.mid:
            link.acknowledge((message.mid,))
        self.changed()

    def _event(self, gateway: str, link: Link, message: Incoming, now_ns: int) -> None:
        event = events.decode(message.payload)
        if event.source != f"/gatehouse/{gateway}":
            raise MessageError(f"the source {event.source} came under the name of {gateway}")
        if self._store is None:
            raise MessageError("the district's store is closed")
        record = Record(gateway, message.topic, event, message.payload, now_ns, time.time_ns())
        self._store.put(Arrival(record, link, message.mid))

    def _other(
        self, gateway: str, leaf: str, message: Incoming, retained: bool, now_ns: int
    ) -> None:
        if leaf.startswith("up/picture/"):
            self.pictures.append(message)
            return
        if leaf == "state" and not message.payload:
            return  # a retained state that somebody took away
        body = heard.document(message.payload)
        if leaf == "state":
            self.states.append(heard.State(gateway, body, retained, now_ns))
        elif leaf == "up/reply":
            self.replies.append(heard.Reply(gateway, body, message.correlation, now_ns))
        elif leaf == "up/telemetry":
            self.telemetry.append(heard.Heartbeat(gateway, body, now_ns))
        elif leaf != "up/selftest":  # of a self-test that tries the broker's rules: no news
            raise MessageError(f"{message.topic} is no topic of this contract")

    def _stored(self, arrivals: list[Arrival]) -> None:
        """Send receipts for what is on disk now, and let the broker forget it."""
        ids: defaultdict[str, list[str]] = defaultdict(list)
        mids: defaultdict[Link, list[int]] = defaultdict(list)
        for arrival in arrivals:
            times = self.add(arrival.record)
            ids[arrival.record.gateway].append(arrival.record.id)
            if arrival.mid:
                mids[arrival.link].append(arrival.mid)
            if self._on_record is not None:
                self._on_record(arrival.record, times)
        for gateway, waiting in ids.items():
            self._answer(gateway, waiting)
        for link, numbers in mids.items():
            link.acknowledge(numbers)
        self.changed()

    def _answer(self, gateway: str, ids: list[str]) -> None:
        if not self.manners.receipts:
            return
        if not self.manners.delay_s:
            self.receipt(gateway, ids)
            return

        def now() -> None:
            self._late.discard(timer)
            self.receipt(gateway, ids)

        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.manners.delay_s, now)
        self._late.add(timer)


def _context(files: Identity | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.cert, files.key)
    return context
