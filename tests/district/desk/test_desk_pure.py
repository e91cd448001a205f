"""What the desk decides without a browser: who may, how often, what a stranger's word becomes."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from district.desk.fake_district import at
from district.desk.rig import NOW_S
from gatehouse_district.desk import alarm_view, gateway_view, strangers, times
from gatehouse_district.desk.limits import Buckets, neighbourhood
from gatehouse_district.desk.table import Table
from gatehouse_district.model import Alarm, Gateway, Presence, Retention, Stage, Standing, Tried


@given(st.text(max_size=300), st.integers(1, 60))
def test_a_strangers_text_is_one_short_line_that_turns_nothing(text: str, length: int) -> None:
    """Without it a school's name could move the cursor, turn the page around, or fill it."""
    shown = strangers.cut(text, length)
    assert len(shown) <= length
    assert not set(shown) & set("\n\r\t\x00\x1b\u202e\u2066\u2028\u200b")
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("实验小学", "实验小学"),
        ("a" * 100, "a" * 79 + "…"),
        ("\u202eevil", "\ufffdevil"),
        ("\ud800half", "\ufffdhalf"),
        ("two\r\n lines\x1b[31m", "two lines\ufffd[31m"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 4),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
    ],
)
def test_what_is_harmful_in_a_text_goes_and_the_rest_stays(text: str, shown: str) -> None:
    """Without it names in Chinese would be mutilated, or the marks that hide things stay."""
    assert strangers.cut(text) == shown


def test_data_that_cannot_be_written_as_json_is_still_shown_as_something() -> None:
    """Without it one event with a circle or half a character in it would end the page."""
    circle: list[object] = []
    circle.append(circle)
    assert strangers.pretty(circle) == "…"
    assert "\ufffd" in strangers.pretty({"a": "\ud800"})
    assert len(strangers.pretty({"a": "x" * 100_000})) < 7_000


@pytest.mark.parametrize(
    "text", ["", "nonsense", "2026-13-45", "9" * 500, "0001-01-01T00:00:00+23:59"]
)
def test_a_time_that_is_none_ends_no_page(text: str) -> None:
    """Without it a gateway's wrong time would take the list of alarms away."""
    assert isinstance(times.shown(text, None), str)
    assert times.unix_ms(text) is None or isinstance(times.unix_ms(text), int)


def test_a_bucket_gives_its_tries_and_fills_again() -> None:
    """Without it somebody could guess passwords as fast as the line allows, or never again try."""
    buckets = Buckets(burst=3, per_s=0.5, most=2)
    assert [buckets.take("a", 0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert buckets.take("a", 1.9) > 0
    assert buckets.take("a", 4.0) == 0
    buckets.give_back("a")
    assert buckets.take("b", 0) == buckets.take("c", 0) == 0
    assert len(buckets._buckets) == 2


def test_all_addresses_of_one_line_share_a_bucket() -> None:
    """Without it one person with IPv6 would have 2^64 times as many tries."""
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1")
    assert neighbourhood("10.0.0.1") != neighbourhood("10.0.0.2")
    assert neighbourhood("::ffff:10.0.0.1") == neighbourhood("10.0.0.1")
    assert neighbourhood("?") == "?"


_items = st.dictionaries(st.sampled_from(string.ascii_lowercase), st.integers(0, 3), max_size=8)


@given(st.lists(_items, max_size=12), st.integers(0, 12), st.integers(1, 5))
def test_changes_since_any_version_make_the_old_rows_the_new_ones(
    steps: list[dict[str, int]], seen: int, gone: int
) -> None:
    """Without it a page that was slow would show an alarm that is gone, or lack one."""
    table: Table[int] = Table(gone=gone)
    mine: dict[str, int] = {}
    version = 0
    for number, items in enumerate(steps):
        table.update(items)
        if number == seen:
            mine, version = dict(items), table.version
    changes = table.since(version)
    if changes is None:
        assert version < table.version
        return
    for row in changes[0]:
        mine[row.id] = row.item
    for id_ in changes[1]:
        mine.pop(id_, None)
    assert mine == (steps[-1] if steps else {})


def _alarm(**said: object) -> Alarm:
    whole = {
        "id": "1", "gateway": "g", "school": "s", "button": "b", "location": "l", "mode": "real",
        "time": at(NOW_S), "clock": "synced", "arrived": at(NOW_S + 1), "stage": Stage.RECEIVED,
    }  # fmt: skip
    return Alarm(**{**whole, **said})  # type: ignore[arg-type]  # as the tests name them


@pytest.mark.parametrize(
    ("said", "section"),
    [
        ({}, "waiting"),
        ({"mode": "nonsense"}, "waiting"),
        ({"mode": "drill"}, "practice"),
        ({"mode": "test", "stage": Stage.ACKNOWLEDGED}, "practice"),
        ({"stage": Stage.ANSWERING}, "answered"),
        ({"stage": Stage.RESET, "mode": "drill"}, "past"),
    ],
)
def test_each_alarm_stands_where_it_belongs(said: dict[str, object], section: str) -> None:
    """Without it a real alarm could stand among drills, or an unknown mode be taken for one."""
    assert alarm_view.section(_alarm(**said)) == section


@pytest.mark.parametrize(
    ("said", "began"),
    [
        ({}, 0),
        ({"clock": "unsynced"}, 1),
        ({"time": at(NOW_S + 900)}, 1),
        ({"time": "nonsense"}, 1),
    ],
)
def test_an_age_counts_from_a_time_that_can_be_believed(
    said: dict[str, object], began: int
) -> None:
    """Without it a Pi that woke in 1970 would show an alarm of fifty years, or one to come."""
    assert alarm_view.began_ms(_alarm(**said)) == int((NOW_S + began) * 1000)


def test_what_is_not_reset_is_shown_however_old_it_is() -> None:
    """Without it an alarm that waits, or a drill that still blinks, would leave after a day."""
    later = int((NOW_S + 10 * 86_400) * 1000)
    assert alarm_view.of_the_day(_alarm(), later)
    assert not alarm_view.of_the_day(_alarm(stage=Stage.RESET, reset=at(NOW_S)), later)
    assert alarm_view.of_the_day(_alarm(mode="test"), later)
    assert alarm_view.of_the_day(_alarm(mode="drill", stage=Stage.ACKNOWLEDGED), later)


def test_the_worst_gateways_stand_first() -> None:
    """Without it the one that cannot hear a press would hide among the well ones."""
    well = {"retention": (), "walktest": Tried("", "OK"), "selftest": Tried("", "OK")}
    fault = (Standing("camera/gate", "covered", None),)
    short = (Retention("gate", "critical", 90, 12.34, "short"),)
    gateways = [
        Gateway("a", "", Presence.ONLINE, None, None, **well),  # type: ignore[arg-type]  # a dict of many
        Gateway("b", "", Presence.ONLINE, None, None, faults=fault, **well),  # type: ignore[arg-type]  # so
        Gateway("c", "", Presence.SILENT, None, None, **well),  # type: ignore[arg-type]  # so
        Gateway("d", "", Presence.STOPPED, None, None, **well),  # type: ignore[arg-type]  # so
        Gateway("e", "", Presence.ONLINE, None, None, lacking=2, **well),  # type: ignore[arg-type]  # so
    ]
    assert [each.id for each in sorted(gateways, key=gateway_view.order)] == list("cdbea")
    assert gateway_view.days(short[0]) == "12.3 of 90 days"


@pytest.mark.parametrize(
    "data", [{}, {"checks": 5}, {"checks": [5, {"result": {}}, {"name": [1], "result": "FAIL"}]}]
)
def test_a_test_report_of_any_shape_ends_no_page(data: dict[str, object]) -> None:
    """Without it a stranger's report would take the gateway's page away."""
    assert isinstance(gateway_view.tried_parts(Tried("", "FAIL", data)), list)
