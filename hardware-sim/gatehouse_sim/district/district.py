"""The simulated district: the receiver itself, with bad manners put in between."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from gatehouse.uplink.topics import Topics
from gatehouse_district.ports import Answering, News, Records
from gatehouse_district.receiver.heard import Record, Reply
from gatehouse_district.receiver.identity import Identity
from gatehouse_district.receiver.keeping import Kept
from gatehouse_district.receiver.receiver import Receiver
from gatehouse_district.receiver.session import Session
from gatehouse_sim.district.losing import left, lose
from gatehouse_sim.district.manners import MALFORMED, Manners
from gatehouse_sim.district.memory import Memory

_LIMIT_S: Final = 60.0


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
        self.receiver = Receiver(url, store, files, between=_Between(self))
        self._on_record = on_record
        self._late: dict[asyncio.TimerHandle, Callable[[], None]] = {}

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def session(self) -> Session:
        """Its session with the broker."""
        return self.receiver.session

    @property
    def records(self) -> Records:
        """What it has on disk, as the desk reads it."""
        return self.receiver.records

    @property
    def answering(self) -> Answering:
        """What a person may do at it, as the desk does it."""
        return self.receiver.answering

    @property
    def news(self) -> News:
        """What wakes the desk."""
        return self.receiver.news

    async def start(self, *, clean: bool = False) -> None:
        """Open the store and connect; returns when it hears the gateways."""
        await self.receiver.open()
        for record, times in await self.receiver.store.do(left):
            self.add(record, times)
        await self.receiver.session.come(clean=clean)

    async def stop(self) -> None:
        """Leave the broker (it keeps the session), store what came, and end."""
        await self.receiver.stop()
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
        await self.receiver.store.do(lambda keeper: lose(keeper, gone))
        self.drop(gone)

    def receipt(self, gateway: str, ids: Iterable[str]) -> None:
        """Send a receipt now, whether true or not."""
        waiting = list(ids)
        self.receipted.update(waiting)
        if self.manners.malformed:
            for nonsense in MALFORMED:
                self.say(Topics.of(gateway).receipt, nonsense)
        waiting += [str(uuid.uuid4()) for _ in range(self.manners.unknown)]
        for _ in range(self.manners.copies):
            self.receiver.send_receipt(gateway, waiting)

    def hurry(self) -> None:
        """Send at once the receipts that ``delay_s`` still holds back."""
        for timer, now in tuple(self._late.items()):
            timer.cancel()
            now()

    def say(self, topic: str, payload: bytes, correlation: bytes | None = None) -> None:
        """Publish anything."""
        self.session.publish(topic, payload, correlation)

    def command(
        self, gateway: str, body: Mapping[str, Any], correlation: bytes | None = None
    ) -> None:
        """Send a command as it is given."""
        self.say(Topics.of(gateway).command, msgspec.json.encode(body), correlation)

    async def ask(
        self, gateway: str, body: Mapping[str, Any], *, timeout_s: float = _LIMIT_S
    ) -> Reply:
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

    async def acknowledge(self, gateway: str, alarm: str, by: str) -> Reply:
        """Have a person answer an alarm; return the gateway's reply. Raises TimeoutError."""
        return await self.ask(gateway, {"command": "acknowledge", "alarm": alarm, "by": by})

    def kept(self, kept: Kept) -> None:
        """Remember one thing that is on disk."""
        if self.take(kept) and self._on_record is not None and isinstance(kept.item, Record):
            self._on_record(kept.item, kept.times)

    def answer(self, gateway: str, ids: Sequence[str]) -> None:
        """Send a receipt as the manners say."""
        if not self.manners.receipts:
            return
        if not self.manners.delay_s:
            self.receipt(gateway, ids)
            return

        def now() -> None:
            del self._late[timer]
            self.receipt(gateway, ids)

        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.manners.delay_s, now)
        self._late[timer] = now


class _Between:
    """Stands between the receiver and its gateways."""

    def __init__(self, district: District) -> None:
        self._district = district

    def receipt(self, gateway: str, ids: Sequence[str]) -> None:
        self._district.answer(gateway, ids)

    def kept(self, done: Sequence[Kept]) -> None:
        for each in done:
            self._district.kept(each)

    def replied(self, reply: Reply) -> None:
        self._district.replies.append(reply)

    def changed(self) -> None:
        self._district.changed()
