"""What clean-up may take, and in which order; by examples and by Hypothesis."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.video.plan import Area, Keeping, Piece, Plan, plan
from gatehouse.video.retention import DAY_MS, Disk, Span

NOW = 1000 * DAY_MS
GAP = 300_000
HOUR = 3_600_000


def camera(
    name: str,
    hours: list[int],
    *,
    area: Area = "general",
    floor_days: int = 30,
    held: tuple[Span, ...] = (),
    ours: bool = True,
    size: int = 10,
) -> Keeping:
    """Return a camera with recordings of an hour that began so many hours ago."""
    pieces = [
        Piece(name, NOW - ago * HOUR, NOW - (ago - 1) * HOUR, size, (NOW - ago * HOUR, 1, "x"))
        for ago in sorted(hours, reverse=True)
    ]
    newest = max((p.start_ms for p in pieces if p.start_ms <= NOW), default=0)
    size = sum(piece.size for piece in pieces)
    return Keeping(
        name, area, floor_days * DAY_MS, len(pieces), size, newest, lambda: pieces, held, ours
    )


def planned(*cameras: Keeping, wanted: int, on_full: str = "oldest", most: int = 5000) -> Plan:
    """Plan on a disk of 1000 bytes on which so many are wanted."""
    disk = Disk(1000, 50 - wanted, 5)
    kind: Literal["oldest", "stop"] = "stop" if on_full == "stop" else "oldest"
    return plan(cameras, disk, now_ms=NOW, gap_ms=GAP, on_full=kind, most=most)


def taken(made: Plan) -> list[tuple[str, int, str]]:
    """Return camera, hours ago and reason of each deletion."""
    return [
        (each.piece.camera, (NOW - each.piece.start_ms) // HOUR, each.reason)
        for each in made.deletions
    ]


DAYS = [day * 24 for day in range(1, 41)]
"""Hours ago: a recording a day, the oldest of 40 days ago."""


def test_nothing_goes_while_there_is_room() -> None:
    """What is past its floor is not deleted for its age: it may still be wanted."""
    assert planned(camera("gate", DAYS), wanted=0) == Plan()


def test_furthest_past_its_floor_goes_first() -> None:
    """A recording of 100 days under a floor of 90 goes after one of 41 under a floor of 30."""
    critical = camera("gate", [24, 98 * 24, 94 * 24], area="critical", floor_days=90)
    general = camera("yard", [24, 30, 36, 40 * 24, 37 * 24])
    made = planned(critical, general, wanted=30)
    assert taken(made) == [
        ("yard", 40 * 24, "past-floor"),
        ("gate", 98 * 24, "past-floor"),
        ("yard", 37 * 24, "past-floor"),
    ]
    assert made.lacking == 0
    assert not made.shortfall


def test_floor_is_kept_across_a_hole() -> None:
    """What goes must leave a next recording that still reaches back to the floor."""
    just_past = camera("gate", [24, 48, 72, 30 * 24 + 1])
    assert taken(planned(just_past, wanted=10, on_full="stop")) == []
    past = camera("gate", [24, 48, 72, 30 * 24 + 2])
    assert taken(planned(past, wanted=10, on_full="stop")) == [("gate", 722, "past-floor")]


def test_stop_never_goes_under_the_floor() -> None:
    """on_full = "stop": the disk runs full, and a person is told."""
    made = planned(camera("gate", DAYS), wanted=200, on_full="stop")
    assert {reason for _camera, _ago, reason in taken(made)} == {"past-floor"}
    assert made.shortfall
    assert made.lacking == 100
    assert made.losses == ()


def test_under_the_floor_each_minute_is_counted() -> None:
    """on_full = "oldest": what goes too early goes with its minutes told, the oldest first."""
    made = planned(camera("gate", DAYS), wanted=130)
    under = [ago for _camera, ago, reason in taken(made) if reason == "under-floor"]
    assert under == [30 * 24, 29 * 24, 28 * 24]
    assert made.shortfall
    (loss,) = made.losses
    assert (loss.camera, loss.segments, loss.ms, loss.bytes) == ("gate", 3, 3 * HOUR, 30)
    assert loss.span == Span(NOW - 30 * DAY_MS, NOW - 28 * DAY_MS + HOUR)


def test_critical_stays_while_general_is_left() -> None:
    """The gate's recordings do not go for the yard's, however old they are."""
    critical = camera("gate", DAYS, area="critical", floor_days=90)
    general = camera("yard", [24, 48, 72, 96])
    made = planned(critical, general, wanted=20)
    assert taken(made) == [("yard", 96, "under-floor"), ("yard", 72, "under-floor")]
    made = planned(critical, general, wanted=30)
    assert made.deletions == ()
    assert [refusal.camera for refusal in made.refused] == ["yard"]
    alone = planned(critical, camera("yard", [24]), wanted=20)
    assert taken(alone) == [("gate", 960, "under-floor"), ("gate", 936, "under-floor")]


def test_evidence_is_never_taken() -> None:
    """What was held for an alarm stays until it is released, whatever the disk needs."""
    held = (Span(NOW - 39 * DAY_MS + 1, NOW - 39 * DAY_MS + 2), Span(NOW - 990 * HOUR, 0))
    made = planned(camera("gate", DAYS, held=held), wanted=20)
    assert [ago for _camera, ago, _reason in taken(made)] == [40 * 24, 38 * 24]


def test_another_recorders_folder_is_never_touched() -> None:
    """Record = false means watch: its recorder deletes by its own rules."""
    assert planned(camera("gate", DAYS, ours=False), wanted=100).deletions == ()


def test_over_half_at_once_is_refused() -> None:
    """A clock that jumped a year makes everything old: nothing goes, a person is told."""
    jumped = [day * 24 for day in range(400, 440)]
    made = planned(camera("gate", jumped), camera("yard", jumped), wanted=500)
    assert made.deletions == ()
    assert [(each.camera, each.of) for each in made.refused] == [("gate", 40), ("yard", 40)]
    assert made.lacking == 500


def test_refusal_of_one_camera_is_not_paid_by_the_gate() -> None:
    """A camera refused for its bytes counts as left: critical recordings stay under their floor."""
    large = camera("yard", [24, 48, 72], size=100)
    critical = camera("gate", DAYS, area="critical", floor_days=90)
    made = planned(critical, large, wanted=150)
    assert made.deletions == ()
    assert [refusal.camera for refusal in made.refused] == ["yard"]


def test_plan_has_an_end() -> None:
    """A plan of two million deletions would not fit into memory; the next pass goes on."""
    made = planned(camera("gate", [2000 + hour for hour in range(200)]), wanted=900, most=7)
    assert len(made.deletions) == 7
    assert made.lacking == 0


CAMERAS = st.lists(
    st.builds(
        lambda number, hours, area, floor, held, ours: camera(
            f"c{number}",
            hours,
            area=area,
            floor_days=floor,
            held=tuple(Span(NOW - begin * HOUR, NOW - begin * HOUR + long) for begin, long in held),
            ours=ours,
        ),
        st.integers(0, 99),
        st.lists(st.integers(-3, 120), max_size=25, unique=True),
        st.sampled_from(("critical", "general")),
        st.integers(0, 4),
        st.lists(st.tuples(st.integers(0, 120), st.integers(0, 20 * HOUR)), max_size=2),
        st.booleans(),
    ),
    max_size=4,
    unique_by=lambda each: each.camera,
)


def overlaps(piece: Piece, span: Span) -> bool:
    """Whether a recording and a held range have a moment in common."""
    return span.from_ms <= piece.end_ms and piece.start_ms <= span.to_ms


@given(CAMERAS, st.integers(0, 400), st.sampled_from(("oldest", "stop")))
def test_no_plan_does_harm(cameras: list[Keeping], wanted: int, on_full: str) -> None:
    """Whatever the disk, the clock and the cameras: the rules of the house hold."""
    made = planned(*cameras, wanted=wanted, on_full=on_full)
    by_name = {each.camera: each for each in cameras}
    gone: dict[str, set[int]] = {each.camera: set() for each in cameras}
    for piece, reason in made.deletions:
        keeping = by_name[piece.camera]
        assert keeping.ours
        assert piece.start_ms not in gone[piece.camera]
        gone[piece.camera].add(piece.start_ms)
        assert not any(overlaps(piece, span) for span in keeping.held)
        assert piece.start_ms < keeping.newest_ms
        past = piece.end_ms <= NOW - keeping.floor_ms - GAP
        assert (reason == "past-floor") == past
        assert past or on_full == "oldest"
    for name, lost in gone.items():
        assert len(lost) * 2 <= by_name[name].segments
    under = {each.piece.camera for each in made.deletions if each.reason == "under-floor"}
    if under:
        assert made.shortfall
        assert {loss.camera for loss in made.losses} == under
    if any(by_name[name].area == "critical" for name in under):
        for keeping in cameras:
            if keeping.area == "general" and keeping.ours:
                assert all(
                    piece.start_ms in gone[keeping.camera]
                    or piece.start_ms >= keeping.newest_ms
                    or any(overlaps(piece, span) for span in keeping.held)
                    for piece in keeping.oldest_first()
                )
    freed = sum(each.piece.size for each in made.deletions)
    assert made.lacking == max(0, wanted - freed)


@given(CAMERAS, st.integers(1, 400))
def test_nothing_more_than_needed_goes(cameras: list[Keeping], wanted: int) -> None:
    """Recordings are what the box is for: not one goes beyond the need."""
    made = planned(*cameras, wanted=wanted)
    sizes = [each.piece.size for each in made.deletions]
    assert sum(sizes[:-1]) < wanted


@pytest.mark.parametrize("area", ["critical", "general"])
def test_a_camera_without_recordings(area: Area) -> None:
    """A camera that was just added has nothing to give, and is no reason to stop."""
    empty = replace(camera("new", []), area=area)
    assert len(planned(empty, camera("gate", DAYS), wanted=50).deletions) == 5
