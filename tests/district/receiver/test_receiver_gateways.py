"""Whether a gateway is there, what is wrong with it, and what it lacks."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from district.receiver.gateway_words import BOOT, STORE, Desk, birth, desk, event, will
from gatehouse import events
from gatehouse_district.model import Presence, Retention, Tried
from gatehouse_district.receiver import lacking
from gatehouse_district.receiver.heard import State
from gatehouse_district.receiver.lacking import Ledger, Number, Spans, missing
from gatehouse_district.receiver.presence import Life
from gatehouse_district.receiver.silences import Silences

ONLINE, LOST, STOPPED, SILENT = (
    *(Presence.ONLINE, Presence.LOST),
    *(Presence.STOPPED, Presence.SILENT),
)


@pytest.mark.parametrize(
    ("said", "there"),
    [
        pytest.param([], Presence.UNKNOWN, id="nothing"),
        pytest.param([(1, 1, True)], ONLINE, id="born"),
        pytest.param([(1, 1, True), (1, 1, False)], LOST, id="its will"),
        pytest.param([(1, 2, True), (1, 1, False)], ONLINE, id="the will of an older connection"),
        pytest.param([(2, 1, True), (1, 9, False)], ONLINE, id="the will of an older start"),
        pytest.param([(1, 1, True), (1, 1, False), (1, 2, True)], ONLINE, id="back again"),
        pytest.param([(1, 1, True), (1, 1, False), (1, 1, True)], LOST, id="the same birth again"),
        pytest.param([(1, 2, False), (1, 1, True)], LOST, id="an older birth"),
        pytest.param([(3, 1, False)], LOST, id="only its end is known"),
        pytest.param([(3, 1, True), (70_000_000, 1, True)], ONLINE, id="a random start"),
        pytest.param([(70_000_000, 1, True), (3, 1, False)], ONLINE, id="a late will before it"),
        pytest.param([(70_000_000, 1, True), (4, 1, True), (4, 1, False)], LOST, id="after it"),
    ],
)
def test_presence(said: list[tuple[int, int, bool]], there: Presence) -> None:
    """Without it a late will would call a gateway lost that is there."""
    life = Life()
    for start, connection, online in said:
        life = life.said("s", start, connection, online=online)
    assert life.presence is there


def test_a_new_card_is_born_and_the_old_ones_will_is_late() -> None:
    """Without it a replaced card would be lost as soon as its forerunner's will comes."""
    life = Life().said("old", 9, 9, online=True).said("new", 1, 1, online=True)
    assert life.said("old", 9, 9, online=False) == life
    assert life.said("new", 1, 1, online=False).presence is LOST


@pytest.mark.parametrize("first", ["event", "state"])
def test_who_says_goodbye_is_not_lost(first: str) -> None:
    """Without it every planned stop would look like a cut line."""
    life = Life().said("s", 1, 1, online=True)
    if first == "event":
        life = life.stops("s", 1).said("s", 1, 1, online=False)
    else:
        life = life.said("s", 1, 1, online=False).stops("s", 1)
    assert life.presence is STOPPED
    assert life.said("s", 2, 1, online=True).said("s", 2, 1, online=False).presence is LOST


def test_silence_and_heartbeats() -> None:
    """Without it a hung gateway would stand as present, or a late heartbeat wake a lost one."""
    life = Life().said("s", 1, 1, online=True)
    silent = life.falls_silent()
    assert silent.presence is SILENT
    assert silent.beats(None) == life
    lost = silent.said("s", 1, 1, online=False)
    assert lost.presence is LOST
    assert lost.falls_silent() == lost
    assert lost.beats(None) == lost.beats(1) == lost
    assert lost.beats(2).presence is ONLINE


lives = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.booleans()), max_size=12)


@given(lives)
def test_only_the_newest_connection_counts(said: list[tuple[int, int, bool]]) -> None:
    """Without it presence would depend on what an old connection says last."""
    life = Life()
    for start, connection, online in said:
        life = life.said("s", start, connection, online=online)
    if said:
        newest = max((start, connection) for start, connection, _ in said)
        assert (life.start, life.connection) == newest
        ended = (*newest, False) in said
        assert (life.presence is LOST) == ended


def test_the_birth_and_the_heartbeat_are_shown(kept: Desk) -> None:
    """Without it the desk could show neither version, nor retention beside its duty."""
    kept.hear("state", birth(heartbeat_s=5, version="1.2"))
    row = {"camera": "yard", "area": "critical", "required_days": 90, "verdict": "short"}
    rows = [row | {"proven_days": 3.5}, row | {"proven_days": None}, {"camera": "x"}, 7]
    kept.hear("up/telemetry", {"clock": "synced", "recordings": rows})
    shown = kept.gateway()
    assert (shown.version, shown.clock, shown.presence) == ("1.2", "synced", ONLINE)
    assert shown.retention == (
        Retention("yard", "critical", 90.0, 3.5, "short"),
        Retention("yard", "critical", 90.0, None, "short"),
    )
    kept.hear("up/telemetry", {"clock": "unsynced"})
    assert kept.gateway().retention == shown.retention


def fault(count: int, begins: bool, name: str = "open", **more: str) -> events.Event:
    """Return an event that begins or ends a fault of the line."""
    type_ = events.LINE_FAULT if begins else events.LINE_RESTORED
    return event(type_, count, data={"fault": name}, **more)


def test_faults_begin_and_end_by_their_numbers(kept: Desk) -> None:
    """Without it an end that comes late would hide a fault that stands."""
    kept.hear("state", birth(faults=[{"subject": "gateway", "fault": "clock", "since": None}]))
    kept.say(fault(4, True), fault(9, True), fault(6, False))
    assert kept.faults() == {("gateway", "clock"), ("button/gate", "open")}
    kept.say(fault(10, False), fault(3, True, "short"), fault(2, False, "short"))
    assert kept.faults() == {("gateway", "clock"), ("button/gate", "short")}


def test_a_birth_says_what_stands(kept: Desk) -> None:
    """Without it a fault whose end was lost with a card would stand for ever."""
    kept.say(fault(4, True), event("gatehouse.tamper.opened", 5, subject="gateway"))
    assert kept.faults() == {("button/gate", "open"), ("gateway", "tamper")}
    kept.hear("state", birth(faults=[{"subject": "x", "fault": "y", "since": "z", "more": 1}]))
    assert kept.faults() == {("x", "y")}
    assert kept.gateway().faults[0].data == {"more": 1}


def test_a_birth_that_is_told_again_is_no_news(kept: Desk) -> None:
    """Without it every restart of the broker would bring back faults that have ended."""
    said = birth(faults=[{"subject": "button/gate", "fault": "open", "since": None}])
    kept.hear("state", said)
    kept.say(fault(4, False), fault(5, True, "short"))
    kept.hear("state", said)
    assert kept.faults() == {("button/gate", "short")}
    kept.hear("state", said | {"connection": 2})
    assert kept.faults() == {("button/gate", "open")}


def test_a_gateway_cannot_fill_the_district_with_faults(kept: Desk) -> None:
    """Without it one broken gateway would make every look at the desk slow."""
    kept.say(*(fault(n, True, f"f{n}") for n in range(1, 520)))
    assert len(kept.faults()) == 500


def test_the_newest_trials_are_kept(kept: Desk) -> None:
    """Without it an inspector would not see when a school was last tried, and how."""
    rows = [{"name": "gate", "result": "OK"}, {"name": "office", "result": "NOT WALKED"}]
    kept.say(
        event(events.SELFTEST_REPORT, 5, data={"result": "WARN"}),
        event(events.SELFTEST_REPORT, 4, data={"result": "FAIL"}),
        event(events.SELFTEST_REPORT, 6, data={"result": "OK", "trial": True}),
        event(events.WALKTEST_REPORT, 7, data={"buttons": rows}),
    )
    shown = kept.gateway()
    assert isinstance(shown.selftest, Tried)
    assert shown.selftest.result == "WARN"
    assert shown.walktest is not None
    assert (shown.walktest.result, shown.walktest.data) == ("WARN", {"buttons": rows})


def test_what_it_lacks_is_kept_with_every_commit(tmp_path: Path) -> None:
    """Without it a receiver that starts again would believe to have all."""
    path = tmp_path / "d.db"
    with desk(path) as kept:
        kept.hear("state", birth())
        kept.say(event(count=1), event(count=4))
        assert (kept.gateway().lacking, len(kept.gateway().lacks)) == (2, 2)
    with desk(path) as kept:
        kept.say(event(count=3))
        assert kept.gateway().lacks == ("00000001.0000000002",)
        promise = {"previous": "00000001.0000000006"}
        kept.say(event(events.GATEWAY_STARTED, 1, start=2, data=promise))
        assert kept.gateway().lacking == 3
        kept.hear("state", birth(start=3))
        assert kept.gateway().lacking == 3
    with desk(path) as kept:
        kept.say(event(count=2, start=3))
        assert kept.gateway().lacking == 3 + 1, "what start 2 promised, and count 1 of start 3"
        promise = {"previous": "00000001.9999999999"}
        kept.say(event(events.GATEWAY_STARTED, 1, start=3, data=promise))
        assert kept.gateway().lacking == 9_999_999_996
        assert len(kept.gateway().lacks) == 20


@given(st.lists(st.integers(1, 40)), st.integers(0, 45))
def test_stretches_are_a_set(counts: list[int], upto: int) -> None:
    """Without it a number could be lacking that is here, or here that is lacking."""
    spans = Spans()
    assert [spans.add(count) for count in counts] == [
        count not in counts[:at] for at, count in enumerate(counts)
    ]
    holes = {n for first, last in spans.holes(upto) for n in range(first, last + 1)}
    assert holes == set(range(1, upto + 1)) - set(counts)
    ends = [n for first, last in spans.last.items() for n in (first - 1, last + 1)]
    assert not set(ends) & set(counts)


numbers = st.builds(
    Number,
    st.sampled_from(("a", "b")),
    st.sampled_from((1, 2, 70_000_000)),
    st.integers(1, 6),
    st.none() | st.tuples(st.integers(1, 2), st.integers(0, 8)),
)


@given(st.lists(numbers, max_size=20), st.sampled_from((None, ("a", 1), ("a", 70_000_000))))
def test_one_by_one_or_at_once_it_lacks_the_same(
    came: list[Number], running: tuple[str, int] | None
) -> None:
    """Without it what is shown would depend on when it was counted."""
    ledger = Ledger()
    for number in came:
        ledger.add(number)
        ledger.missing(running)
    count, named = ledger.missing(running)
    assert named == missing(came, running)
    assert count == len(named)


@given(data=st.data())
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_ledger_survives_restarts(tmp_path: Path, data: st.DataObject) -> None:
    """Without it the count after a crash would be another one than before it."""
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
    counts = data.draw(st.lists(st.integers(1, 12), max_size=10, unique=True))
    cut = data.draw(st.integers(0, len(counts)))
    for part in (counts[:cut], counts[cut:]):
        with desk(path) as kept:
            kept.say(*(event(count=count) for count in part))
    came = [Number(STORE, 1, count) for count in counts]
    with desk(path) as kept:
        if counts:
            assert list(kept.gateway().lacks) == missing(came)


def test_a_stopped_gateway_is_shown_as_stopped(kept: Desk) -> None:
    """Without it the event and the state would not be joined on disk."""
    kept.hear("state", birth())
    since = kept.gateway().since
    kept.say(event(events.GATEWAY_STOPPED, 2, bootid=BOOT))
    assert (kept.gateway().presence, kept.gateway().since) == (ONLINE, since)
    kept.hear("state", will())
    assert kept.gateway().presence is STOPPED
    assert kept.gateway().since != since


def test_a_gateway_of_endless_stores_is_followed_no_further(
    kept: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it one gateway out of its mind could slow down the alarms of all schools."""
    monkeypatch.setattr(lacking, "MOST_STARTS", 3)
    for number in range(6):
        kept.say(event(events.GATEWAY_STARTED, 2, store=f"s{number}", data={"previous": None}))
        previous = f"{number + 50:08d}.0000000001"
        data = {"previous": previous}
        kept.say(event(events.GATEWAY_STARTED, 3 + number, store="s0", data=data))
    assert kept.gateway().lacking == 3 + 3, "count 1 of three stores, and three promises"
    assert kept.keeper.db.execute("SELECT count(*) FROM event").fetchone() == (12,)
    assert kept.refusals() == {}


async def test_a_late_will_hides_no_silence() -> None:
    """Without it a gateway that hangs after its last connection's will is there for ever."""
    told: asyncio.Queue[str] = asyncio.Queue()
    silences = Silences(told.put)
    silences.expect("gw-1", 0.05)
    silences.said(State("gw-1", will(), retained=False, arrived_ns=0))
    silences.hearing(now=True)
    running = asyncio.create_task(silences.run())
    try:
        assert await asyncio.wait_for(told.get(), 60) == "gw-1"
    finally:
        running.cancel()
