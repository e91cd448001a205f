"""What the parts of the services really say fits the types."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatehouse import events
from gatehouse.alarm.gpio import Edge
from gatehouse.checks.frame import warn
from gatehouse.checks.health import FAMILIES
from gatehouse.checks.text import say
from gatehouse.contract import messages, remarks
from gatehouse.control.reports import GATEWAY, Row, Told, family
from gatehouse.events import Happening, Scribe
from gatehouse.faults import FaultBook
from gatehouse.service import documents
from gatehouse.service.health import _data
from gatehouse.video.answers import Answer, Duty
from gatehouse.video.baseline import Baseline
from gatehouse.video.eye_messages import Failed, Opened
from gatehouse.video.plan import Refusal
from gatehouse.video.retention import Proof, Span
from gatehouse.video.verdict import LINES, Health
from gatehouse.video_service.deletions import Entry
from gatehouse.video_service.recordings_rows import CleanUp, Known, Passed, Trouble, gap_told
from service.house import MS, House, MovableClock, joined

STORE = "0d3c1c1a-7f0e-4b57-9d0b-5c4a2f7f1e11"
DAY = 86_400_000
DUTY = Duty("gate", "general", 30, "/srv", ours=False)
PROOF = Proof(25 * DAY, 0, (), 0, ())


def odd(happening: Happening) -> list[str]:
    """Return the remarks on what becomes of a happening, as it comes over the wire."""
    random = bytes(2560)
    scribe = Scribe(
        gateway="qd-sn-0042", store=STORE, start=7, clock=MovableClock(), random=lambda _: random
    )
    return remarks(events.decode(events.encode(scribe.write(happening))))


def begun_and_ended(row: Row) -> list[Happening]:
    """Return what is told when all of a row begins, and ends."""
    book, told = FaultBook(), list[Happening | None]()
    for each in row.stands:
        kind = family(row.subject, each.fault)
        told.append(book.begin(each.fault, subject=row.subject, family=kind, data=each.data))
    for each in row.stands:
        told.append(book.end(each.fault, subject=row.subject, data={"reason": "removed"}))
    return [happening for happening in told if happening is not None]


async def live(house: House) -> None:
    """Let happen in a house what can happen without a way out."""
    requests = house.requests()
    turn(house, (27, 1, 900), (12, 1, 900), (24, 0, 900))
    await settled()
    turn(house, (27, 0, 350), (12, 0, 350), (24, 1, 350))
    await settled()
    house.press()
    await settled()
    await requests["reset"]({"button": "gate", "by": "王", "reason": "mistake"})
    await requests["drill-start"]({"buttons": ["gate", "office"], "seconds": 600})
    house.press()
    await requests["drill-stop"]({})
    house.joints.refused("expired", {"count": 1, "id": "x", "command": "selftest"})
    await requests["selftest-report"]({"report": {"result": "OK", "checks": []}})
    del house.board.levels[13]
    house.rooms.station.tick()
    house.voice.fault("walktest-due", True, data={"buttons": ["gate"], "days": 90})
    house.voice.tell(Happening(events.GATEWAY_STOPPED, "gateway", {"reason": "command"}))


async def settled() -> None:
    """Let what is due now be done: it is done with the loop's next turn."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def turn(house: House, *moves: tuple[int, int, int]) -> None:
    """Move pins to a level, so many ms ago."""
    now = house.clock.reading().monotonic_ns
    for pin, level, ago_ms in moves:
        house.board.levels[pin] = level
        house.rooms.station.edge(Edge(pin, level, now - ago_ms * MS))


async def test_what_a_service_says_fits(tmp_path: Path) -> None:
    """Without it the types would be true of their own examples alone."""
    async with joined(tmp_path) as house:
        await live(house)
        told = await house.told()
        birth = msgspec.json.encode(documents.birth(house.rooms))
        beat = msgspec.json.encode(documents.heartbeat(house.rooms, None))
    assert {each.type: said for each in told if (said := remarks(each))} == {}
    seen = {each.type.removeprefix("gatehouse.") for each in told}
    assert {"gateway.started", "alarm.raised", "alarm.released", "alarm.reset"} <= seen
    assert {"drill.started", "drill.ended", "tamper.opened", "tamper.closed"} <= seen
    assert {"line.fault", "line.restored", "command.refused", "gateway.fault"} <= seen
    assert {"selftest.report", "gateway.stopped"} <= seen
    assert msgspec.json.decode(birth, type=messages.Birth).faults
    assert set(json.loads(beat)) <= set(messages.Heartbeat.__struct_fields__)
    assert msgspec.json.decode(beat, type=messages.Heartbeat).buttons[0].last_alarm


@pytest.mark.parametrize(
    "passed",
    [
        Passed((Known(Answer(DUTY, PROOF, 1, 2.5, "short"), sure=True, late=True),), cleaned=True),
        Passed((Known(Answer(DUTY, PROOF, 1, 2.5, "forecast"), sure=True, amiss="gone"),)),
        Passed(clean_ups=(CleanUp("/a", (Refusal("gate", 60, 100),), lacking=7, amiss="no"),)),
        Passed(trouble=Trouble(("gate",), "the disk does not answer")),
    ],
)
def test_what_a_pass_over_the_recordings_says_fits(passed: Passed) -> None:
    """Without it a shortfall of recordings could be odd to the district."""
    told = [each for row in passed.rows() for each in begun_and_ended(row)]
    assert told
    assert {each.type: said for each in told if (said := odd(each))} == {}


def test_what_a_camera_says_fits() -> None:
    """Without it the details of a camera's faults could be of another kind than the contract's."""
    health = Health(Baseline(), lines=LINES["critical"])
    changes = [*health.hear(Opened(640, 360, "h264")), *health.hear(Failed("refused", "wrong"))]
    changes += health.declare("clock-off", True, {"offset_s": -93.0, "by_ntp": False})
    details = {"low-resolution": health._size()["low-resolution"][1]}
    details |= {change.fault: change.data for change in changes}
    for fault, data in details.items():
        happening = FaultBook().begin(fault, subject="camera/gate", data=data)
        assert happening is not None
        assert odd(happening) == []


@pytest.mark.parametrize(
    "told",
    [
        gap_told("gate", Span(1_700_000_000_000, 1_700_000_400_500)),
        Entry(1, "gate", 5, from_ms=1, to_ms=2000, lost_ms=1999, segments=1, bytes=7).told(),
    ],
)
def test_what_happens_once_to_recordings_fits(told: Told) -> None:
    """Without it a gap or a deletion could be odd to the district."""
    data: dict[str, Any] = {**told.data, "key": told.key}  # as the alarm service tells it
    assert odd(Happening(told.type, told.subject, data)) == []


def test_what_the_gateways_health_says_fits() -> None:
    """Without it a full disk could be odd to the district."""
    data = _data(warn(say("{percent} %", percent=97), say("make room"), "disk-space"))
    for name in ("disk-space", "memory"):
        family = FAMILIES.get(name)
        happening = FaultBook().begin(name, subject=GATEWAY, family=family, data=data)
        assert happening is not None
        assert odd(happening) == []
