"""How long recordings reach back without a break, and when the disk will be short."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.retention import (
    DAY_MS,
    FORECAST_DAYS,
    Disk,
    Proof,
    Span,
    Stock,
    days_until_short,
    prove,
    verdict,
)

NOW = round(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp() * 1000)
MINUTE, HOUR = 60_000, 3_600_000
GAP = 300_000
DUTY = 30 * DAY_MS


def proof(*runs: tuple[int, int], gap_ms: int = GAP, duty_ms: int = DUTY) -> Proof:
    """Prove by stretches given as ms before now, the newest first."""
    spans = [Span(NOW - before, NOW - after) for before, after in runs]
    return prove(spans, now_ms=NOW, gap_ms=gap_ms, duty_ms=duty_ms)


def test_one_whole_stretch() -> None:
    """The plain case: what is recorded without a hole is proven from its beginning on."""
    found = proof((40 * DAY_MS, 0))
    assert found == Proof(40 * DAY_MS, NOW - 40 * DAY_MS, (), 0, ())


def test_nothing_recorded_proves_nothing() -> None:
    """A camera without a file must not be called proven."""
    assert proof() == Proof(0, None, (), 0, ())


@pytest.mark.parametrize(("hole", "reaches"), [(GAP, 40), (GAP + 1, 10)])
def test_gap_ends_the_proof_only_over_its_length(hole: int, reaches: int) -> None:
    """A gap of exactly gap_seconds is a short one; a millisecond more ends the proof."""
    found = proof((10 * DAY_MS, 0), (40 * DAY_MS, 10 * DAY_MS + hole))
    assert found.proven_ms == reaches * DAY_MS
    assert [gap.ms for gap in found.gaps] == ([] if reaches == 40 else [hole])


def test_camera_that_stopped_proves_nothing() -> None:
    """Ninety days that end an hour ago are no unbroken recording up to now."""
    found = proof((90 * DAY_MS, HOUR))
    assert found.proven_ms == 0
    assert found.oldest_ms is None
    assert found.gaps == (Span(NOW - HOUR, NOW),)


def test_one_short_hole_lately_does_not_hide_the_days_before() -> None:
    """Four minutes an hour ago are more than 1 % of that hour, but not of the 40 days."""
    found = proof((HOUR, 0), (40 * DAY_MS, HOUR + 4 * MINUTE))
    assert found.proven_ms == 40 * DAY_MS


def test_short_holes_add_up() -> None:
    """A recorder that loses a minute in every hour has lost more than 1 %: that is no proof."""
    whole = [(10 * DAY_MS, 0)]
    holed = [
        (10 * DAY_MS + (hour + 1) * HOUR, 10 * DAY_MS + hour * HOUR + MINUTE)
        for hour in range(20 * 24)
    ]
    found = proof(*whole, *holed)
    # 10 days whole and x hours of 1/60 missing: x/60 = (240 + x)/100, so x = 360 hours
    assert found.proven_ms == 25 * DAY_MS
    assert sum(missing for _day, missing in found.short) == 20 * 24 * MINUTE


def test_short_holes_are_summed_by_day() -> None:
    """A person must see on which day the recorder was bad; a hole over midnight is of two days."""
    midnight = NOW - NOW % DAY_MS
    spans = [Span(midnight + 60_000, NOW), Span(NOW - 40 * DAY_MS, midnight - 30_000)]
    found = prove(spans, now_ms=NOW, gap_ms=GAP, duty_ms=DUTY)
    assert found.short == ((midnight - DAY_MS, 30_000), (midnight, 60_000))
    assert found.gaps == ()


def test_gaps_before_the_duty_are_not_listed() -> None:
    """A gap of last year is nobody's concern now."""
    found = proof((20 * DAY_MS, 0), (35 * DAY_MS, 20 * DAY_MS + HOUR), (60 * DAY_MS, 36 * DAY_MS))
    assert [gap.ms for gap in found.gaps] == [HOUR]
    assert found.gap_ms == HOUR


def test_time_to_come_proves_nothing() -> None:
    """A file named tomorrow by a wrong clock must not prove today."""
    found = proof((-HOUR, -2 * HOUR), (DAY_MS, -MINUTE))
    assert found.proven_ms == DAY_MS


def test_walk_stops_at_the_duty_when_the_proof_is_over() -> None:
    """Years of another recorder's stretches must not be read for each question."""
    walked: list[int] = []

    def many() -> Iterator[Span]:
        for hour in range(100_000):
            walked.append(hour)
            yield Span(NOW - (2 * hour + 2) * HOUR, NOW - (2 * hour + 1) * HOUR)

    prove(many(), now_ms=NOW, gap_ms=GAP, duty_ms=DUTY)
    assert len(walked) <= 30 * 12 + 2


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 12)), max_size=40),
    st.integers(0, 8),
    st.integers(1, 500),
)
def test_proof_is_what_the_docstring_says(
    lengths: list[tuple[int, int]], gap: int, duty: int
) -> None:
    """Beside a proof worked out second by second, as the contract words it."""
    runs, edge, recorded = [], 0, []
    for length, hole in lengths:
        runs.append((edge + hole + length, edge + hole))
        recorded += [False] * hole + [True] * length
        edge += hole + length
    found = prove([Span(-begin, -end) for begin, end in runs], now_ms=0, gap_ms=gap, duty_ms=duty)
    best, missing, row = 0, 0, 0
    for at, there in enumerate(recorded):
        missing, row = (missing, 0) if there else (missing + 1, row + 1)
        if row > gap:
            break
        begins = there and (at + 1 == len(recorded) or not recorded[at + 1])
        if begins and missing * 100 <= at + 1:
            best = at + 1
    assert found.proven_ms == best


def stock(days: int, rate: int = 10, floor: int = 30, *, ours: bool = True) -> Stock:
    """Return a camera that has written so much on each of the last days."""
    midnight = NOW - NOW % DAY_MS
    by_day = [(midnight - day * DAY_MS, rate) for day in range(days, 0, -1)]
    return Stock(floor * DAY_MS, by_day, rate, ours)


def test_disk_that_holds_its_floor_is_never_short() -> None:
    """What is past its floor pays for what is to come: such a disk needs no forecast."""
    assert days_until_short([stock(40)], Disk(1000, 150, 5), NOW) is None


def test_disk_that_is_too_small_is_short_on_its_day() -> None:
    """A new camera at 10 a day with 155 - 50 spare: nothing is past the floor, so 10.5 days."""
    assert days_until_short([stock(1)], Disk(1000, 155, 5), NOW) == pytest.approx(10.5)


def test_rate_that_rose_is_forecast() -> None:
    """A camera set to twice its rate shortens the disk's days long before the disk is full."""
    held = stock(31)
    doubled = Stock(held.floor_ms, held.by_day, 20)
    assert days_until_short([held], Disk(1000, 70, 5), NOW) is None
    left = days_until_short([doubled], Disk(1000, 70, 5), NOW)
    assert left is not None
    assert 2 <= left <= 4


def test_disk_already_under_its_free_space() -> None:
    """When even all that is past its floor does not suffice, the disk is short now."""
    assert days_until_short([stock(20)], Disk(1000, 10, 5), NOW) == 0.0


def test_disk_of_another_recorder_may_run_full() -> None:
    """A recorder that overwrites when full keeps its disk full: that is not a forecast."""
    disk = Disk(1000, 12, 5)
    assert days_until_short([stock(32, ours=False)], disk, NOW) is None
    assert days_until_short([stock(32)], disk, NOW) is not None


@given(
    st.integers(0, 60), st.integers(0, 50), st.integers(1, 60), st.integers(0, 3000), st.booleans()
)
def test_forecast_is_what_a_day_by_day_disk_does(
    days: int, rate: int, floor: int, free: int, ours: bool
) -> None:
    """Beside a disk that is played day by day with a clean-up that takes all past its floor."""
    camera, disk = stock(days, rate, floor, ours=ours), Disk(4000, free, 5)
    left = days_until_short([camera], disk, NOW)
    wanted = disk.wanted if ours else 0
    assert left is None or 0 <= left <= floor + 1
    held = [day for day, _size in camera.by_day]
    room, short = free, None
    for day in range(floor + 2):
        today = NOW + day * DAY_MS
        gone = [each for each in held if each + DAY_MS <= today - camera.floor_ms]
        held = [each for each in held if each not in gone]
        room += rate * len(gone)
        if room < wanted:
            short = day
            break
        room -= rate
        held.append(today)  # recorded from noon to noon: past the floor when its last hour is
    assert (left is None) == (short is None)
    if left is not None and short is not None:
        assert max(0, short - 1) <= left <= short


WELL = Proof(31 * DAY_MS, NOW - 31 * DAY_MS, (), 0, ())
YOUNG = Proof(5 * DAY_MS, NOW - 5 * DAY_MS, (), 0, ())


@pytest.mark.parametrize(
    ("proved", "age_days", "days_left", "standing", "expected"),
    [
        (WELL, 100, None, False, "ok"),
        (WELL, 100, 60.0, False, "ok"),
        (WELL, 100, FORECAST_DAYS, False, "forecast"),
        (WELL, 100, 8.0, False, "ok"),
        (WELL, 100, 8.0, True, "forecast"),
        (WELL, 100, 0.0, False, "forecast"),
        (YOUNG, 100, None, False, "short"),
        (YOUNG, 100, 0.0, False, "short"),
        (YOUNG, 30, None, False, "short"),
        (YOUNG, 5, None, False, "unknown"),
        (YOUNG, 5, 20.0, False, "forecast"),
        (YOUNG, 5, 24.9, False, "unknown"),
        (Proof(0, None, (), 0, ()), None, None, False, "unknown"),
        (Proof(0, None, (), 0, ()), 31, None, False, "short"),
    ],
)
def test_verdicts(
    proved: Proof, age_days: int | None, days_left: float | None, standing: bool, expected: str
) -> None:
    """A new camera is neither short nor ok; a disk too small for it is told from the first day."""
    age = None if age_days is None else age_days * DAY_MS
    found = verdict(proved, duty_ms=DUTY, age_ms=age, days_left=days_left, standing=standing)
    assert found == expected
