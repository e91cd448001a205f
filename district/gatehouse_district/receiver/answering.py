"""Carrying a person's answer to the gateway, until the gateway confirms it (``ports.Answering``).

Said again every 10 s and at each new connection, under the same id. That the gateway has seen it
(``replayed``) does not say what it did: it may have refused, and that reply got lost, or be at it
still. Then it is asked under a new id, which does no harm: what is answered or released already is
so twice. An expired one gets a new id too. What is on its way is on disk before it is said, and
goes on after a restart.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from gatehouse.events import rfc3339
from gatehouse.texts import _
from gatehouse.uplink.topics import Topics
from gatehouse_district.errors import AnswerError, DistrictStoreError
from gatehouse_district.receiver import answers
from gatehouse_district.receiver.alarms import text
from gatehouse_district.receiver.answers import Answer
from gatehouse_district.receiver.heard import Reply
from gatehouse_district.receiver.keeping import Keeper
from gatehouse_district.receiver.store import Store

_log = logging.getLogger(__name__)

AGAIN_S: Final = 10.0
EXPIRES_S: Final = 3600.0
SNAPSHOT_S: Final = 60.0
NAME_MOST: Final = 64
"""Characters of a person's name."""


class Session(Protocol):
    """The way to the broker."""

    @property
    def subscribed(self) -> bool:
        """Whether it is open."""

    def publish(self, topic: str, body: bytes, correlation: bytes | None = None) -> None:
        """Say something, now or when connected again."""


@dataclass(slots=True)
class _OnItsWay:
    answer: Answer
    due_s: float
    """On the loop's clock."""
    renewed: int = 0
    outcome: tuple[bool, str] | None = None
    """What the gateway replied, until that is on disk."""


class Answers:
    """Says answers and hears what gateways reply."""

    def __init__(
        self, store: Store, session: Session, *, now_s: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._session = session
        self._now_s = now_s
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, _OnItsWay] = {}
        self._woken = asyncio.Event()

    async def acknowledge(self, alarm: str, by: str) -> None:
        """Answer an alarm in a person's name: on disk when this returns, and on its way.

        Raises AnswerError, and DistrictStoreError when the disk did not take it.
        """
        name, how = _name(by), self._new()
        self._begin(
            await self._store.do(lambda keeper: answers.acknowledge(keeper, alarm, name, **how))
        )

    async def release_evidence(self, alarm: str, by: str) -> None:
        """Let a gateway delete what it keeps around an alarm. Raises as ``acknowledge``."""
        name, how = _name(by), self._new()
        self._begin(
            await self._store.do(lambda keeper: answers.release(keeper, alarm, name, **how))
        )

    async def snapshot(self, gateway: str, camera: str, by: str) -> str:
        """Ask for a picture now, once; return the id under which it will come.

        Raises AnswerError when the gateway or its camera is not known, or we are not connected.
        """
        name, id_ = _name(by), str(uuid.uuid4())
        await self._store.do(lambda keeper: _has_camera(keeper, gateway, camera))
        if not self._session.subscribed:
            raise AnswerError(_("the district is not connected to its broker; try again later"))
        self._say(
            gateway,
            {
                "id": id_,
                "expires": _expires(self._now_s() + SNAPSHOT_S),
                "command": "snapshot",
                "camera": camera,
                "by": name,
            },
        )
        return id_

    async def run(self) -> None:
        """Say what waits, again and again, until cancelled."""
        for answer in await self._store.do(lambda keeper: answers.waiting(keeper.db)):
            self._begin(answer)
        while True:
            self._woken.clear()
            now_s = self._loop.time()
            for way in list(self._waiting.values()):
                if way.due_s > now_s:
                    continue
                if way.outcome is None:
                    await self._again(way)
                else:
                    await self._settle(way, *way.outcome)
            due_s = min((way.due_s for way in self._waiting.values()), default=None)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await self._woken.wait()

    def connected(self, gateway: str | None = None) -> None:
        """Say at once what waits for a gateway, or for all: it, or we, came back."""
        for way in self._waiting.values():
            if gateway in {None, way.answer.gateway}:
                way.due_s = self._loop.time()
        self._woken.set()

    def heard(self, reply: Reply) -> None:
        """Take a reply; one that answers nothing of ours changes nothing."""
        id_ = _id(reply.correlation)
        way = self._waiting.get(id_) if id_ is not None else None
        if way is None or way.outcome is not None or reply.gateway != way.answer.gateway:
            return
        ok, reason = reply.body.get("ok") is True, text(reply.body.get("reason")) or "no reason"
        if not ok and reason == "replayed":
            way.answer = replace(way.answer, expires_unix_s=0.0)
            return  # until it is due, the reply to the first may still come
        if not ok and reason == "expired" and way.renewed < answers.RENEWED_MOST:
            way.renewed += 1
            way.answer = replace(way.answer, expires_unix_s=0.0)
        else:
            way.outcome = ok, reason
        way.due_s = self._loop.time()
        self._woken.set()

    async def _settle(self, way: _OnItsWay, ok: bool, reason: str) -> None:
        """Write down how an answer ended; if the disk does not take that, it is asked again."""
        answer, now = way.answer, rfc3339(int(self._now_s() * 1e9))
        try:
            if ok:
                await self._store.do(lambda keeper: answers.confirmed(keeper, answer, now))
            else:
                await self._store.do(lambda keeper: answers.refused(keeper, answer, reason))
        except DistrictStoreError:
            way.due_s = self._loop.time() + AGAIN_S
            return
        self._waiting.pop(answer.id, None)

    async def _again(self, way: _OnItsWay) -> None:
        way.due_s = self._loop.time() + AGAIN_S
        if not self._session.subscribed:
            return  # it is told when it is
        if way.answer.expires_unix_s <= self._now_s():
            try:
                await self._renew(way)
            except DistrictStoreError:
                return  # tried again when it is due
        answer = way.answer
        self._say(
            answer.gateway,
            {
                "id": answer.id,
                "expires": _expires(answer.expires_unix_s),
                "command": answer.command,
                "alarm": answer.alarm,
                "by": answer.by,
            },
        )

    async def _renew(self, way: _OnItsWay) -> None:
        old, id_ = way.answer, str(uuid.uuid4())
        expires_s = self._now_s() + EXPIRES_S
        way.answer = await self._store.do(
            lambda keeper: answers.renew(keeper, old, id_=id_, expires_unix_s=expires_s)
        )
        self._waiting.pop(old.id, None)
        self._waiting[id_] = way

    def _begin(self, answer: Answer) -> None:
        if answer.id not in self._waiting:
            self._waiting[answer.id] = _OnItsWay(answer, self._loop.time())
            self._woken.set()

    def _say(self, gateway: str, body: dict[str, Any]) -> None:
        correlation = uuid.UUID(body["id"]).bytes
        self._session.publish(Topics.of(gateway).command, msgspec.json.encode(body), correlation)

    def _new(self) -> dict[str, Any]:
        now_s = self._now_s()
        return {
            "id_": str(uuid.uuid4()),
            "now": rfc3339(int(now_s * 1e9)),
            "expires_unix_s": now_s + EXPIRES_S,
        }


def _has_camera(keeper: Keeper, gateway: str, camera: str) -> None:
    row = keeper.db.execute("SELECT cameras FROM gateway WHERE id = ?", (gateway,)).fetchone()
    if row is None:
        raise AnswerError(_("there is no gateway {name}").format(name=gateway[:100]))
    if camera not in msgspec.json.decode(row[0]):
        raise AnswerError(_("the gateway has no camera {name}").format(name=camera[:100]))


def _name(by: str) -> str:
    """Return a person's name without space around it. Raises AnswerError for none."""
    name = by.strip()
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise AnswerError(_("a name of 1 to {most} characters is needed").format(most=NAME_MOST))
    return name


def _expires(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _id(correlation: bytes | None) -> str | None:
    return str(uuid.UUID(bytes=correlation)) if correlation and len(correlation) == 16 else None
