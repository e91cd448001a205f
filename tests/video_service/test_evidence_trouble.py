"""What goes wrong with one bundle, or for a moment, is no trouble of the others, nor for ever."""

import errno
import os
from pathlib import Path

import msgspec
import pytest

from evidence.bundle_killed import ALARM, first
from gatehouse.clock import Reading, SystemClock
from gatehouse.control import reports
from gatehouse.evidence import begin, bundle, plan, room
from gatehouse.evidence.manifest import PICTURE, Manifest
from gatehouse.evidence.plan import Window, unix_ms
from gatehouse.evidence.shelf import Release, Shelf, Told
from gatehouse.video_service import binder, evidence
from gatehouse.video_service.beside import Beside
from gatehouse.video_service.gathering import Sources, gather
from gatehouse.video_service.keeping import READY, Keeping
from video_service.evidence_rig import Rig, gathering


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a short name: a socket lies in it."""
    return tmp_path_factory.mktemp("e")


def keeping(folder: Path) -> Keeping:
    """Return what keeps the bundles of a folder; nothing is read yet."""
    made = Keeping(Shelf(folder), Beside("t", 30.0), SystemClock("boot"), lambda: None)
    made.limit, made.cameras = 10**10, 1
    return made


def full() -> OSError:
    """Return what a full disk says."""
    return OSError(errno.ENOSPC, "full")


async def test_killed_at_its_first_file_it_is_gathered_anew(root: Path) -> None:
    """Without it a power cut there left a "damaged" bundle for ever, and never a picture."""
    async with gathering(root) as rig:
        await rig.stop()
        alarm = rig.desk.alarm()
        place = rig.shelf.place(alarm.id)
        place.mkdir(parents=True)
        (place / "manifest.json.new").write_bytes(b'{"ver')
        await rig.start()
        await rig.ready(alarm.id)
        assert rig.evidence.row().stands == ()
        assert not list(place.glob("*.new"))


async def test_what_a_full_disk_kept_from_beginning_is_begun_by_the_next_start(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it an alarm that met a full disk and then a power cut would have no evidence."""
    monkeypatch.setattr(binder, "AGAIN_S", 0.02)
    tries = 0

    def begins(_folder: Path, _manifest: Manifest) -> None:
        nonlocal tries
        tries += 1
        raise full()

    async with gathering(root) as rig:
        with monkeypatch.context() as patch:
            patch.setattr(bundle, "begin", begins)
            alarm = rig.desk.alarm()
            await rig.until(lambda: tries > 4)  # whatever was to be noted meanwhile is noted
            await rig.stop()
        await rig.start()
        await rig.ready(alarm.id)


async def test_a_mistake_in_one_bundle_does_not_end_the_others(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it one alarm with something odd would leave all later ones without evidence."""
    failed: list[str] = []

    async def gathers(bound: binder.Binder, sources: Sources, at_s: float) -> None:
        if not failed:
            failed.append(bound.manifest.alarm)
            raise KeyError(failed)
        await gather(bound, sources, at_s)

    monkeypatch.setattr(evidence, "gather", gathers)
    async with gathering(root) as rig:
        earlier = rig.desk.alarm()
        await rig.until(lambda: failed == [earlier.id])
        later = rig.desk.alarm()
        await rig.until(lambda: rig.manifest(later.id))


async def test_what_cannot_be_read_or_deleted_stops_nothing(tmp_path: Path) -> None:
    """Without it one odd folder would be the end of all evidence, and of all clean-up."""
    (tmp_path / ALARM).symlink_to(ALARM)
    (tmp_path / f".gone-{ALARM}").write_bytes(b"no folder")
    other = ALARM.replace("f4", "f5")
    bundle.begin(tmp_path / other, plan.ready(_of(other)))
    kept = keeping(tmp_path)
    await kept.load()
    assert [each.manifest is None for each in kept.shelf.read()] == [True, False]
    assert len(kept.held("gate")) == 2


async def test_a_fault_stands_while_anybody_has_it(tmp_path: Path) -> None:
    """Two bundles of which one can be written must not tell a fault each five seconds."""
    kept = keeping(tmp_path)
    await kept.load()
    for who in ("one", "two"):
        kept.trouble(who, full())
    kept.trouble("two", None)
    assert [each.fault for each in kept.row().stands] == [reports.EVIDENCE_FULL]
    kept.trouble("one", None)
    assert kept.row().stands == ()


async def test_a_note_that_failed_once_is_no_fault_for_ever(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a disk that was full for a moment was told as full until the next alarm."""
    monkeypatch.setattr(evidence, "AGAIN_S", 0.01)
    tell, failures = Shelf.tell, [full()]

    def tells(shelf: Shelf, alarm: str, told: Told) -> None:
        if failures:
            raise failures.pop()
        tell(shelf, alarm, told)

    async with gathering(root) as rig:
        await rig.ready(rig.desk.alarm().id)
        await rig.until(rig.evidence.told)
        monkeypatch.setattr(Shelf, "tell", tells)
        rig.evidence.received([each.key for each in rig.evidence.told()])
        await rig.until(lambda: not rig.evidence.told())
        await rig.until(lambda: not rig.evidence.row().stands)
        assert failures == []


async def test_answers_that_no_disk_notes_do_not_pile_up(root: Path) -> None:
    """Without it five answers a second waited in the memory for as long as a disk was full."""
    waiting = Rig(root).evidence
    for _ in range(100):
        waiting.received([f"{READY}{ALARM}"])
    assert waiting._received.qsize() == 1


async def test_a_bundle_taken_by_hand_is_asked_for_nothing(tmp_path: Path) -> None:
    """Without it an administrator who deleted one by hand would leave a fault."""
    bundle.begin(tmp_path / ALARM, plan.ready(first()))
    kept = keeping(tmp_path)
    await kept.load()
    (told,) = kept.told()
    (tmp_path / ALARM).rename(tmp_path / "taken")
    await kept.received([told.key])
    assert kept.told() == ()
    assert not kept.knows(ALARM)


async def test_what_was_released_makes_room_for_pictures(tmp_path: Path) -> None:
    """A clip makes its own room, but a minute after the press, and not every camera has clips."""
    place = tmp_path / ALARM
    bundle.begin(place, plan.ready(first()))
    os.truncate(place / "manifest.json", 0)
    with (place / "film").open("wb") as film:
        film.truncate(3 * room.PICTURES_BYTES)
    Shelf(tmp_path).release(Release(ALARM, "Li", "site", first().begins))
    Shelf(tmp_path).tell(ALARM, Told(ready=True, released=True))
    kept = keeping(tmp_path)
    await kept.load()
    kept.limit = 2 * room.PICTURES_BYTES
    assert not kept.fits()
    await kept.measure()
    assert kept.fits()
    assert kept.shelf.read() == []


@pytest.mark.parametrize(
    ("bootid", "monotonic", "age_s"),
    [
        ("boot", "40000000000", 60.0),  # the same boot: whatever the clock was set to
        ("before", "40000000000", 7.0),  # another one: by the clock, such as it is
        ("boot", "often", 7.0),  # damaged
    ],
)
def test_how_old_a_bundle_is(bootid: str, monotonic: str, age_s: float) -> None:
    """A clock that was set in the middle must not make the pictures that are to come late ones."""
    window = Window(before_s=3.0)
    manifest = _of(ALARM, {"bootid": bootid, "monotonic": monotonic})
    now_ms = unix_ms(manifest.begins) + 10_000
    now = Reading(unix_ns=now_ms * 1_000_000, boottime_ns=100_000_000_000, monotonic_ns=0)
    assert begin.age_of(manifest, now, "boot", window) == pytest.approx(age_s)


async def test_who_waits_for_a_recorder_takes_no_place(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it 64 presses of one button left the next one without a picture for 20 minutes."""
    monkeypatch.setattr(evidence, "AT_ONCE", 1)
    async with gathering(root, record=False) as rig:
        earlier = rig.desk.alarm()
        await rig.until(lambda: (found := rig.manifest(earlier.id)) and _told_of(found) == 3)
        later = rig.desk.alarm()
        manifest = await rig.ready(later.id)
        assert not [each for each in manifest.lacking if "busy" in each.text]


async def test_more_alarms_than_places_say_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for a picture that was not taken must read why; the rest is gathered."""
    monkeypatch.setattr(evidence, "AT_ONCE", 1)
    async with gathering(root) as rig:
        earlier, later = rig.desk.alarm(), rig.desk.alarm()
        await rig.ready(earlier.id)
        manifest = await rig.ready(later.id)
        assert [each.why for each in manifest.lacking if "busy" in each.text] == ["not-in-time"]
        assert _told_of(manifest) == 3


def _told_of(manifest: Manifest) -> int:
    """Return of how many pictures it says something."""
    lost = sum(each.count for each in manifest.lacking if each.kind == PICTURE)
    return lost + sum(item.number is not None for item in manifest.items)


def _of(alarm: str, event: dict[str, object] | None = None) -> Manifest:
    return msgspec.structs.replace(first(), alarm=alarm, event=event or {})
