"""The events: identities that never clash, JSON that comes back as it went, nonsense refused."""

import re
import string
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.clock import Reading
from gatehouse.errors import MessageError
from gatehouse.events import Event, Happening, Importance, Mode, Scribe

T0 = Reading(unix_ns=1_795_420_800_123_456_789, monotonic_ns=500_000_000_000, boottime_ns=600)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@dataclass
class StoppedClock:
    """A clock that a test moves."""

    at: Reading = T0
    set_by_server: bool = True
    bootid: str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

    def reading(self) -> Reading:
        """Return the time it stands at."""
        return self.at

    def synced(self) -> bool:
        """Say what the test says."""
        return self.set_by_server


def scribe(clock: StoppedClock | None = None, start: int = 7) -> Scribe:
    """Make a scribe of a gateway."""
    return Scribe(
        gateway="qd-sn-0042",
        store="9f1c1d3e-0000-4000-8000-000000000001",
        start=start,
        clock=clock or StoppedClock(),
        random=lambda size: bytes(n % 256 for n in range(size)),
    )


def event(**data: Any) -> Event:
    """Write one alarm."""
    return scribe().write(Happening(events.ALARM_RAISED, "button/gate", data))


def test_uuid7_is_the_rfcs_own_example() -> None:
    """Without it the ids could be UUIDs of no version, which databases refuse or sort wrongly."""
    # RFC 9562 appendix A.6: rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F, each above its free bits.
    random = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert events.uuid7(0x017F22E279B0, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(-(2**63), 2**70), st.binary(min_size=10, max_size=10))
def test_uuid7_is_one_whatever_time_and_chance_say(unix_ms: int, random: bytes) -> None:
    """Without it a clock far off would make ids that the district refuses."""
    made = uuid.UUID(events.uuid7(unix_ms, random))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == unix_ms % 2**48
    assert str(made) == events.uuid7(unix_ms, random)


@given(st.integers(0, 2**47), st.integers(1, 10**9), st.binary(min_size=10), st.binary(min_size=10))
def test_uuid7_sorts_by_time(unix_ms: int, later: int, one: bytes, other: bytes) -> None:
    """Without it an index over ids would be as scattered as one over random numbers."""
    assert events.uuid7(unix_ms, one) < events.uuid7(unix_ms + later, other)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), _JSON, max_size=4))
def test_an_event_comes_back_as_it_went(data: dict[str, Any]) -> None:
    """Without it what the district gets would not be what happened, and no hash would hold."""
    written = event(**data)
    body = events.encode(written)
    assert events.decode(body) == written
    assert events.encode(events.decode(body)) == body


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_nonsense_is_an_event_and_none_is_a_crash(body: bytes) -> None:
    """Without it a damaged row or a mad sender would end the process that reads it."""
    with pytest.raises(MessageError):
        events.decode(body)


GOOD = events.encode(event(held_at_start=False))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"held_at_start":false', b'"n":' + b"9" * 5000),
        (b'"held_at_start":false', b'"n":1e999'),
        (b'"held_at_start":false', b'"n":NaN'),
        (b'"held_at_start":false', b'"n":' + b"[" * 100_000 + b"]" * 100_000),
        (b'"held_at_start":false', b'"n":"\\ud800"'),
        (b'"held_at_start":false', b'"n":"\xff"'),
        (b'"00000007.0000000001"', b'"7.1"'),
        (b'"00000007.0000000001"', b'"00000007.0000000001\\n"'),
        (b'"00000007.0000000001"', b'"00000007-0000000001"'),
        (b'"00000007.0000000001"', '"0000000٧.0000000001"'.encode()),
        (b'"00000007.0000000001"', b'"000000070.000000001"'),
        (b'"00000007.0000000001"', b"7"),
        (b'"mode":"real"', b'"mode":"war"'),
        (b'"mode":"real",', b""),
        (b'"data":{', b'"data":[{'),
        (b'"data":{"held_at_start":false}', b'"data":null'),
        (b"{", b"[{"),
        (b"}}", b"}"),
        (b"}}", b"}}}"),
    ],
)
def test_what_is_almost_an_event_is_refused(old: bytes, new: bytes) -> None:
    """Without it numbers would be read from what has none, or a number would mean two events."""
    body = GOOD.replace(old, new, 1)
    assert body != GOOD
    with pytest.raises(MessageError):
        events.decode(body)


def test_a_number_too_large_for_a_float_survives_in_data() -> None:
    """Without it a whole number that JSON allows would come back as another one."""
    assert events.decode(events.encode(event(n=10**30))).data == {"n": 10**30}


ALARMS = {events.ALARM_RAISED, events.ALARM_RELEASED, events.ALARM_RESET}
FAULTS = {
    events.LINE_FAULT,
    events.LINE_RESTORED,
    events.TAMPER_OPENED,
    events.TAMPER_CLOSED,
    events.POWER_FAULT,
    events.POWER_RESTORED,
    events.GATEWAY_STARTED,
    events.GATEWAY_STOPPED,
    events.GATEWAY_FAULT,
    events.GATEWAY_RESTORED,
    events.CLOCK_CORRECTED,
    "gatehouse.disk.fault",
    "gatehouse.disk.restored",
}
WATCH = {
    "gatehouse.camera.fault",
    "gatehouse.camera.restored",
    "gatehouse.recording.gap",
    "gatehouse.retention.shortfall",
    "gatehouse.retention.forecast",
    "gatehouse.retention.restored",
    "gatehouse.evidence.ready",
}
REPORTS = {
    events.CONFIG_CHANGED,
    events.DRILL_STARTED,
    events.DRILL_ENDED,
    events.COMMAND_REFUSED,
    "gatehouse.selftest.report",
    "gatehouse.walktest.report",
}


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        (Importance.ALARM, ALARMS),
        (Importance.FAULT, FAULTS),
        (Importance.WATCH, WATCH),
        (Importance.REPORT, REPORTS),
    ],
)
def test_each_type_of_the_contract_has_its_importance(kind: Importance, types: set[str]) -> None:
    """Without it a full outbox would drop an alarm for a report."""
    for type_ in types:
        assert events.importance(type_, {"fault": "short"}) is kind, type_
        assert events.is_alarm_class(type_, {}) is (kind is Importance.ALARM)


def test_an_open_line_is_treated_like_an_alarm_and_no_other_line_fault_is() -> None:
    """Without it a press through a cut conductor would wait behind reports, or be dropped."""
    assert events.importance(events.LINE_FAULT, {"fault": "open"}) is Importance.ALARM
    for fault in ("short", "stuck", "chatter", None):
        assert events.importance(events.LINE_FAULT, {"fault": fault}) is Importance.FAULT
    assert events.importance(events.LINE_RESTORED, {"fault": "open"}) is Importance.FAULT
    assert events.importance("gatehouse.camera.fault", {"fault": "open"}) is Importance.WATCH


@given(st.text(string.printable))
def test_any_type_has_an_importance(type_: str) -> None:
    """Without it one salvaged row with an odd type would keep the outbox from opening."""
    assert events.importance(type_, {}) in Importance


@given(st.integers())
def test_any_time_can_be_written(unix_ns: int) -> None:
    """Without it a mad clock would cost the alarm: its event could not be made."""
    said = events.rfc3339(unix_ns)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", said)
    assert datetime.fromisoformat(said).tzinfo == UTC


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)))  # noqa: DTZ001  # made UTC below
def test_a_time_is_written_exactly(naive: datetime) -> None:
    """Without it the microsecond of a press before 1970 or after 2038 would be another."""
    moment = naive.replace(tzinfo=UTC)
    unix_us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert datetime.fromisoformat(events.rfc3339(unix_us * 1000 + 999)) == moment


def test_numbers_are_consecutive_within_a_start() -> None:
    """Without it the district could not tell a lost event from one that never was."""
    pen = scribe(start=12)
    written = [pen.write(Happening(events.GATEWAY_STARTED, "gateway")) for _ in range(3)]
    assert [each.sequence for each in written] == [
        "00000012.0000000001",
        "00000012.0000000002",
        "00000012.0000000003",
    ]
    assert [(each.start, each.count) for each in written] == [(12, 1), (12, 2), (12, 3)]


def test_the_envelope_is_the_contracts() -> None:
    """Without it the district's receiver, which goes by the contract, would refuse the event."""
    happening = Happening(events.ALARM_RAISED, "button/gate", {"location": "南门"}, Mode.DRILL)
    body = events.encode(scribe().write(happening)).decode()
    assert body == (
        '{"specversion":"1.0","id":"01a2076b-447b-7001-8203-040506070809",'
        '"source":"/gatehouse/qd-sn-0042","type":"gatehouse.alarm.raised",'
        '"subject":"button/gate","time":"2026-11-23T08:00:00.123456Z",'
        '"datacontenttype":"application/json","store":"9f1c1d3e-0000-4000-8000-000000000001",'
        '"sequence":"00000007.0000000001","bootid":"6ba7b810-9dad-11d1-80b4-00c04fd430c8",'
        '"monotonic":"600","clock":"synced","mode":"drill","data":{"location":"南门"}}'
    )


def test_an_events_time_is_when_it_happened() -> None:
    """Without it a press taken late (a busy loop, a frozen process) would be dated late."""
    clock = StoppedClock(replace(T0, boottime_ns=900_000_000_000))
    at_ns = T0.monotonic_ns - 2_500_000_000
    told = scribe(clock).write(Happening(events.ALARM_RAISED, "button/gate", at_ns=at_ns))
    assert told.time == "2026-11-23T07:59:57.623456Z"
    assert told.monotonic == str(900_000_000_000 - 2_500_000_000)
    assert uuid.UUID(told.id).int >> 80 == (T0.unix_ns - 2_500_000_000) // 1_000_000


def test_an_event_from_the_future_is_dated_now() -> None:
    """Without it an edge stamped a moment ahead by the kernel would lie after its own receipt."""
    told = scribe().write(Happening(events.ALARM_RAISED, "button/gate", at_ns=T0.monotonic_ns + 9))
    assert told.monotonic == str(T0.boottime_ns)


def test_an_unset_clock_is_said() -> None:
    """Without it the district would believe a time from 1970, or from the last shutdown."""
    clock = StoppedClock(set_by_server=False)
    assert scribe(clock).write(Happening(events.ALARM_RAISED, "button/gate")).clock == "unsynced"
