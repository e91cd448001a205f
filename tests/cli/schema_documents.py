"""What services might answer, and checks find: of everything one, for the schemas."""

import json
import os
import uuid
from typing import Any

from cli.schemas import Json
from gatehouse import events
from gatehouse.checks.frame import Check, Findings, fail, fine, nothing, warn
from gatehouse.checks.text import say
from gatehouse.clock import SystemClock
from gatehouse.control import reports
from gatehouse.events import Happening, Mode, Scribe
from gatehouse.faults import FaultBook
from report.ledger import Ledger, at


def event_log() -> Json:
    """Return a log with something of everything, as the service answers it."""
    scribe = Scribe(
        gateway="qd-sn-0042",
        store=str(uuid.uuid4()),
        start=7,
        clock=SystemClock("boot"),
        random=os.urandom,
    )
    book, gate, yard = FaultBook(), "button/gate", "camera/yard"
    began = (
        book.begin("open", subject=gate),
        book.begin("covered", subject=yard),
        book.begin("forecast", subject=yard, family="retention"),
        book.begin("offline", data={"error": "no route to host"}),
        book.begin("tamper", family="tamper"),
        book.end("open", subject=gate),
        book.end("forecast", subject=yard),
        book.end("tamper"),
    )
    previous = "00000006.0000000042"
    happenings = (
        Happening(events.GATEWAY_STARTED, "gateway", {"previous": previous, "reason": "power"}),
        Happening(events.ALARM_RAISED, gate, {"location": "南门", "held_at_start": False}),
        Happening(events.ALARM_RESET, gate, {"by": "key", "reason": "real"}, Mode.DRILL),
        Happening(events.CLOCK_CORRECTED, "gateway", {"bootid": "boot", "offset_s": -1.5}),
        Happening(reports.DELETED, yard),
        *(each for each in began if each is not None),
    )
    rows = [json.loads(events.encode(scribe.write(each))) for each in happenings]
    assert len(rows) == 13
    return {"events": [{**row, "pending": n > 8} for n, row in enumerate(rows)]}


def month() -> list[Json]:
    """Return the log of a month, as a report asks for it."""
    ledger = Ledger()
    ledger.start(at(1))
    press = ledger.press(at(2), received_s=0.25, acknowledged_s=31.0, acknowledged_by="王")
    reset: Json = {"alarms": [press], "by": "李", "reason": "real"}
    ledger.tell(at(2, hours=1), "alarm.reset", "button/gate", **reset)
    return [json.loads(events.encode(row)) for row in ledger.rows]


def walked() -> list[Json]:
    """Return what the service says in a walk test of one button."""
    times = {"stored_ms": 1.5, "sent_ms": 2.5, "received_ms": 9.0, "acknowledged_ms": None}
    row = {"name": "gate", "result": "OK", "alarm": "a", "line": "normal", "line_open": False}
    return [{"over": "complete", "buttons": [{**row, **times}], "seconds_left": 60.0}]


def checks() -> tuple[Check, ...]:
    """Return a check of each result."""

    def made(name: str, *findings: Any) -> Check:
        async def run(_context: Any) -> Findings:
            return findings

        return Check(name, name, 1.0, run)

    return (
        made("disk", fine("40 % free")),
        made("clock", warn(say("no battery clock"), say("fit one"))),
        made("lamps", fail(say("dark"), say("look at the cable"))),
        made("cameras", nothing("none here")),
    )
