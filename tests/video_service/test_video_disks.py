"""Disks and time zones: where recordings lie, what room there is, and whose clock named them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatehouse.video_service import disks
from gatehouse.video_service.zone import local_zone

SUMMER = datetime(2026, 7, 1)  # noqa: DTZ001  # a recorder's name has no zone


def test_folder_is_on_the_disk_that_holds_it(tmp_path: Path) -> None:
    """Cameras on one disk share its room; a folder that is not there yet will lie beside."""
    (tmp_path / "gate").mkdir()
    there = disks.disk_of(tmp_path / "gate")
    assert there == disks.disk_of(tmp_path / "yard" / "to come")
    assert there in [tmp_path, *tmp_path.parents]
    assert there.stat().st_dev == tmp_path.stat().st_dev
    assert there == there.parent or there.parent.stat().st_dev != there.stat().st_dev


def test_another_file_system_is_another_disk() -> None:
    """Two disks that were taken for one would be cleaned for each other's sake."""
    assert disks.disk_of(Path("/proc/self")) == Path("/proc")


def test_link_to_another_disk_is_followed(tmp_path: Path) -> None:
    """A recordings folder that is a link lies where it leads to."""
    (tmp_path / "link").symlink_to("/proc/self")
    assert disks.disk_of(tmp_path / "link") == Path("/proc")


def test_room_is_that_of_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held for root is neither free nor part of the disk: the service does not get it."""
    made = os.statvfs_result((4096, 1024, 1000, 300, 250, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: made)
    found = disks.room(tmp_path, 5.0)
    assert (found.total, found.free, found.wanted) == (950 * 1024, 250 * 1024, round(47.5 * 1024))


@pytest.mark.parametrize(
    ("environ", "hours"),
    [
        ({"TZ": "Asia/Shanghai"}, 8),
        ({"TZ": ":Europe/Berlin"}, 2),
        ({"TZ": "UTC"}, 0),
        ({"TZ": ""}, 0),
        ({"TZ": "No/Such"}, 0),
        ({"TZ": "../etc/passwd"}, 0),
        ({"TZ": "CST-8"}, 0),
        ({"TZ": "/no/such/file"}, 0),
        ({}, 0),
    ],
)
def test_zone_of_the_environment(tmp_path: Path, environ: dict[str, str], hours: int) -> None:
    """A zone taken wrongly moves all recordings of a video recorder by hours: a gap, each day."""
    zone = local_zone(environ, tmp_path / "localtime")
    assert zone.utcoffset(SUMMER) == timedelta(hours=hours)


def test_zone_of_the_machine(tmp_path: Path) -> None:
    """A service has no TZ: the machine's own file counts, also where it is no zone."""
    from zoneinfo import TZPATH  # noqa: PLC0415  # only here

    made = next((Path(path) / "Asia/Shanghai" for path in TZPATH if Path(path).is_dir()), None)
    localtime = tmp_path / "localtime"
    localtime.write_text("no zone")
    assert local_zone({}, localtime) is UTC
    if made is None or not made.exists():
        pytest.skip("the machine has no zone files: they come from a package")
    localtime.unlink()
    localtime.symlink_to(made)
    assert local_zone({}, localtime).utcoffset(SUMMER) == timedelta(hours=8)
