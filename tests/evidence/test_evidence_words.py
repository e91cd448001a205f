"""What is wanted of an alarm, what a bundle lacks, which bundles go: tables and properties."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.bundle_killed import AT, first
from gatehouse.clock import Reading
from gatehouse.errors import MessageError
from gatehouse.events import ALARM_RAISED, Event, Mode
from gatehouse.evidence import begin, manifest, plan, room
from gatehouse.evidence.manifest import PICTURE, Item, Lacking
from gatehouse.evidence.shelf import Kept, Release, Told, is_id

S = 1_000_000_000


def item(number: int) -> Item:
    """Return a small picture's item."""
    name, said = f"{number:02d}-gate.small.jpg", {"begins": AT, "ends": AT, "clock": "synced"}
    return Item(
        file=name, kind=PICTURE, camera="gate", sha256="0" * 64, bytes=1, number=number, **said
    )


def lacking(why: str, count: int = 1, since: str | None = None) -> Lacking:
    """Return pictures that lack."""
    return Lacking(camera="gate", kind=PICTURE, why=why, count=count, since=since)


@pytest.mark.parametrize(
    ("taken", "noted", "next_turn", "left", "lost"),
    [
        (0, 0, 0, range(11), 0),
        (3, 0, 6, range(6, 11), 3),
        (3, 2, 6, range(6, 11), 1),
        (3, 3, 6, range(6, 11), 0),
        (4, 0, 3, range(4, 11), 0),
        (0, 0, 90, range(11, 11), 11),
        (11, 0, 90, range(11, 11), 0),
    ],
)
def test_which_pictures_are_left(
    taken: int, noted: int, next_turn: int, left: range, lost: int
) -> None:
    """After a restart no picture may be taken for a time that is over, and none lack unsaid."""
    so_far = plan.with_more(
        first(),
        items=[item(number) for number in range(1, taken + 1)],
        lacking=[lacking("no-picture", noted)] if noted else [],
    )
    assert plan.turns_left(so_far, "gate", next_turn, 11) == (left, lost)


def test_what_lacks_for_one_reason_is_one_line() -> None:
    """A camera that is dead must not fill the manifest, nor hide a second loss."""
    since, near = "2026-11-26T05:00:00.100000Z", "2026-11-26T05:00:00.100900Z"
    other = "2026-11-26T05:00:09.000000Z"
    found = first()
    for each in (since, near, near, other):
        found = plan.with_more(found, lacking=[lacking("no-picture", since=each)])
    assert [(each.since, each.count) for each in found.lacking] == [(near, 3), (other, 1)]


@given(st.integers(1, 64), st.integers(1, 20))
def test_numbers_never_mean_two_pictures(cameras: int, turns: int) -> None:
    """Two pictures under one number would hide one of them at the district."""
    names = [f"c{number}" for number in range(cameras)]
    numbers = [plan.picture_number(names, name, turn) for turn in range(turns) for name in names]
    assert numbers == list(range(1, cameras * turns + 1))


def event(**more: object) -> Event:
    """Return an alarm of a minute after the boot."""
    usual = {
        "id": "x",
        "source": "s",
        "type": ALARM_RAISED,
        "subject": "button/gate",
        "time": "2026-11-26T05:00:00.000000Z",
        "store": "s",
        "sequence": "00000001.0000000001",
        "bootid": "boot",
        "monotonic": str(60 * S),
        "clock": "synced",
        "mode": Mode.REAL,
        "data": {},
    }
    return Event(**{**usual, **more})  # type: ignore[arg-type]  # as said


def test_which_alarms_and_how_old() -> None:
    """A clock that is set between press and gathering must not make a press old or new."""
    now = Reading(unix_ns=2_000_000_000 * S, monotonic_ns=70 * S, boottime_ns=90 * S)
    assert begin.age_s(event(), now, "boot") == 30
    assert begin.age_s(event(time="2033-05-18T03:33:10.000000Z"), now, "other") == 10
    assert begin.is_wanted(event())
    assert begin.is_wanted(event(mode=Mode.DRILL))
    assert not begin.is_wanted(event(mode=Mode.TEST))
    assert not begin.is_wanted(event(type="gatehouse.alarm.released"))


KEPT = st.builds(
    lambda number, size, gone, told: Kept(
        f"{number:08d}-0000-7000-8000-000000000000",
        first(),
        bytes=size,
        release=Release("", "x", "site", AT) if gone else None,
        told=Told(ready=told, released=told),
    ),
    st.integers(0, 99_999_999),
    st.integers(0, 500 * room.MB),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(KEPT, max_size=12), st.integers(0, 10**9), st.integers(0, 4 * 10**9))
def test_room_is_made_of_the_oldest_released_alone(kept: list[Kept], need: int, free: int) -> None:
    """What is held must never go, and no more than is needed."""
    limit = 2000 * room.MB
    found = room.find(kept, need, limit=limit, free=free)
    may = [each for each in kept if each.may_go]
    assert list(found.go) == [each.alarm for each in may[: len(found.go)]]
    gone = sum(each.bytes for each in may[: len(found.go)])
    used = sum(each.bytes for each in kept)
    assert found.fits == (used - gone + need <= limit and free + gone >= need + room.SPARE) or len(
        found.go
    ) < len(may)
    if len(found.go) < len(may):
        assert found.fits


def test_a_small_limit_is_no_fault_for_ever() -> None:
    """With eight cameras and 300 MB the fault would else stand from the first day."""
    assert not room.is_short([], 8, limit=300 * room.MB, free=10**12)
    used = replace(Kept("a", first()), bytes=290 * room.MB)
    assert room.is_short([used], 8, limit=300 * room.MB, free=10**12)
    assert room.is_short([], 8, limit=4000 * room.MB, free=100 * room.MB)


@given(st.binary(max_size=200))
def test_what_is_no_manifest(body: bytes) -> None:
    """A damaged file must be an error of ours, whatever is in it."""
    with pytest.raises(MessageError):
        manifest.read(body)


@pytest.mark.parametrize("text", ["", "..", "../../etc/passwd", "A" * 36, 3, None, "x/y"])
def test_what_is_no_id(text: object) -> None:
    """An id becomes a path: only what surely is one may pass."""
    assert not is_id(text)
