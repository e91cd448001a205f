"""What does not fit is said, in short words, and what fits is not."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.contract import EVENTS, remarks
from gatehouse.contract.remarks import LONGEST
from gatehouse.contract_files.examples import all_events
from gatehouse.events import Event

EXAMPLES = all_events()
RAISED = EXAMPLES[0]
IDS = [f"{each['type'].removeprefix('gatehouse.')}-{at}" for at, each in enumerate(EXAMPLES)]


def said(event: dict[str, Any]) -> list[str]:
    """Return the remarks on an event as it came."""
    return remarks(msgspec.convert(event, Event))


def required(event: dict[str, Any]) -> set[str]:
    """Return the fields of an event's data that must be there."""
    fields = msgspec.structs.fields(EVENTS[event["type"]].data)
    return {field.encode_name for field in fields if field.required}


@pytest.mark.parametrize("event", EXAMPLES, ids=IDS)
def test_what_fits_is_not_remarked_on(event: dict[str, Any]) -> None:
    """Without it every event would look odd, and nobody would look any more."""
    assert said(event) == []


@pytest.mark.parametrize("event", EXAMPLES, ids=IDS)
def test_what_a_newer_gateway_adds_is_not_odd(event: dict[str, Any]) -> None:
    """Without it a district would have to be renewed before its gateways."""
    assert said({**event, "data": {**event["data"], "more": {"of": ["this"]}}}) == []


@pytest.mark.parametrize("event", EXAMPLES, ids=IDS)
def test_each_field_that_lacks_is_told(event: dict[str, Any]) -> None:
    """Without it a broken gateway would not be noticed before its data is needed."""
    for name in required(event):
        short = {key: value for key, value in event["data"].items() if key != name}
        assert said({**event, "data": short}) == [f"data: Object missing required field `{name}`"]


@pytest.mark.parametrize("event", EXAMPLES, ids=IDS)
def test_each_field_of_another_kind_is_told(event: dict[str, Any]) -> None:
    """Without it a number in the place of a name would only be found by who shows it."""
    for name in event["data"]:
        (remark,) = said({**event, "data": {**event["data"], name: {"no": "such thing"}}})
        assert f"`$.{name}`" in remark


@pytest.mark.parametrize(
    ("field", "value", "remark"),
    [
        ("type", "gatehouse.alarm.cancelled", "type 'gatehouse.alarm.cancelled' is not known"),
        ("subject", "gate", "subject 'gate' is not button/<name>, camera/<name> or gateway"),
        ("subject", "button/", "subject 'button/' is not"),
        ("subject", "button/Gate\n", "subject 'button/Gate\\n' is not"),
        ("subject", "camera/gate", "subject 'camera/gate' does not go with this type"),
        ("subject", "gateway", "subject 'gateway' does not go with this type"),
        ("time", "2026-11-23T08:00:00+08:00", "is not RFC 3339 UTC"),
        ("time", "2026-11-23 08:00:00Z", "is not RFC 3339 UTC"),
        ("time", "2026-13-23T08:00:00Z", "is not RFC 3339 UTC"),
        ("time", "２０２６-11-23T08:00:00Z", "is not RFC 3339 UTC"),
        ("time", "2026-11-23T08:00:00Z\n", "is not RFC 3339 UTC"),
        ("id", "42", "id '42' is no UUIDv7"),
        ("id", "6f1c2d3e-4a5b-4c6d-8e7f-9a0b1c2d3e4f", "is no UUIDv7"),
        ("store", "new", "store 'new' is no UUID"),
        ("sequence", "7.42", "sequence '7.42' is not <8 digits>.<10 digits>"),
        ("source", "/gatehouse/<script>", "source '/gatehouse/<script>' is not /gatehouse/<id>"),
        ("monotonic", "-5", "monotonic '-5' is no number of ns"),
        ("bootid", "", "bootid '' is no boot id"),
        ("clock", "wrong", "clock 'wrong' is neither synced nor unsynced"),
        ("specversion", "0.3", "specversion '0.3' is not 1.0"),
        ("datacontenttype", "text/html", "datacontenttype 'text/html' is not application/json"),
        ("id", "x" * 10_000, "…' is no UUIDv7"),
    ],
)
def test_an_envelope_that_does_not_fit_is_told(field: str, value: str, remark: str) -> None:
    """Without it what cannot be ordered, placed or dated would be taken for good."""
    (found,) = said({**RAISED, field: value})
    assert remark in found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({name for kind in EVENTS.values() for name in kind.data.__struct_encode_fields__})


@settings(max_examples=60)
@given(
    words=st.dictionaries(
        st.sampled_from([field for field in RAISED if field not in {"mode", "data"}]),
        st.text(max_size=300) | st.sampled_from([*EVENTS, "gateway", "button/gate"]),
    ),
    type_=st.sampled_from([*EVENTS]),
    data=st.dictionaries(st.sampled_from(FIELDS) | st.text(), JSON, max_size=6),
)
def test_nothing_that_can_come_breaks_it(
    words: dict[str, str], type_: str, data: dict[str, Any]
) -> None:
    """Without it a stranger's event could end the receiver, or fill its page."""
    found = said({**RAISED, "type": type_, **words, "data": data})
    assert len(found) <= 13
    assert all(0 < len(each) <= LONGEST for each in found)
