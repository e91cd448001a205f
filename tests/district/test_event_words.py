"""The names of events, faults and reasons, against the contract's own types."""

from enum import EnumMeta
from typing import get_args, get_type_hints

import msgspec
import pytest

from gatehouse import texts
from gatehouse.cli import words as agents
from gatehouse.contract import EVENTS
from gatehouse_district import event_words

FREE = {"gatehouse.command.refused"}
"""Whose reason is a sentence, not a word."""


def said_by(type_: str, field: str) -> list[str]:
    """Return every word that the contract allows in a field of an event's data."""
    hint = get_type_hints(EVENTS[type_].data).get(field)
    found: list[str] = []
    for each in (hint, *get_args(hint)):
        if isinstance(each, EnumMeta):
            found += [str(one.value) for one in each]  # type: ignore[var-annotated]  # any enum's
        found += [word for word in get_args(each) if isinstance(word, str)]
        found += [each] if isinstance(each, str) else []
    return found


@pytest.fixture(autouse=True)
def _english() -> None:
    """Speak English, whatever another test spoke."""
    texts.use("en")


def test_every_type_of_the_contract_has_a_name() -> None:
    """Without it the desk would show a new event by the name that programs have for it."""
    assert event_words.EVENTS.keys() == EVENTS.keys()
    assert len(set(event_words.EVENTS.values())) == len(EVENTS), "two would look the same"


@pytest.mark.parametrize("type_", EVENTS)
def test_every_fault_and_reason_of_the_contract_has_a_name(type_: str) -> None:
    """Without it somebody on duty would read `not-recording` or `turned-back`."""
    known = {*agents.LINE, *agents._CAMERA, *agents._GATEWAY, *event_words.DISK}
    assert set(said_by(type_, "fault")) <= known
    assert set(said_by(type_, "result")) <= event_words.RESULTS.keys()
    if type_ not in FREE:
        assert set(said_by(type_, "reason")) <= event_words.REASONS.get(type_, {}).keys()
    hints = msgspec.structs.fields(EVENTS[type_].data)
    if any(field.name == "fault" for field in hints):
        assert said_by(type_, "fault")  # else this test looks past it


def test_what_nobody_knows_stays_as_it_is() -> None:
    """Without it a newer gateway's event would have no name, or another one's."""
    assert event_words.event("gatehouse.flood.risen") == "flood.risen"
    assert event_words.whose("<b>/x") == "<b>/x"
    said = {"type": "gatehouse.flood.risen", "data": {"fault": "wet", "reason": "rain", "by": 5}}
    assert event_words.details(said) == ["wet", "rain", "5"]
    odds: tuple[object, ...] = (None, [], "x", {"fault": [1], "reason": {}, "result": 7})
    for odd in odds:
        assert isinstance(event_words.details({"type": "gatehouse.alarm.reset", "data": odd}), list)


def test_a_fault_is_named_after_what_has_it() -> None:
    """Without it a full disk would be called by a camera's word, or said twice."""
    camera = {
        "type": "gatehouse.camera.fault",
        "subject": "camera/gate",
        "data": {"fault": "covered", "text": "tiles 0.9"},
    }
    assert event_words.details(camera) == ["covered"]
    disk = {"type": "gatehouse.disk.fault", "subject": "gateway", "data": {"fault": "full"}}
    assert event_words.details(disk) == ["disk full"]
    mains = {"type": "gatehouse.power.fault", "subject": "gateway", "data": {"fault": "mains"}}
    assert event_words.details(mains) == []
    reset = {"type": "gatehouse.alarm.reset", "data": {"reason": "turned-back", "by": "button"}}
    assert event_words.details(reset) == ["turned back with its key", "button"]
    assert event_words.reason("gatehouse.gateway.stopped", "command") == "on command"
    assert event_words.reason("gatehouse.gateway.started", "command") == "stopped on command"
