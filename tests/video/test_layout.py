"""When a recording began, by its name: our own, other recorders', and names that say nothing."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.layout import EXTENSIONS, Named, container, is_own_folder, named, own_path

CHINA = timezone(timedelta(hours=8))
BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    """Return an ISO time in ms since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@given(st.integers(0, 253402300799))
def test_own_layout_comes_back(second: int) -> None:
    """What our own recorder writes must be read back to the second, in any year and zone."""
    path = own_path(second * 1000)
    assert named(path, CHINA) == Named(second * 1000)
    assert is_own_folder(path.partition("/")[0])


@given(st.text(), st.sampled_from(sorted(EXTENSIONS)))
def test_no_name_is_too_strange(text: str, extension: str) -> None:
    """A name somebody put there by hand must not stop the scan."""
    for path in (text, f"{text}.{extension}", f"2026-11-25/{text}.mp4"):
        named(path, BERLIN)
        container(path)


@given(st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[/T_]([0-9]{2}[.:-]?){3}(\[R\])?\.(mp4|dav)"))
def test_no_number_is_too_large(path: str) -> None:
    """Digits in the right places that are no date must not stop the scan either."""
    found = named(path, CHINA)
    assert found is None or found.start_ms > 0


EIGHT = "2026-11-25T08:00:00+08:00"
QUARTER_PAST = "2026-11-25T08:15:00+08:00"


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        ("2026-11-25/20261125T000000Z.mp4", EIGHT, None),
        ("20261125T000000Z.mp4", EIGHT, None),
        ("2026-11-25/08/08.00.00-08.15.00[R][0@0][0].dav", EIGHT, QUARTER_PAST),
        ("2026-11-25/001/dav/08/08.00.00-08.15.00[R].dav", EIGHT, QUARTER_PAST),
        ("ch01_20261125080000_20261125081500.mp4", EIGHT, QUARTER_PAST),
        ("20261125080000-20261125081500.mp4", EIGHT, QUARTER_PAST),
        ("20261125_080000-081500.ts", EIGHT, QUARTER_PAST),
        ("Camera1_00_20261125080000.mp4", EIGHT, None),
        ("gate 2026-11-25 08-00-00.mkv", EIGHT, None),
        ("2026-11-25_08-00-00_08-15-00.mp4", EIGHT, QUARTER_PAST),
        ("2026-11-25T08:00:00+0800.mp4", EIGHT, None),
        ("2026-11-25T00-00-00Z.MP4", EIGHT, None),
        ("2026/11/25/080000.mp4", EIGHT, None),
        ("2026/11/25/08-00-00.mp4", EIGHT, None),
        ("20261125/rec_080000.avi", EIGHT, None),
        ("1795564800.mp4", EIGHT, None),
        ("cam-1795564800000.mp4", EIGHT, None),
        ("gate-1795564800.25-abc.mp4", EIGHT, None),
        ("2026112508/00M00S_1795564800.mp4", EIGHT, None),
    ],
)
def test_layouts_of_recorders(path: str, start: str, end: str | None) -> None:
    """A recorder whose names are read wrongly would have its retention told wrongly."""
    found = named(path, CHINA)
    assert found is not None
    assert found.start_ms == ms(start)
    assert found.end_ms == (None if end is None else ms(end))


def test_frigate_is_utc_and_names_its_camera() -> None:
    """All cameras of Frigate share a tree: another one's recordings must not prove this one's."""
    found = named("2026-11-25/08/front_gate/15.10.mp4", CHINA)
    assert found == Named(ms("2026-11-25T08:15:10Z"), None, "front_gate")


def test_milliseconds_in_a_name() -> None:
    """Segments of a recorder that cuts within a second must not be taken for duplicates."""
    found = named("ch1_20261125080000123.mp4", UTC)
    assert found is not None
    assert found.start_ms == ms("2026-11-25T08:00:00.123Z")


def test_span_over_midnight() -> None:
    """The last recording of a day must not have a length of minus a day."""
    found = named("2026-11-25/23.55.00-00.05.00[R].dav", CHINA)
    assert found is not None
    assert found.end_ms == found.start_ms + 600_000


def test_unbelievable_end_is_left_out() -> None:
    """A name misread must not prove a year of recordings with one file."""
    assert named("20261125080000_20271125080000.mp4", UTC) == Named(ms("2026-11-25T08:00:00Z"))


@pytest.mark.parametrize(
    "path",
    [
        "notes.txt",
        "snapshot_20261125080000.jpg",
        "20261125T000000Z.mp4.part",
        ".20261125080000.mp4",
        "gate.mp4",
        "20261325T000000Z.mp4",
        "20261125T240000Z.mp4",
        "20260230080000.mp4",
        "2026-11-25/1234/1234-video.mp4",
        "0001-01-01/00.00.00.mp4",
        "",
        "/",
        ".mp4",
        "２０２６１１２５T０００００0Z.mp4",
    ],
)
def test_names_that_are_no_recordings(path: str) -> None:
    """What is not surely a recording must never become something that clean-up deletes."""
    assert named(path, CHINA) is None


def test_repeated_hour_is_told_by_the_files_own_time() -> None:
    """At the end of summer time two recordings an hour apart have the same name's time."""
    path = "2026-10-25/02-30-00.mp4"
    summer, winter = ms("2026-10-25T02:30:00+02:00"), ms("2026-10-25T02:30:00+01:00")
    for written, expected in (
        (None, summer),
        (summer + 60_000, summer),
        (winter + 60_000, winter),
        (winter + 90 * 86_400_000, summer),
    ):
        found = named(path, BERLIN, written)
        assert found is not None
        assert found.start_ms == expected


def test_skipped_hour_is_no_error() -> None:
    """A recorder that does not know summer time names an hour that is not on our clock."""
    assert named("2026-03-29/02-30-00.mp4", BERLIN) == Named(ms("2026-03-29T02:30:00+01:00"))
