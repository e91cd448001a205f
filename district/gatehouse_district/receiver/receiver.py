"""The receiver: what gateways say goes to the disk, and what is on the disk gets its receipt."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec

from gatehouse.events import rfc3339
from gatehouse.uplink.frames import Incoming
from gatehouse.uplink.topics import Topics
from gatehouse_district.errors import DistrictStoreError
from gatehouse_district.receiver import gateways
from gatehouse_district.receiver.answering import Answers
from gatehouse_district.receiver.heard import Heartbeat, Refused, Reply, State
from gatehouse_district.receiver.identity import Identity
from gatehouse_district.receiver.judging import judge
from gatehouse_district.receiver.keeping import Keeper, Kept
from gatehouse_district.receiver.link import Link
from gatehouse_district.receiver.news import Bell
from gatehouse_district.receiver.pictures import TOTAL_BYTES
from gatehouse_district.receiver.reading import Reading
from gatehouse_district.receiver.session import NAME, Session
from gatehouse_district.receiver.silences import Silences
from gatehouse_district.receiver.store import WAITING_MOST, Arrival, Store

_log = logging.getLogger(__name__)

IDS_A_RECEIPT: Final = 1000
"""39 kB, well under the gateways' 128 KiB."""


class Between(Protocol):
    """Who may stand between: the simulated district, with its manners and its memory."""

    def receipt(self, gateway: str, ids: Sequence[str]) -> None:
        """Send a receipt for events that are on disk."""

    def kept(self, done: Sequence[Kept]) -> None:
        """Take what is on disk now."""

    def replied(self, reply: Reply) -> None:
        """Take a reply to a command."""

    def changed(self) -> None:
        """Take that something may have changed."""


class Receiver:
    """Hears, stores, sends receipts, carries answers; one district, one broker, one file."""

    def __init__(
        self,
        url: str,
        path: Path,
        identity: Identity | None = None,
        *,
        between: Between | None = None,
        pictures_bytes: int = TOTAL_BYTES,
    ) -> None:
        """Prepare a receiver on ``mqtts://`` (which needs an identity) or ``mqtt://``."""
        self.news = Bell()
        self.records = Reading(path)
        self._path = path
        self._pictures_bytes = pictures_bytes
        self._between = between
        context = None if identity is None else identity.context()
        client_id = NAME if identity is None else identity.client_id(NAME)
        hears = self._arrived, self._hearing, self._ended
        self.session = Session(url, context, *hears, client_id=client_id)
        self._store: Store | None = None
        self._answers: Answers | None = None
        self._silences: Silences | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._mistake: BaseException | None = None
        self._wrong = asyncio.Event()

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
    def connected(self) -> bool:
        """Whether it hears the gateways now; what it shows may be old while it does not."""
        return self.session.subscribed

    @property
    def answering(self) -> Answers:
        """What a person may do. Raises DistrictStoreError before the start."""
        if self._answers is None:
            raise DistrictStoreError(f"the receiver on {self._path} has not started")
        return self._answers

    @property
    def store(self) -> Store:
        """Its disk. Raises DistrictStoreError before the start."""
        if self._store is None:
            raise DistrictStoreError(f"the receiver on {self._path} has not started")
        return self._store

    async def start(self, *, clean: bool = False, wait: bool = True) -> None:
        """Open the store and connect; with ``wait`` it returns when it hears the gateways.

        Raises DistrictStoreError. A broker that is not there is tried until it is.
        """
        await self.open()
        if wait:
            await self.session.come(clean=clean)
        else:
            self.session.begin(clean=clean)

    async def failed(self) -> None:
        """Wait until a part of it ends by a mistake of ours, and raise that.

        A program must end then, and be started again: it would go on deaf.
        """
        await self._wrong.wait()
        if self._mistake is not None:
            raise self._mistake

    async def open(self) -> None:
        """Open the store and everything but the way to the broker. Raises DistrictStoreError."""
        store = Store(self._path, self, pictures_bytes=self._pictures_bytes)
        store.open()
        self._store = store
        self.records.open()
        self._answers = Answers(store, self.session)
        self._silences = Silences(self._fell_silent)
        for gateway, heartbeat_s in await store.do(_online):
            self._silences.expect(gateway, heartbeat_s)
        self._own(self._answers.run())
        self._own(self._silences.run())

    async def stop(self) -> None:
        """Leave the broker (it keeps the session), store what came, and end."""
        await self.session.go()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()
        if self._store is not None:
            await self._store.close()
            self.records.close()

    def send_receipt(self, gateway: str, ids: Sequence[str]) -> None:
        """Tell a gateway that the district has these events on disk."""
        topic = Topics.of(gateway).receipt
        for at in range(0, len(ids), IDS_A_RECEIPT):
            body = msgspec.json.encode({"ids": ids[at : at + IDS_A_RECEIPT]})
            self.session.publish(topic, body)

    def stored(self, done: Sequence[tuple[Arrival, Kept]]) -> None:
        """Send receipts for what is on disk now, and let the broker forget it."""
        ids: defaultdict[str, list[str]] = defaultdict(list)
        mids: defaultdict[Link, list[int]] = defaultdict(list)
        for arrival, kept in done:
            if kept.receipt and not isinstance(kept.item, Refused):
                ids[kept.item.gateway].append(kept.item.id)  # type: ignore[union-attr]  # an event's
            if arrival.mid and arrival.link is not None:
                mids[arrival.link].append(arrival.mid)
            if isinstance(kept.item, State) and kept.item.online and self._answers is not None:
                self._answers.connected(kept.item.gateway)
        if self._between is not None:
            self._between.kept([kept for _, kept in done])
        for gateway, waiting in ids.items():
            if self._between is not None:
                self._between.receipt(gateway, waiting)
            else:
                self.send_receipt(gateway, waiting)
        for link, numbers in mids.items():
            link.acknowledge(numbers)
        self._changed()

    def not_stored(self, lost: Sequence[Arrival]) -> None:
        """Break off the links over which it came: the broker sends it again on the next one."""
        for link in {arrival.link for arrival in lost if arrival.link is not None}:
            link.abort()

    def _arrived(self, link: Link, message: Incoming, retained: bool) -> None:
        now_ns, unix_ns = time.monotonic_ns(), time.time_ns()
        item = judge(message, retained=retained, arrived_ns=now_ns, arrived_unix_ns=unix_ns)
        if item is None or isinstance(item, Reply):
            if message.mid:
                link.acknowledge((message.mid,))
            if item is not None:
                self._replied(item)
            return
        self._note(item)
        if isinstance(item, Heartbeat) and not message.mid and self.store.waiting > WAITING_MOST:
            return
        self.store.put(Arrival(item, link, message.mid))

    def _note(self, item: object) -> None:
        if self._silences is None:
            return
        if isinstance(item, State):
            self._silences.said(item)
        elif isinstance(item, Heartbeat):
            self._silences.beat(item.gateway)

    def _replied(self, reply: Reply) -> None:
        if self._answers is not None:
            self._answers.heard(reply)
        if self._between is not None:
            self._between.replied(reply)
            self._between.changed()

    def _hearing(self) -> None:
        """Take that the session began to hear, or stopped."""
        if self._silences is not None:
            self._silences.hearing(now=self.session.subscribed)
        if self._answers is not None and self.session.subscribed:
            self._answers.connected()
        self._changed()

    def _changed(self) -> None:
        self.news.ring()
        if self._between is not None:
            self._between.changed()

    async def _fell_silent(self, gateway: str) -> None:
        now = rfc3339(time.time_ns())
        try:
            await self.store.do(lambda keeper: gateways.silent(keeper.db, gateway, now))
        except DistrictStoreError as exc:
            _log.error(
                "%s has fallen silent, which cannot be stored: %s", gateway, exc
            )  # its text says all

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Tell of a part that ended by a mistake of ours; a cancelled one was told to end."""
        if task.cancelled() or (exc := task.exception()) is None:
            return
        _log.critical("a part of the receiver ended by a mistake of ours", exc_info=exc)
        self._mistake = exc
        self._wrong.set()


def _online(keeper: Keeper) -> list[tuple[str, float]]:
    return keeper.db.execute(
        "SELECT id, heartbeat_s FROM gateway WHERE presence = 'online'"
    ).fetchall()
