"""A district in memory: Records, Answering and News that behave as the receiver's do."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gatehouse_district.errors import AnswerError
from gatehouse_district.model import Alarm, Entry, Gateway, Picture, Presence, Stage


def at(unix_s: float) -> str:
    """Return a time as the receiver writes it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


class FakeDistrict:
    """All three ports over plain lists; `raised`, `put` and `event` are what a gateway would do."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.broken: Exception | None = None
        """What reading raises, if anything."""
        self.asked: list[tuple[str, ...]] = []
        self._alarms: dict[str, Alarm] = {}
        self._gateways: dict[str, Gateway] = {}
        self._events: list[Entry] = []
        self._pictures: dict[str, dict[int, tuple[Picture, bytes]]] = {}
        self._revision = 0
        self._news = asyncio.Event()

    # what a gateway does

    def raised(self, id_: str, *, school: str = "实验小学", **said: Any) -> Alarm:
        """Raise an alarm now."""
        self.now_s += 0.001
        alarm = Alarm(
            id=id_,
            gateway=said.pop("gateway", "qd-sn-0042"),
            school=school,
            button=said.pop("button", "gate"),
            location=said.pop("location", "南门门卫室"),
            mode=said.pop("mode", "real"),
            time=said.pop("time", at(self.now_s - 0.2)),
            clock=said.pop("clock", "synced"),
            arrived=said.pop("arrived", at(self.now_s)),
            stage=said.pop("stage", Stage.RECEIVED),
            **said,
        )
        self._alarms[id_] = alarm
        self.event("gatehouse.alarm.raised", alarm.gateway, id=id_, mode=alarm.mode)
        return alarm

    def change(self, id_: str, **to: Any) -> None:
        """Change an alarm: confirmed, reset."""
        self._alarms[id_] = replace(self._alarms[id_], **to)
        self.tell()

    def put(self, gateway: Gateway) -> None:
        """Put a gateway there."""
        self._gateways[gateway.id] = gateway
        self.tell()

    def event(self, type_: str, gateway: str, *, odd: str = "", **said: Any) -> Entry:
        """Store an event."""
        time = at(self.now_s)
        event = {"specversion": "1.0", "type": type_, "time": time, "data": {}, **said}
        entry = Entry(len(self._events) + 1, gateway, time, time, event, odd)
        self._events.append(entry)
        self.tell()
        return entry

    def took(self, alarm: str, number: int, body: bytes, *, taken: str | None = None) -> None:
        """Store a picture."""
        picture = Picture(alarm, number, at(self.now_s), len(body), "0" * 64, "gate", taken)
        self._pictures.setdefault(alarm, {})[number] = (picture, body)
        if alarm in self._alarms:
            self.change(alarm, pictures=len(self._pictures[alarm]))
        self.tell()

    def tell(self) -> None:
        """Wake who shows things."""
        self._revision += 1
        self._news.set()
        self._news = asyncio.Event()

    # Records

    async def alarms(
        self, *, open_only: bool = True, limit: int = 1000, before: str | None = None
    ) -> Sequence[Alarm]:
        """As the port says."""
        self._may_read()
        found = [
            each
            for each in reversed(self._alarms.values())
            if not open_only or (each.mode == "real" and each.stage is not Stage.RESET)
        ]
        if before is not None:
            ids = [each.id for each in found]
            found = found[ids.index(before) + 1 :] if before in ids else []
        return found[:limit]

    async def practice(self, *, limit: int = 1000) -> Sequence[Alarm]:
        """As the port says."""
        self._may_read()
        return [
            each
            for each in reversed(self._alarms.values())
            if each.mode != "real" and each.stage is not Stage.RESET
        ][:limit]

    async def alarm(self, id_: str) -> Alarm | None:
        """As the port says."""
        self._may_read()
        return self._alarms.get(id_)

    async def gateways(self) -> Sequence[Gateway]:
        """As the port says."""
        self._may_read()
        return sorted(self._gateways.values(), key=lambda each: each.id)

    async def gateway(self, id_: str) -> Gateway | None:
        """As the port says."""
        self._may_read()
        return self._gateways.get(id_)

    async def events(
        self,
        *,
        gateway: str | None = None,
        type_: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[Entry]:
        """As the port says."""
        self._may_read()
        return [
            each
            for each in reversed(self._events)
            if (gateway is None or each.gateway == gateway)
            and (type_ is None or each.event["type"] == type_)
            and (before is None or each.position < before)
        ][:limit]

    async def pictures(self, alarm: str) -> Sequence[Picture]:
        """As the port says."""
        self._may_read()
        return [each for _number, (each, _body) in sorted(self._pictures.get(alarm, {}).items())]

    async def picture(self, alarm: str, number: int) -> bytes | None:
        """As the port says."""
        self._may_read()
        found = self._pictures.get(alarm, {}).get(number)
        return found[1] if found else None

    # Answering

    async def acknowledge(self, alarm: str, by: str) -> None:
        """As the port says."""
        found = self._alarms.get(alarm)
        if found is None:
            raise AnswerError(f"there is no alarm {alarm}")
        if found.stage is not Stage.RECEIVED:
            raise AnswerError(f"the alarm is {found.stage} already")
        self.asked.append(("acknowledge", alarm, by))
        when = at(self.now_s)
        self.change(alarm, stage=Stage.ANSWERING, acknowledged_by=by, acknowledged=when)

    async def release_evidence(self, alarm: str, by: str) -> None:
        """As the port says."""
        if alarm not in self._alarms:
            raise AnswerError(f"there is no alarm {alarm}")
        self.asked.append(("release", alarm, by))

    async def snapshot(self, gateway: str, camera: str, by: str) -> str:
        """As the port says."""
        found = self._gateways.get(gateway)
        if found is None or found.presence is not Presence.ONLINE:
            raise AnswerError(f"the gateway {gateway} is not connected")
        self.asked.append(("snapshot", gateway, camera, by))
        return f"snapshot-{len(self.asked)}"

    # News

    @property
    def revision(self) -> int:
        """As the port says."""
        return self._revision

    async def newer(self, than: int) -> int:
        """As the port says."""
        while self._revision <= than:
            await self._news.wait()
        return self._revision

    def _may_read(self) -> None:
        if self.broken is not None:
            raise self.broken
