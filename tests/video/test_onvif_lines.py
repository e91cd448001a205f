"""The configuration that is written for a camera that was found."""

from pathlib import Path

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.config.addresses import source
from gatehouse.video.camera_lines import config_lines
from gatehouse.video.discovery import Device
from gatehouse.video.soap import fit

HIK = Device("urn:1", "192.0.2.7", None, "HIKVISION DS-2CD2042", "DS-2CD2042", "校门")


def read_back(lines: tuple[str, ...]) -> dict[str, object]:
    """Read the lines as the configuration is read."""
    (camera,) = tomli.loads("\n".join(lines))["camera"]
    assert isinstance(camera, dict)
    return camera


def test_lines_with_the_address_that_the_camera_told() -> None:
    """What is printed must be taken by the configuration as it is."""
    url = "rtsp://192.0.2.7/main?channel=1"
    camera = read_back(config_lines(HIK, set(), url))
    assert camera == {
        "name": "hikvision-ds-2cd2042",
        "covers": ["校门"],
        "area": "general",
        "source": url,
        "credential": "hikvision-ds-2cd2042.cred",
        "recordings": "/srv/recordings/hikvision-ds-2cd2042",
    }


@pytest.mark.parametrize(
    ("name", "hardware", "guess"),
    [
        ("HIKVISION%", "", "rtsp://192.0.2.7/Streaming/Channels/101"),
        ("IPC", "DS-2CD1021", "rtsp://192.0.2.7/Streaming/Channels/101"),
        ("Dahua", "IPC-HFW1230", "rtsp://192.0.2.7/cam/realmonitor?channel=1&subtype=0"),
        ("UNIVIEW", "IPC3614", "rtsp://192.0.2.7/media/video1"),
        ("AXIS M3045", "", "rtsp://192.0.2.7/axis-media/media.amp"),
        ("Somebody", "", "rtsp://192.0.2.7/..."),
    ],
)
def test_a_guess_is_a_comment(name: str, hardware: str, guess: str) -> None:
    """A guess that is taken for the truth would be a camera that is never seen."""
    lines = config_lines(Device("urn:1", "192.0.2.7", None, name, hardware), set())
    assert "source" not in read_back(lines)
    (line,) = [each for each in lines if "source" in each]
    assert line.startswith(f'# source = "{guess}"')
    assert source(guess) == guess


@pytest.mark.parametrize(
    "told",
    ["rtsp://192.0.2.7/user=admin_password=tl_channel=1", "http://192.0.2.7/", "rtsp://\n/", ""],
)
def test_an_address_that_the_configuration_refuses_is_not_printed(told: str) -> None:
    """Some cameras tell their password in it."""
    lines = config_lines(HIK, set(), told)
    assert "source" not in read_back(lines)
    assert not any("tl_channel" in line for line in lines)


def test_names_are_free() -> None:
    """Twenty cameras of one make have one name."""
    taken: set[str] = set()
    for _ in range(3):
        taken.add(str(read_back(config_lines(HIK, taken))["name"]))
    assert taken == {"hikvision-ds-2cd2042", "hikvision-ds-2cd2042-2", "hikvision-ds-2cd2042-3"}


@given(st.text(), st.text(), st.text(), st.sets(st.sampled_from(["camera", "camera-2", "a"])))
def test_no_word_of_a_camera_gets_out_of_its_place(
    name: str, hardware: str, location: str, taken: set[str]
) -> None:
    """A device whose name is a line of TOML must not write its own broker into a configuration."""
    told = [fit(each, 80) for each in (name, hardware, location)]
    camera = read_back(config_lines(Device("e", "192.0.2.7", 80, told[0], told[1], told[2]), taken))
    assert set(camera) == {"name", "covers", "area", "credential", "recordings"}
    assert camera["name"] not in taken
    assert 1 <= len(str(camera["name"])) <= 32
    assert camera["covers"] == ([told[2]] if told[2] else [])
    assert Path(str(camera["recordings"])).parent == Path("/srv/recordings")
