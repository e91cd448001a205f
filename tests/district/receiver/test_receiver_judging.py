"""What is stored, what is refused, and what is odd and stored all the same."""

import json
from typing import Any

import pytest

from district.receiver.gateway_words import GW, Desk, birth, event, will
from gatehouse import events
from gatehouse.uplink.frames import Incoming
from gatehouse_district.receiver.heard import Heartbeat, Record, Refused, Reply, State
from gatehouse_district.receiver.judging import judge

JPEG = b"\xff\xd8\xff\xe0"
DEEP = b'{"a":' + b"[" * 50_000


def said(leaf: str, payload: bytes, topic: str | None = None) -> object:
    """Judge one message."""
    message = Incoming(topic or f"gatehouse/v1/{GW}/{leaf}", payload)
    return judge(message, retained=False, arrived_ns=1, arrived_unix_ns=2)


def body(**given: object) -> bytes:
    """Return an event's JSON with other fields."""
    plain = json.loads(events.encode(event()))
    return json.dumps(plain | given).encode()


@pytest.mark.parametrize(
    ("leaf", "payload", "reason"),
    [
        ("up/alarm", b"", "envelope"),
        ("up/alarm", b"{", "envelope"),
        ("up/alarm", b"null", "envelope"),
        ("up/alarm", b"\xff\xfe", "envelope"),
        ("up/alarm", DEEP, "envelope"),
        ("up/alarm", b'{"id": "x"}', "envelope"),
        ("up/alarm", body(id=""), "envelope"),
        ("up/alarm", body(id="x" * 129), "envelope"),
        ("up/alarm", body(store=""), "envelope"),
        ("up/alarm", body(sequence="1.1"), "envelope"),
        ("up/alarm", body(sequence="٠٠٠٠٠٠٠١.٠٠٠٠٠٠٠٠٠١"), "envelope"),
        ("up/alarm", body(mode="serious"), "envelope"),
        ("up/alarm", body(data=[]), "envelope"),
        ("up/alarm", body(source="/gatehouse/gw-2"), "source"),
        ("up/event", body(source="gw-1"), "source"),
        ("state", b"[]", "state"),
        ("state", b'{"online": 1}', "state"),
        ("state", b'{"online": true, "store": "s", "start": -1}', "state"),
        ("state", b'{"online": true, "store": "s", "start": 1e3}', "state"),
        ("state", b'{"online": true, "store": "s", "start": 1' + b"0" * 400 + b"}", "state"),
        ("state", b'{"online": true, "store": "s", "start": true}', "state"),
        ("state", b'{"online": true, "store": "s", "start": 1, "connection": "2"}', "state"),
        ("up/telemetry", b"x", "telemetry"),
        ("up/telemetry", DEEP, "telemetry"),
        ("up/reply", b"7", "reply"),
        ("up/unheard-of", b"{}", "topic"),
        ("up/picture/a/0", JPEG, "picture"),
        ("up/picture/a/100", JPEG, "picture"),
        ("up/picture/a/01", JPEG, "picture"),
        ("up/picture/a/1/2", JPEG, "picture"),
        ("up/picture/<b>/1", JPEG, "picture"),
        (f"up/picture/{'a' * 65}/1", JPEG, "picture"),
        ("up/picture/a/1", b"GIF89a", "picture"),
        ("up/picture/a/1", JPEG + b"x" * 60_000, "picture"),
    ],
)
def test_what_is_refused_and_under_which_word(leaf: str, payload: bytes, reason: str) -> None:
    """Without it nonsense could be stored, or end the receiver."""
    found = said(leaf, payload)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert found.why


@pytest.mark.parametrize("topic", ["gatehouse/v2/gw-1/state", "gatehouse/v1/GW/state", "x", "$SYS"])
def test_a_foreign_topic_is_refused(topic: str) -> None:
    """Without it somebody else's message could become a gateway."""
    found = said("", b"{}", topic)
    assert isinstance(found, Refused)
    assert found.reason == "topic"


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "gatehouse.unheard.of"},
        {"type": "'; DROP TABLE event; --"},
        {"specversion": "2.0"},
        {"monotonic": "-1"},
        {"monotonic": "9" * 5000},
        {"monotonic": "٣"},
        {"data": {"held_at_start": "<script>"}},
    ],
)
def test_an_event_that_is_odd_is_an_event(odd: dict[str, object]) -> None:
    """Without it an alarm of a newer gateway would be thrown away for a word."""
    found = said("up/alarm", body(**odd))
    assert isinstance(found, Record)
    assert found.odd


def test_what_fits_is_not_odd() -> None:
    """Without it every alarm would carry a remark, and nobody would read them."""
    data = {"location": "南门", "held_at_start": False}
    found = said("up/alarm", events.encode(event(data=data)))
    assert isinstance(found, Record)
    assert found.odd == ""


def test_the_rest_of_the_contract_is_understood() -> None:
    """Without it births, wills, heartbeats and replies would be refused with the nonsense."""
    assert isinstance(said("state", json.dumps(birth()).encode()), State)
    assert isinstance(said("state", json.dumps(will()).encode()), State)
    assert isinstance(said("up/telemetry", b"{}"), Heartbeat)
    assert isinstance(said("up/reply", b"{}"), Reply)
    assert said("state", b"") is None
    assert said("up/selftest", b"x") is None


HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE event; --",
    '" onmouseover="x',
    "\x00\x01\x7f",
    "a" * 5000,
    "\u202e\u0000😀",
    "../../../etc/passwd",
    "{{ 7*7 }}",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_and_sql_in_every_field_is_stored_as_it_is(kept: Desk, text: str) -> None:
    """Without it a stolen gateway could write into the district's tables, or stop it."""
    fields = ("subject", "time", "bootid", "monotonic", "clock", "specversion", "datacontenttype")
    data = dict.fromkeys(("location", "by", "reason", "fault", "alarm", "alarms", "presses"), text)
    for count, type_ in enumerate(
        (
            *(events.ALARM_RAISED, events.ALARM_RESET, events.LINE_FAULT, events.CLOCK_CORRECTED),
            *(events.WALKTEST_REPORT, events.GATEWAY_STARTED, "gatehouse.evidence.ready", text),
        ),
        1,
    ):
        said_ = event(type_, count, data=data | {"previous": text, "items": [text], text: text})
        kept.hear("up/alarm", events.encode(said_))
        kept.say(event(type_, count + 20, data=data, **dict.fromkeys(fields, text)))
    named = {text: text, "subject": text, "fault": text, "since": text}
    lists: dict[str, Any] = {"buttons": [text], "cameras": [text], "faults": [named, text, 7]}
    kept.hear("state", birth(school=text, version=text, locations={text: text}, **lists))
    row = {"camera": text, "area": text, "required_days": 1, "proven_days": text, "verdict": text}
    kept.hear("up/telemetry", {"clock": text, "version": text, "recordings": [row, text]})
    assert kept.refusals() == {}
    shown = kept.gateway()
    assert (shown.school, shown.buttons) == (text[:200], (text[:200],))
    assert len(kept.alarms()) == 2
    assert kept.gateway().retention[0].camera == text[:200]


@pytest.mark.parametrize("number", [2**63, -(2**63), 2**64 - 1, 10**300, 1e308, -1, 0, True, None])
def test_huge_numbers_are_stored_as_they_are(kept: Desk, number: float | None) -> None:
    """Without it one number that no column holds would stop all that wait with it."""
    raised = event(data={"presses": number, "held_at_start": number})
    kept.say(raised)
    data = {"bootid": "b", "offset_s": number, "fault": number, "alarm": number, "alarms": [number]}
    for count, type_ in enumerate((events.CLOCK_CORRECTED, events.ALARM_RESET), 2):
        kept.say(event(type_, count, data=data))
    item = {"number": number, "camera": number, "begins": number}
    kept.say(event("gatehouse.evidence.ready", 4, data={"alarm": raised.id, "items": [item]}))
    kept.hear("state", birth(heartbeat_s=number, faults=[{"subject": number, "fault": number}]))
    rows = [{"camera": "c", "required_days": number, "proven_days": number}]
    kept.hear("up/telemetry", {"link": {"connection": number}, "recordings": rows})
    assert kept.refusals() == {}
    assert kept.alarm(raised).presses == 1
