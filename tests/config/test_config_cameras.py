"""What may stand in the configuration of cameras, of what they keep, and of evidence."""

from pathlib import Path

import pytest

from config.written import CAMERA, LEAST, mistakes, read, the_mistake
from gatehouse.config import ConfigError


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('name = "gate"', "", "camera[1].name", "is missing"),
        ('area = "critical"', "", 'camera "gate".area', "is missing"),
        ("area", 'recordings = "here"\narea', 'camera "gate".recordings', "absolute"),
        ("area", "record = false\narea", 'camera "gate".recordings', "is missing"),
        ("area", 'covers = ["a", "a"]\narea', 'camera "gate".covers[2]', "twice"),
        ("area", 'credential = "admin:1"\narea', 'camera "gate".credential', "name a file"),
        ("area", "min_lines = 99\narea", 'camera "gate".min_lines', "between 100 and 10000"),
        ("area", "onvif_port = 0\narea", 'camera "gate".onvif_port', "between 1 and 65535"),
        ("rtsp://10.0.0.2/live", "http://10.0.0.2/", 'camera "gate".source', "must be rtsp"),
        ("rtsp://10.0.0.2/live", "picamera2:x", 'camera "gate".source', "must be rtsp"),
        ("rtsp://10.0.0.2/live", "rtsp:///live", 'camera "gate".source', "must be rtsp"),
        ("rtsp://10.0.0.2/live", "rtsp://10.0.0.300/", 'camera "gate".source', "neither a name"),
        ("rtsp://10.0.0.2/live", "rtsp://a:70000/", 'camera "gate".source', "port"),
    ],
)
def test_one_mistake_in_a_camera(
    tmp_path: Path, old: str, new: str, key: str, message: str
) -> None:
    """Camera rules are kept, and count as mistakes in a camera."""
    assert CAMERA.count(old) == 1
    mistake = the_mistake(tmp_path, LEAST + CAMERA.replace(old, new))
    assert (mistake.key, mistake.section) == (key, "camera")
    assert message in mistake.message


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:Geheim1@10.0.0.2/live",
        "rtsp://Geheim1@10.0.0.2/live",
        "rtsp://admin:12/Geheim1@10.0.0.2/live",
        "rtsp://admin:Ge/heim1@10.0.0.2/live",
        "rtsp://10.0.0.2/live?user=admin&password=Geheim1",
        "rtsp://10.0.0.2/user=admin_Password=Geheim1_channel=1",
        "http://admin:Geheim1@10.0.0.2/live",
    ],
)
def test_a_password_in_source_is_refused_and_not_repeated(tmp_path: Path, source: str) -> None:
    """A password in a source would be shown by status and logs; the refusal must not show it."""
    mistake = the_mistake(tmp_path, LEAST + CAMERA.replace("rtsp://10.0.0.2/live", source))
    assert mistake.key == 'camera "gate".source'
    assert "eim1" not in str(mistake)


@pytest.mark.parametrize(
    "source", ["rtsp://cam.lan/", "rtsp://[fe80::1]:554/a?channel=1&subtype=0", "picamera2:1"]
)
def test_good_sources(tmp_path: Path, source: str) -> None:
    """The addresses of real cameras are accepted."""
    found = read(tmp_path, LEAST + CAMERA.replace("rtsp://10.0.0.2/live", source))
    assert found.cameras[0].source == source


def test_cameras_do_not_share(tmp_path: Path) -> None:
    """Two cameras in one folder would prove each other's retention; a CSI camera opens once."""
    one = LEAST + CAMERA.replace("rtsp://10.0.0.2/live", "picamera2:0") + 'recordings = "/r"\n'
    two = CAMERA.replace('"gate"', '"yard"').replace("rtsp://10.0.0.2/live", "picamera2:0")
    found = mistakes(tmp_path, one + two + 'recordings = "/r"\n')
    assert [mistake.key for mistake in found] == [
        'camera "yard".source',
        'camera "yard".recordings',
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("general_days = 29", "at least 30 days"),
        ("critical_days = 60", "at least 90 days"),
        ("critical_days = 4000", "between 90 and 3660"),
        ("min_free_percent = 51", "between 0 and 50"),
        ("gap_seconds = -1", "between 1 and"),
        ('on_full = "newest"', 'one of "oldest", "stop"'),
    ],
)
def test_retention_stays_above_the_duty(tmp_path: Path, line: str, message: str) -> None:
    """A school that sets fewer days than the rule asks for would delete what it must keep."""
    mistake = the_mistake(tmp_path, LEAST + "[retention]\n" + line)
    assert message in mistake.message
    assert mistake.section == "retention"


def test_months_may_be_meant(tmp_path: Path) -> None:
    """31 and 92 days are what the rule means where it speaks of months."""
    found = read(tmp_path, LEAST + "[retention]\ngeneral_days = 31\ncritical_days = 92\n")
    assert (found.retention.general_days, found.retention.critical_days) == (31, 92)


@pytest.mark.parametrize(("first", "second"), [("/srv/a", "/srv/a/b"), ("/srv/a/b", "/srv/a")])
def test_recordings_within_another_cameras_are_refused(
    tmp_path: Path, first: str, second: str
) -> None:
    """The clean-up of a general camera could else delete a critical one's recordings."""
    camera = '\n[[camera]]\nname = "{}"\narea = "general"\nsource = "picamera2:{}"\n'
    lines = [camera.format(n, n) + f'recordings = "{at}"\n' for n, at in enumerate((first, second))]
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, LEAST + "".join(lines))
    (mistake,) = wrong.value.mistakes
    assert mistake.key == 'camera "1".recordings'
    assert "within" in mistake.message


@pytest.mark.parametrize("line", ["max_mb = 99", "max_mb = 1000001", 'max_mb = "4 GB"', "mb = 5"])
def test_room_for_evidence(tmp_path: Path, line: str) -> None:
    """A limit under one alarm's evidence, or a misspelt one, must be told, and stop no alarm."""
    mistake = the_mistake(tmp_path, LEAST + "[evidence]\n" + line)
    assert mistake.section == "evidence"
    assert not mistake.stops_alarm
