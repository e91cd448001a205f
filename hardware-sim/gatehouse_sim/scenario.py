"""The scripted scenario of the demo: every promise of the main job, seen once on real parts."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from gatehouse.errors import GatehouseError
from gatehouse.texts import _
from gatehouse_sim import wiring_client
from gatehouse_sim.camera_client import COVERED, NORMAL
from gatehouse_sim.district import District, Record
from gatehouse_sim.school import GATEWAY, School, blinks, steady
from gatehouse_sim.timeline import Press, Timeline
from gatehouse_sim.video import verdicts

PATIENCE_S: Final = 60.0
"""How long each step may take, s: more than any machine needs, less than a person waits."""
_PERSON: Final = "王警官"
_AGAIN_S: Final = 0.05


class _NotSeenError(Exception):
    """A step was not seen, and noted so: the act ends here."""


@dataclass(slots=True)
class Scenario:
    """Plays on a running school; ``show`` is called whenever something new was seen."""

    school: School
    show: Callable[[Timeline], None]
    patience_s: float = PATIENCE_S
    timeline: Timeline = field(default_factory=Timeline)
    _early: list[tuple[str, str, int]] = field(default_factory=list)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self) -> Timeline:
        """Play all acts in order; a step that is not seen ends the play."""
        acts: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            (_("connected, district proven"), self._ready),
            (_("press; a person answers; reset"), self._press_and_answer),
            (_("wire cut and mended"), self._cut_and_mend),
            (_("a camera is covered"), self._cover_and_uncover),
            (_("broker away; the agent killed"), self._broker_away),
        ]
        if not self.school.plan.cameras:
            acts = [act for act in acts if act[1] != self._cover_and_uncover]
        following = asyncio.create_task(self._follow())
        try:
            for name, act in acts:
                await self._act(name, act)
                if any(self.timeline.missing()):
                    break
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
        return self.timeline

    async def _act(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        """Play one act; what keeps it from going on is a step that was not seen."""
        try:
            await act()
        except _NotSeenError:
            pass  # noted where it was missed
        except (GatehouseError, OSError) as exc:  # TimeoutError is an OSError
            first_line = next(iter(str(exc).splitlines()), type(exc).__name__)
            self._note(f"{name}: {first_line}", False)

    async def _press_and_answer(self) -> None:
        district = self.school.district
        press = await self._press(_("press"))
        await self._reached(press, "received")
        slow = await self.school.lamp(blinks(1.0), self._red)
        self._must(_("lamp slow: the district has it"), slow)
        await district.acknowledge(GATEWAY, press.alarm, _PERSON)
        await self._reached(press, "acknowledged")
        answered = await self.school.lamp(steady(), self._red)
        self._must(_("lamp steady: a person has answered"), answered)
        await self.school.agent.ask(
            {"do": "reset", "button": "gate", "by": "保安", "reason": "test"}
        )
        await self._at_district("gatehouse.alarm.reset", _("reset by hand"))

    async def _cut_and_mend(self) -> None:
        before = len(self._alarms())
        with self.school.wires() as wires:
            wiring_client.cut(wires, self.school.button("gate"))
        await self._at_district("gatehouse.line.fault", _("wire cut: a fault"), fault="open")
        self._must(_("wire cut: no alarm"), len(self._alarms()) == before)
        with self.school.wires() as wires:
            wiring_client.mend(wires, self.school.button("gate"))
        await self._at_district("gatehouse.line.restored", _("wire mended"), fault="open")

    async def _cover_and_uncover(self) -> None:
        video, cameras = self.school.video, self.school.cameras
        await self._seen(
            _("cameras looked at: all well"),
            video.cameras_until(
                lambda d: set(verdicts(d).values()) == {"ok"}, timeout_s=self.patience_s
            ),
        )
        await cameras.show("gate", COVERED)
        covered = _("camera covered: a fault")
        await self._at_district("gatehouse.camera.fault", covered, fault="covered")
        await cameras.show("gate", NORMAL)
        await self._at_district("gatehouse.camera.restored", _("camera uncovered"), fault="covered")

    async def _broker_away(self) -> None:
        await self.school.broker.stop()
        await self._seen(
            _("broker away"),
            self.school.agent.wait_for(
                lambda s: s["link"]["state"] != "connected", timeout_s=self.patience_s
            ),
        )
        presses = [await self._press(_("press, offline {n}").format(n=n)) for n in (1, 2, 3)]
        for press in presses:
            await self._reached(press, "stored")
        await self.school.agent.kill()
        self._note(_("agent killed (kill -9)"), True)
        await self.school.agent.start()
        status = await self.school.agent.status()
        self._must(_("agent back: three alarms waiting"), status["outbox"]["pending_alarms"] == 3)
        await self.school.broker.start()
        for press in presses:
            await self._reached(press, "received")
        ids = [record.id for record in self._alarms()]
        once = all(ids.count(press.alarm) == 1 for press in presses)
        self._note(_("broker back: each alarm at the district once"), once)

    async def _ready(self) -> None:
        await self._seen(
            _("connected, district proven"),
            self.school.agent.wait_for(
                lambda s: s["link"]["state"] == "connected" and s["outbox"]["pending"] == 0,
                timeout_s=self.patience_s,
            ),
        )

    async def _press(self, label: str) -> Press:
        """Press the gate's button and wait until the agent has made an alarm of it."""
        before = (await self.school.agent.status())["buttons"][0]["last_alarm"]
        with self.school.wires() as wires:
            edge_ns = wiring_client.press(wires, self.school.button("gate"), bounce_ms=5.0)

        def raised(status: dict[str, Any]) -> bool:
            gate = status["buttons"][0]
            return bool(gate["last_alarm"] != before and gate["line"] == "normal")

        status = await self.school.agent.wait_for(raised, timeout_s=self.patience_s)
        press = self.timeline.press(label, edge_ns, status["buttons"][0]["last_alarm"])
        for alarm, stage, at_ns in self._early:
            self.timeline.stage(alarm, stage, at_ns)
        return press

    async def _reached(self, press: Press, stage: str) -> None:
        """Wait until a stage of a press was seen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience_s):
                while stage not in press.reached:
                    self._moved.clear()
                    await self._moved.wait()
        self._must(f"{press.label}: {_(stage)}", stage in press.reached, press.ms(stage))

    async def _at_district(self, type_: str, what: str, fault: str | None = None) -> None:
        """Wait until the district has an event of this type."""
        began = time.monotonic_ns()

        def there(district: District) -> bool:
            found = [record.event.data for record in district.events(GATEWAY, type_)]
            return any(fault is None or data.get("fault") == fault for data in found)

        there_now = self.school.district.wait_for(there, timeout_s=self.patience_s)
        await self._seen(what, there_now, began)

    async def _follow(self) -> None:
        """Note each stage as the agent reports it, over its deaths and restarts."""
        while True:
            with contextlib.suppress(OSError):
                async for line in self.school.agent.follow():
                    if "alarm" in line:
                        self._stage(line["alarm"], line["stage"], line["t"])
            await self.school.agent.started.wait()
            await asyncio.sleep(_AGAIN_S)  # an agent that died by itself is asked in vain

    def _stage(self, alarm: str, stage: str, at_ns: int) -> None:
        self._early.append((alarm, stage, at_ns))
        self.timeline.stage(alarm, stage, at_ns)
        self._moved.set()
        self.show(self.timeline)

    def _alarms(self) -> list[Record]:
        return self.school.district.alarms(GATEWAY)

    @property
    def _red(self) -> int:
        return self.school.button("gate").lamps.red or 0

    def _must(self, what: str, seen: bool, ms: float | None = None) -> None:
        """Note a step; without it the act cannot go on."""
        self._note(what, seen, ms)
        if not seen:
            raise _NotSeenError

    def _note(self, what: str, seen: bool, ms: float | None = None) -> None:
        self.timeline.step(what, seen, ms)
        self.show(self.timeline)

    async def _seen(self, what: str, wait: Awaitable[Any], began: int | None = None) -> None:
        began = time.monotonic_ns() if began is None else began
        try:
            await wait
        except TimeoutError:
            self._must(what, False)
        else:
            self._note(what, True, (time.monotonic_ns() - began) / 1e6)
