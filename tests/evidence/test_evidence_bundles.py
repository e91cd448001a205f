"""Bundles on the disk: what is read, what is found changed, and what the chain says."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.building import ALARM, JPEG, OTHER, Builder, small
from gatehouse.evidence import bundles, chain, verify
from gatehouse.evidence.bundles import UnknownBundleError
from gatehouse.evidence.chain import Log
from gatehouse.evidence.shelf import Shelf, Told


def findings(root: Path, alarm: str = ALARM) -> list[tuple[str, str]]:
    """Return what is found of a bundle: file and word."""
    return [(each.file, each.what) for each in verify.check(bundles.read(root, alarm))]


def test_a_whole_bundle_is_as_it_was(tmp_path: Path) -> None:
    """Without it every check would cry wolf, and none be believed."""
    built = small(tmp_path)
    built.release()
    (built.folder / "told.json").write_text("{}", encoding="ascii")
    (built.folder / "03-gate.jpg.new").write_bytes(b"half")
    bundle = bundles.read(tmp_path, ALARM)
    assert verify.check(bundle) == []
    assert bundle.damage == ""
    assert bundle.released is not None
    assert (bundle.released.by, bundle.released.via) == ("王", "site")
    manifest = bundle.manifest
    assert manifest is not None
    shown = [item.file for item in bundles.pictures(manifest)]
    assert shown == ["01-gate.jpg", "02-gate.jpg"]  # of each the whole, not its small copy
    assert [item.file for item in bundles.clips(manifest)] == ["clip-gate.mp4"]


def test_any_changed_byte_of_the_gateways_own_note_is_found(tmp_path: Path) -> None:
    """Without it one file of a bundle could be changed and verify would say OK."""
    small(tmp_path)
    Shelf(tmp_path).tell(ALARM, Told(ready=True))
    note = tmp_path / ALARM / "told.json"
    body = note.read_bytes()
    assert findings(tmp_path) == []
    for place, byte in enumerate(body):
        note.write_bytes(body[:place] + bytes([byte ^ 1]) + body[place + 1 :])
        assert findings(tmp_path) == [("told.json", "changed")]


Harm = Callable[[Builder], object]


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda b: (b.folder / "02-gate.jpg").unlink(), ("02-gate.jpg", "missing")),
        (
            lambda b: (b.folder / "01-gate.jpg").write_bytes(JPEG + b"onE"),
            ("01-gate.jpg", "changed"),
        ),
        (
            lambda b: (b.folder / "clip-gate.mp4").write_bytes(b"film"),
            ("clip-gate.mp4", "changed"),
        ),
        (lambda b: (b.folder / "more.jpg").write_bytes(JPEG), ("more.jpg", "extra")),
        (lambda b: (b.folder / "folder").mkdir(), ("folder", "extra")),
        (lambda b: (b.folder / "way").symlink_to("/etc/passwd"), ("way", "extra")),
        (lambda b: (b.folder / "manifest.json").write_text("{"), ("manifest.json", "damaged")),
        (lambda b: (b.folder / "manifest.json").unlink(), ("manifest.json", "damaged")),
    ],
)
def test_what_is_not_as_the_manifest_says_is_found(
    tmp_path: Path, harm: Harm, found: tuple[str, str]
) -> None:
    """Without it evidence that somebody changed would be shown to a court as whole."""
    built = small(tmp_path)
    harm(built)
    assert findings(tmp_path) == [found]


def test_a_link_in_the_place_of_a_picture_is_never_followed(tmp_path: Path) -> None:
    """Without it a copy kept elsewhere, to be changed later, would pass."""
    built = small(tmp_path / "e")
    picture = built.folder / "01-gate.jpg"
    picture.rename(tmp_path / "elsewhere.jpg")
    picture.symlink_to(tmp_path / "elsewhere.jpg")
    assert findings(tmp_path / "e") == [("01-gate.jpg", "changed")]
    built.folder.rename(tmp_path / "moved")
    built.folder.symlink_to(tmp_path / "moved")
    assert bundles.names(tmp_path / "e") == []
    with pytest.raises(OSError, match="Not a directory"):
        bundles.read(tmp_path / "e", ALARM)


@given(data=st.data())
def test_any_changed_byte_is_found(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without it one bit in the right place could turn one face into another."""
    root = tmp_path_factory.mktemp("evidence")
    built = small(root)
    name = data.draw(st.sampled_from([item.file for item in built.items]))
    body = bytearray((built.folder / name).read_bytes())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    (built.folder / name).write_bytes(body)
    assert findings(root) == [(name, "changed")]


def test_what_is_still_gathered_may_have_files_without_a_name(tmp_path: Path) -> None:
    """Without it a check in the minute after an alarm would find the next picture strange."""
    built = small(tmp_path, state="gathering")
    (built.folder / "03-gate.jpg").write_bytes(JPEG)
    assert findings(tmp_path) == []


def test_a_manifest_of_another_alarm_is_damage(tmp_path: Path) -> None:
    """Without it the pictures of one alarm could be passed off as those of another."""
    small(tmp_path).folder.rename(tmp_path / OTHER)
    bundle = bundles.read(tmp_path, OTHER)
    assert bundle.manifest is None
    assert ALARM in bundle.damage
    assert findings(tmp_path, OTHER) == [("manifest.json", "damaged")]


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", ".", "01-gate.jpg/../x", "A", ""])
def test_a_manifest_that_names_a_file_elsewhere_is_damage(tmp_path: Path, name: str) -> None:
    """Without it a changed manifest could have any file of the machine exported as evidence."""
    built = small(tmp_path)
    built.items[0] = msgspec.structs.replace(built.items[0], file=name)
    built.write()
    assert bundles.read(tmp_path, ALARM).manifest is None


def test_bundles_are_found_by_an_end_or_a_beginning(tmp_path: Path) -> None:
    """Without it a technician would have to type 36 characters from a timeline that shows six."""
    assert bundles.names(tmp_path / "nothing") == []
    small(tmp_path)
    small(tmp_path, OTHER)
    (tmp_path / f".gone-{ALARM}").mkdir()
    (tmp_path / "snapshots").mkdir()
    assert bundles.names(tmp_path) == [ALARM, OTHER]
    assert bundles.find(tmp_path, "00a1b2") == ALARM
    assert bundles.find(tmp_path, OTHER) == OTHER
    for typed in ("", "zzz", "..", ALARM[:8]):
        with pytest.raises(UnknownBundleError):
            bundles.find(tmp_path, typed)


@pytest.mark.parametrize("body", [b"\xff", b"", b"[]", b'{"by": "Li"}'])
def test_a_release_that_cannot_be_read_is_none(tmp_path: Path, body: bytes) -> None:
    """Without it evidence would be shown as released that the service holds."""
    built = small(tmp_path)
    (built.folder / "released.json").write_bytes(body)
    assert bundles.read(tmp_path, ALARM).released is None
    assert (held := Shelf(tmp_path).kept(ALARM)) is not None
    assert held.release is None


def told(root: Path, log: Log | None) -> tuple[str, str]:
    """Return how the bundle stands to a log: its event, its manifest."""
    bundle = bundles.read(root, ALARM)
    assert bundle.manifest is not None
    found = chain.chain(bundle.manifest, bundle.manifest_body, log)
    return found.event, found.manifest


def test_the_chain_to_what_the_district_was_told(tmp_path: Path) -> None:
    """Without it a bundle that was made anew, hashes and all, would pass as the first one."""
    built = small(tmp_path)
    assert told(tmp_path, Log(built.log())) == ("same", "same")
    assert told(tmp_path, Log([])) == ("not-in-log", "not-in-log")
    assert told(tmp_path, None) == ("not-read", "not-read")
    log = built.log()
    built.location = "somewhere else"
    built.write()
    assert told(tmp_path, Log(log)) == ("differs", "differs")
    built.state = "gathering"
    built.write()
    assert told(tmp_path, Log(built.log()[:1]))[1] == "not-ready"
    assert told(tmp_path, Log(log))[1] == "differs"


def test_an_event_that_does_not_fit_its_own_hash_differs_without_a_log(tmp_path: Path) -> None:
    """Without it a changed time of the press would only be found where the log reaches back."""
    built = small(tmp_path)
    path = built.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"00000007.", b"00000008."))
    assert told(tmp_path, None) == ("differs", "not-read")
    event = msgspec.json.encode(built.event)
    assert hashlib.sha256(event).hexdigest().encode() in path.read_bytes()


def test_an_event_of_another_alarm_differs_without_a_log(tmp_path: Path) -> None:
    """Without it pictures could be shown beside the true event of another press."""
    manifest = small(tmp_path).write()
    event = {**manifest.event, "id": OTHER}
    said = {"event": event, "event_sha256": hashlib.sha256(msgspec.json.encode(event)).hexdigest()}
    other = msgspec.structs.replace(manifest, **said)
    assert chain.chain(other, b"", None).event == "differs"


def test_a_file_that_gets_its_name_meanwhile_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it one look at the bundles while a picture is written would fail for all of them."""
    folder = small(tmp_path).folder
    before = Shelf(tmp_path).kept(ALARM)
    (folder / "99-gate.jpg.new").write_bytes(b"half")
    look = Path.lstat

    def renamed(path: Path) -> os.stat_result:
        if path.suffix == ".new":
            path.unlink()
        return look(path)

    monkeypatch.setattr(Path, "lstat", renamed)
    assert Shelf(tmp_path).kept(ALARM) == before


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    """Without it a file swapped after it was listed would take a secret of the machine along."""
    built = small(tmp_path)
    elsewhere = tmp_path / "secret"
    elsewhere.write_text("secret", encoding="ascii")
    (built.folder / "01-gate.jpg").unlink()
    (built.folder / "01-gate.jpg").symlink_to(elsewhere)
    with pytest.raises(OSError, match="01-gate"), bundles.opened(built.folder, "01-gate.jpg"):
        pass
    (tmp_path / OTHER).symlink_to(built.folder)
    with pytest.raises(OSError, match=OTHER), bundles.opened(tmp_path / OTHER, "02-gate.jpg"):
        pass
