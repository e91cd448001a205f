"""Passes over real trees: what is found, what is told, and what is not known."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gatehouse.control.reports import GATEWAY
from gatehouse.errors import RecordingsError
from gatehouse.video.index import Index
from gatehouse.video.retention import Disk
from gatehouse.video_service import recordings_passes
from video_service.recordings_rig import HOUR, MINUTE, NOW, SIZE, Box, standing, unknown


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Make a box without cameras."""
    return Box(tmp_path)


def test_a_camera_that_holds_its_duty(box: Box) -> None:
    """The plain good case: nothing stands, nothing is unknown, and the figures are there."""
    box.add(days=3)
    passed = box.once()
    for subject in ("camera/gate", GATEWAY):
        assert standing(passed.rows(), subject) == {}
        assert unknown(passed.rows(), subject) == set()
    document = passed.document()
    assert document["cameras"][0]["verdict"] == "ok"
    assert document["disks"][0]["free_percent"] == pytest.approx(100, abs=0.1)
    assert document["scanning"] is None
    assert passed.summary() == {"ok": 1, "short": 0, "forecast": 0, "unknown": 0}


def test_shortfall_with_its_figures(box: Box) -> None:
    """A camera that holds one day of two must be told, with what is proven."""
    box.add(days=3)
    for path in sorted(box.files())[40:45]:
        (box.root("gate") / path).unlink()
    data = standing(box.once().rows())["shortfall"]
    assert data["required_days"] == 2
    assert data["proven_days"] == pytest.approx((72 - 45) / 24, abs=0.01)


def test_young_camera_lacks_nothing(box: Box) -> None:
    """A camera of yesterday is neither short nor a riddle: else a fault would stand for 30 days."""
    box.add(days=1)
    rows = box.once().rows()
    assert standing(rows) == {}
    assert unknown(rows) == set()


def test_forecast_stands_until_it_is_surely_over(box: Box) -> None:
    """A disk that will be short is told in time, and a noisy rate does not repeat it."""
    box.add(days=1)
    box.retention = replace(box.retention, general_days=90)
    box.total = 60 * 24 * SIZE
    found = standing(box.once().rows())
    assert found["forecast"]["days_until_short"] == pytest.approx(55.9, abs=0.5)
    box.total = 95 * 24 * SIZE
    assert "forecast" not in standing(box.once().rows())
    assert "forecast" in standing(box.once(forecasts=["gate"]).rows())


def test_gap_is_told_until_it_is_received(box: Box) -> None:
    """A gap is told with its times, again after a start, and never again once it is received."""
    box.add(days=1)
    assert box.once().told == ()
    box.clock.go(3 * 3600)
    box.put(NOW + 2 * HOUR)
    (told,) = box.once().told
    assert told.subject == "camera/gate"
    assert told.data == {
        "from": "2026-11-25T12:00:00Z",
        "to": "2026-11-25T14:00:00Z",
        "seconds": 7200.0,
    }
    box.begin()
    assert box.once().told == (told,)
    assert box.once(received=[told.key, "evidence/x", "gap/other/1-2", "gap/gate/x-y"]).told == ()
    box.begin()
    assert box.once().told == ()


def test_restart_does_not_take_what_it_has_not_read_for_a_gap(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After hours of being down the index is old: until the disk was read, nothing is short."""
    box.add(days=3)
    box.add("yard", days=3)
    box.once()
    box.clock.go(3 * 3600)
    for hour in range(3):
        box.put(NOW + hour * HOUR)
        box.put(NOW + hour * HOUR, name="yard")
    box.begin()
    monkeypatch.setattr(recordings_passes, "_SLICE_S", 0.0)
    passed = box.once()
    assert passed.scanning is not None
    assert passed.document()["scanning"]["camera"] == "gate"
    assert passed.told == ()
    for name in ("gate", "yard"):
        assert unknown(passed.rows(), f"camera/{name}") == {"shortfall", "forecast"}
    assert unknown(passed.rows(), GATEWAY) == {
        "shortfall", "clean-up-refused", "recordings-unreadable",
    }  # fmt: skip
    for _ in range(100):
        if (passed := box.once()).scanning is None:
            break
    assert passed.summary()["ok"] == 2
    assert passed.told == ()


def test_other_recorder_that_stopped(box: Box) -> None:
    """Nobody else notices that the video recorder of the school stands still."""
    box.add(days=3, record=False)
    assert standing(box.once().rows()) == {}
    box.clock.go(3600 + 290)
    assert standing(box.once().rows()) == {}, "its recordings show when they are done"
    box.clock.go(20)
    found = standing(box.once().rows())["not-recording"]
    assert found == {"text": "nothing new since 2026-11-25T12:00:00Z"}
    box.put(NOW + HOUR)
    assert "not-recording" not in standing(box.once().rows())


def test_folder_of_another_recorder_that_stays_empty(box: Box) -> None:
    """A recorder that writes elsewhere would else never be found out."""
    box.add(record=False)
    assert standing(box.once().rows()) == {}
    box.clock.go(301)
    assert standing(box.once().rows())["not-recording"] == {"text": "its folder has no recording"}


def test_folder_that_our_recorder_is_about_to_make(box: Box) -> None:
    """A new camera must not begin with a fault; a disk that is not there is one after a minute."""
    box.add(days=3)
    box.add("new")
    box.root("new").rmdir()
    rows = box.once().rows()
    assert standing(rows, GATEWAY) == {}
    assert "recordings-unreadable" in unknown(rows, GATEWAY)
    box.clock.go(61)
    assert standing(box.once().rows(), GATEWAY)["recordings-unreadable"]["cameras"] == ["new"]
    box.root("new").mkdir()
    rows = box.once().rows()
    assert standing(rows, GATEWAY) == {}
    assert unknown(rows, GATEWAY) == set()


@pytest.mark.parametrize("how", ["gone", "stale"])
def test_folder_that_cannot_be_read(box: Box, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A disk that is away is a fault of its own, not a shortfall; the others are followed on."""
    box.add(days=3, record=False)
    box.add("yard", days=3)
    box.once()
    if how == "gone":
        box.root("gate").rename(box.folder / "away")
    else:
        real = Path.stat

        def stat(path: Path, **named: Any) -> os.stat_result:
            if "gate" in path.parts:
                raise OSError(116, "Stale file handle")
            return real(path, **named)

        monkeypatch.setattr(Path, "stat", stat)
    passed = box.once()
    found = standing(passed.rows(), GATEWAY)["recordings-unreadable"]
    assert found["cameras"] == ["gate"]
    assert str(box.root("gate")) in found["text"]
    assert unknown(passed.rows()) == {"shortfall", "forecast", "not-recording"}
    assert unknown(passed.rows(), "camera/yard") == set()
    assert passed.document()["cameras"][1]["verdict"] == "ok"


def test_damaged_index_is_made_anew(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    """A card that lost power must not end the proof: the disk tells all of it again."""
    box.add(days=3)
    box.once()
    box.index()._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = box.folder / "state" / "video" / "recordings.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    box.passes.close()
    passed = box.once()
    assert "made anew" in caplog.text
    assert passed.summary()["ok"] == 1
    assert box.indexed() == box.files()


def test_index_that_fails_is_tried_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full state_dir ends nothing for good."""
    box.add(days=3)

    def fail(*_args: object) -> None:
        raise RecordingsError("cannot write to recordings.db: database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Index, "add", fail)
        for _ in range(2):
            with pytest.raises(RecordingsError, match="is full"):
                box.once()
    assert box.once().summary()["ok"] == 1


def test_cameras_come_and_go(box: Box) -> None:
    """A reload follows what is there now; a camera that is back is not told as new."""
    box.add(days=3)
    yard = box.add("yard", days=3)
    box.once()
    box.cameras.remove(yard)
    assert [row.subject for row in box.once().rows()] == ["camera/gate", GATEWAY]
    box.cameras.append(replace(yard, area="critical"))
    passed = box.once()
    assert passed.document()["cameras"][1]["required_days"] == 3
    assert passed.summary()["ok"] == 2
    box.cameras[0] = replace(box.cameras[0], recordings=box.root("elsewhere"))
    box.root("elsewhere").mkdir()
    assert box.once().document()["cameras"][0]["segments"] == 0


def test_without_recordings_there_is_no_index(box: Box) -> None:
    """A school without recordings must not have a fault of an index that it does not need."""
    passed = box.once()
    assert unknown(passed.rows(), GATEWAY) == set()
    assert not (box.folder / "state").exists()


def test_minutes_are_minutes(box: Box) -> None:
    """A hole of five minutes is none that is told, one of six is."""
    box.add(days=1)
    box.once()
    box.put(NOW + 5 * MINUTE, MINUTE)
    box.put(NOW + 12 * MINUTE, MINUTE)
    box.clock.go(13 * 60)
    (told,) = box.once().told
    assert told.data["seconds"] == 360


def test_room_is_asked_of_each_disk_once_it_answers(box: Box) -> None:
    """A disk whose room cannot be asked is not cleaned, and not taken for well."""
    box.add(days=3)

    def room(_folder: Path, _percent: float) -> Disk:
        raise OSError(5, "Input/output error")

    box.passes._room = room
    rows = box.once().rows()
    assert "recordings-unreadable" in standing(rows, GATEWAY)
    assert unknown(rows, GATEWAY) == {"shortfall", "clean-up-refused"}
