"""The book of faults: each told once when it begins and once when it ends, over restarts too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse import events
from gatehouse.events import Happening
from gatehouse.faults import Fault, FaultBook, family_of


def test_a_fault_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """Without it the district would be flooded by a fault that is looked at each second."""
    book = FaultBook()
    began = book.begin("open", subject="button/gate", since="2026-11-23T08:00:00Z", at_ns=5)
    assert began == Happening(events.LINE_FAULT, "button/gate", {"fault": "open"}, at_ns=5)
    assert book.begin("open", subject="button/gate") is None
    assert book.stands("button/gate", "open")
    assert list(book) == [Fault("button/gate", "open", "line", "2026-11-23T08:00:00Z")]
    ended = book.end("open", subject="button/gate", at_ns=9)
    assert ended == Happening(events.LINE_RESTORED, "button/gate", {"fault": "open"}, at_ns=9)
    assert book.end("open", subject="button/gate") is None
    assert len(book) == 0


def test_two_faults_of_one_button_and_one_fault_of_two_are_apart() -> None:
    """Without it mending one wire would show another one, still cut, as mended."""
    book = FaultBook()
    for subject in ("button/gate", "button/office"):
        for fault in ("open", "stuck"):
            assert book.begin(fault, subject=subject) is not None
    assert book.end("open", subject="button/gate") is not None
    assert {(f.subject, f.fault) for f in book} == {
        ("button/gate", "stuck"),
        ("button/office", "open"),
        ("button/office", "stuck"),
    }


@pytest.mark.parametrize(
    ("subject", "family", "fault", "begins", "ends"),
    [
        ("button/gate", None, "short", "line.fault", "line.restored"),
        ("camera/gate", None, "frozen", "camera.fault", "camera.restored"),
        ("gateway", None, "clock", "gateway.fault", "gateway.restored"),
        ("gateway", "tamper", "tamper", "tamper.opened", "tamper.closed"),
        ("gateway", "power", "mains", "power.fault", "power.restored"),
        ("gateway", "disk", "full", "disk.fault", "disk.restored"),
        ("camera/gate", "retention", "shortfall", "retention.shortfall", "retention.restored"),
        ("camera/gate", "retention", "forecast", "retention.forecast", "retention.restored"),
    ],
)
def test_each_family_has_its_words(
    subject: str, family: str | None, fault: str, begins: str, ends: str
) -> None:
    """Without it an event would have a type that the contract does not know."""
    book = FaultBook()
    began = book.begin(fault, subject=subject, family=family)
    ended = book.end(fault, subject=subject)
    assert began is not None
    assert ended is not None
    assert (began.type, ended.type) == (f"gatehouse.{begins}", f"gatehouse.{ends}")
    assert family_of(began.type) == (began.type.split(".")[1], True)
    assert family_of(ended.type) == (began.type.split(".")[1], False)


@pytest.mark.parametrize(
    "type_",
    [
        events.ALARM_RAISED,
        events.ALARM_RESET,
        events.GATEWAY_STARTED,
        events.CLOCK_CORRECTED,
        "gatehouse.recording.gap",
        "fault",
        "",
        "gatehouse.line.fault.more",
    ],
)
def test_what_is_no_fault_is_in_no_family(type_: str) -> None:
    """Without it a replay of the log would make faults that nobody can end."""
    assert family_of(type_) is None


def test_what_stood_is_ended_after_a_restart_and_not_begun_again() -> None:
    """Without it a wire mended while the service was away would be a fault for ever."""
    book = FaultBook((Fault("button/gate", "open", "line"), Fault("gateway", "mains", "power")))
    assert book.begin("open", subject="button/gate") is None
    ended = book.end("mains")
    assert ended is not None
    assert ended.type == events.POWER_RESTORED


def test_the_data_of_a_fault_never_hide_its_name() -> None:
    """Without it an error text from outside could give a fault another name than the book knows."""
    book = FaultBook()
    began = book.begin("config", data={"fault": "x", "mistakes": ["line 3"]})
    assert began is not None
    assert began.data == {"fault": "config", "mistakes": ["line 3"]}
    ended = book.end("config", data={"fault": "x"})
    assert ended is not None
    assert ended.data == {"fault": "config"}


def test_walking_the_book_while_it_changes() -> None:
    """Without it ending all faults in a loop would raise in the middle."""
    book = FaultBook()
    for name in ("a", "b", "c"):
        book.begin(name)
    for fault in book:
        book.end(fault.fault)
    assert len(book) == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_what_was_told_always_says_what_stands(turns: list[tuple[str, bool]]) -> None:
    """Without it a replay of the events (the next start) would find other faults than stand."""
    book = FaultBook()
    standing: set[str] = set()
    for name, begins in turns:
        told = book.begin(name) if begins else book.end(name)
        assert (told is not None) is (begins != (name in standing))
        if told is not None:
            (standing.add if begins else standing.remove)(name)
        assert {fault.fault for fault in book} == standing
