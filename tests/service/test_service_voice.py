"""Telling: to the district and to the disk at once, whatever either of them does."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gatehouse import events
from gatehouse.events import Event, Happening, Scribe
from gatehouse.faults import FaultBook
from gatehouse.service.joints import Joints
from gatehouse.service.voice import Voice
from service.house import MovableClock, joined

PRESS = Happening(events.ALARM_RAISED, "button/gate", {"location": "南门"})


@dataclass
class Ears:
    """An outbox, an uplink and listeners in one, which note who heard what, in order."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    deaf: set[str] = field(default_factory=set)
    """Who raises instead of hearing."""

    def _hear(self, who: str, what: str) -> None:
        self.heard.append((who, what))
        if who in self.deaf:
            raise ConnectionError(f"{who} is deaf")

    def put(self, event: Event, body: bytes) -> None:
        """Take an event as the outbox."""
        self.bodies.append(body)
        self._hear("disk", event.type)

    def press(self, event: Event, body: bytes) -> None:
        """Take a press as the uplink."""
        self.bodies.append(body)
        self._hear("district", event.type)

    def wake(self) -> None:
        """Be woken as the uplink."""
        self._hear("wake", "")

    def told(self, event: Event, _happening: Happening) -> None:
        """Hear of an event."""
        self._hear("told", event.type)

    def faults_changed(self) -> None:
        """Hear that a fault began or ended."""
        self._hear("lamps", "")


def voice_of(ears: Ears) -> Voice:
    """Join a voice to these ears."""
    clock = MovableClock()
    return Voice(
        scribe=Scribe(gateway="gw", store="s", start=1, clock=clock, random=bytes),
        faults=FaultBook(),
        outbox=ears,
        uplink=ears,
        clock=clock,
        on_event=ears.told,
        on_faults=ears.faults_changed,
    )


def test_a_press_is_published_before_it_goes_to_the_disks_thread() -> None:
    """Without it the disk's thread could take the processor first, and the alarm would wait."""
    ears = Ears()
    event = voice_of(ears).tell(PRESS)
    raised = events.ALARM_RAISED
    assert ears.heard == [("district", raised), ("disk", raised), ("wake", ""), ("told", raised)]
    assert ears.bodies == [events.encode(event)] * 2


def test_what_is_no_press_goes_by_the_outbox_alone() -> None:
    """Without it a report could overtake an alarm that waits."""
    ears = Ears()
    voice = voice_of(ears)
    for type_ in (events.GATEWAY_STARTED, events.ALARM_RELEASED, events.LINE_FAULT):
        voice.tell(Happening(type_, "gateway"))
    assert [who for who, _ in ears.heard if who in {"district", "disk"}] == ["disk"] * 3


def test_an_uplink_that_fails_does_not_keep_a_press_from_the_disk(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without it a defect in the network code would lose the alarm."""
    ears = Ears(deaf={"district"})
    event = voice_of(ears).tell(PRESS)
    assert ("disk", events.ALARM_RAISED) in ears.heard
    assert ("told", events.ALARM_RAISED) in ears.heard
    assert event.id in caplog.text


@pytest.mark.parametrize("who", ["wake", "told"])
def test_once_it_is_kept_a_press_is_never_told_as_failed(
    who: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without it the button would tell it again: two alarms for one press."""
    ears = Ears(deaf={who})
    event = voice_of(ears).tell(PRESS)
    assert [heard for heard, _ in ears.heard] == ["district", "disk", "wake", "told"]
    assert event.sequence == "00000001.0000000001"
    assert event.id in caplog.text


def test_a_fault_is_news_once(caplog: pytest.LogCaptureFixture) -> None:
    """Without it a fault looked at each second would be an event each second."""
    caplog.set_level(logging.WARNING)
    ears = Ears()
    voice = voice_of(ears)
    steps: list[Callable[[], None]] = [
        lambda: voice.fault("clock", True),
        lambda: voice.fault("clock", True),
        lambda: voice.fault("clock", False),
        lambda: voice.fault("clock", False),
    ]
    for step in steps:
        step()
    told = [what for who, what in ears.heard if who == "told"]
    assert told == [events.GATEWAY_FAULT, events.GATEWAY_RESTORED]
    assert [who for who, _ in ears.heard].count("lamps") == 2
    assert len(caplog.records) == 2


def test_a_fault_knows_since_when_it_stands() -> None:
    """Without it the status could not say how long a wire has been cut."""
    voice = voice_of(Ears())
    voice.fault("open", True, subject="button/gate", data={"location": "南门"})
    (fault,) = voice.faults
    assert (fault.family, dict(fault.data)) == ("line", {"location": "南门"})
    assert fault.since is not None
    assert fault.since.endswith("Z")


async def test_what_the_disk_says_before_the_rooms_are_joined_is_told_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it trouble in the first moment would end the service, or precede its own start."""
    made = Joints.__init__

    def troubled(self: Joints, clock: MovableClock) -> None:
        made(self, clock)
        self.trouble("outbox-disk", True, {"text": "a commit takes longer than 2 s"})
        self.probe()  # nor does anything else that comes early
        self.told(voice_of(Ears()).tell(PRESS), PRESS)
        self.stored("x", 1)
        self.sent("x", 1)
        self.received(["x"], 1)
        self.uplink_fault("offline", True, {})
        self.refused("expired", {})
        self.faults_changed()
        assert not self.acknowledge("x", "nobody")
        assert not self.proven()
        assert not self.faulty()

    monkeypatch.setattr(Joints, "__init__", troubled)
    async with joined(tmp_path) as house:
        told = await house.told()
        assert [event.type for event in told[:2]] == [events.GATEWAY_STARTED, events.GATEWAY_FAULT]
        assert told[1].data == {"fault": "outbox-disk", "text": "a commit takes longer than 2 s"}
        assert told[0].sequence.endswith(".0000000001")
        assert house.rooms.faults.stands("gateway", "outbox-disk")
        house.joints.trouble("outbox-disk", False, {})
        assert not house.rooms.faults.stands("gateway", "outbox-disk")


async def test_a_start_ends_what_it_finds_well(tmp_path: Path) -> None:
    """Without it a disk that hung before a kill, or a button taken out, is a fault for ever."""
    async with joined(tmp_path) as house:
        house.voice.fault("outbox-disk", True)
        house.voice.fault("outbox-full", True)
        house.voice.fault("outbox-refused", True)
        house.voice.fault("open", True, subject="button/gone")
        house.voice.fault("dark", True, subject="camera/gone")
        await house.durable()
    async with joined(tmp_path) as house:
        assert list(house.rooms.faults) == []
        told = await house.told()
        ended = [e for e in told if e.start == house.rooms.start and e.type.endswith(".restored")]
        assert {(event.type, event.data["fault"]) for event in ended} == {
            ("gatehouse.gateway.restored", "outbox-disk"),
            ("gatehouse.gateway.restored", "outbox-full"),
            ("gatehouse.gateway.restored", "outbox-refused"),
            ("gatehouse.line.restored", "open"),
            ("gatehouse.camera.restored", "dark"),
        }
