"""What the two services say to each other reads back as it was said, within one line."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatehouse.control import reports
from gatehouse.control.reports import Report, Row, Standing, Told
from gatehouse.errors import MessageError
from gatehouse.faults import family_of

LINE = 64 * 1024


def across(report: Report) -> Report:
    """Return a report as it arrives."""
    line = msgspec.json.encode(reports.request(report))
    assert len(line) < LINE
    read: dict[str, Any] = msgspec.json.decode(line)
    assert read["do"] == "video"
    return reports.read(read)


_camera = st.sampled_from(["camera/gate", "camera/yard-2"])
_words = st.sampled_from(sorted(reports.OF_CAMERA))
_standing = st.builds(Standing, _words, st.dictionaries(st.text(max_size=5), st.integers(0, 9)))
_rows = st.builds(
    Row, _camera, st.lists(_standing, max_size=4).map(tuple), st.lists(_words).map(tuple)
)
_told = st.builds(
    Told, st.text("abc-", min_size=1), st.sampled_from(sorted(reports.HAPPENINGS)), _camera
)


@settings(max_examples=40)
@given(st.lists(_rows, max_size=5), st.lists(_told, max_size=5))
def test_a_report_arrives_as_it_was_said(rows: list[Row], told: list[Told]) -> None:
    """Without it what one service says would be malformed to the other."""
    report = Report(tuple(rows), tuple(told), {"cameras": len(rows)})
    assert across(report) == report


def test_a_report_that_is_too_long_keeps_its_faults() -> None:
    """Without it 64 cameras with long details would be silent instead of brief."""
    stands = tuple(Standing(word, {"text": "x" * 500}) for word in reports.CAMERA)
    told = tuple(Told(f"k{n}", reports.GAP, "camera/c1", {"n": n}) for n in range(50))
    rows = tuple(Row(f"camera/c{n}", stands) for n in range(64))
    arrived = across(Report(rows, told))
    assert [each.fault for each in arrived.rows[63].stands] == list(reports.CAMERA)
    assert arrived.rows[0].stands[0].data == {}
    assert arrived.told == told[:5]


@given(st.lists(_rows, max_size=6))
def test_rows_of_several_parts_are_joined(rows: list[Row]) -> None:
    """Without it what one part does not know would end what another has found."""
    merged = {row.subject: row for row in reports.merged(rows)}
    assert len(merged) == len({row.subject for row in rows})
    for subject, row in merged.items():
        parts = [each for each in rows if each.subject == subject]
        stands = {each.fault for part in parts for each in part.stands}
        assert {each.fault for each in row.stands} == stands
        assert set(row.unknown) == {word for part in parts for word in part.unknown} - stands


@pytest.mark.parametrize("subject", ["gateway", "camera/gate", "button/gate", "camera/", "", "x"])
def test_only_cameras_and_the_gateway_have_a_vocabulary(subject: str) -> None:
    """Without it the video service could speak of buttons."""
    known = reports.vocabulary(subject)
    assert bool(known) == (subject in {"gateway", "camera/gate"})
    assert reports.nothing_known(subject).unknown == tuple(sorted(known))
    for fault in known:
        family = reports.family(subject, fault)
        word = fault if family == "retention" else "fault"
        assert family_of(f"gatehouse.{family}.{word}") == (family, True)


@pytest.mark.parametrize("subject", ["camera/", "camera/A", "camera/a/b", "camera/a\n", "button/a"])
def test_a_stranger_is_refused_even_without_a_word(subject: str) -> None:
    """Without it a row that says nothing would still be a subject of ours."""
    with pytest.raises(MessageError, match="neither a camera nor the gateway"):
        reports.read(reports.request(Report((Row(subject),))))
