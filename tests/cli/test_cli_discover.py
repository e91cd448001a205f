"""``gatehouse cameras discover``: from an empty network socket to lines of configuration.

The probe goes to a loopback address: nothing leaves this machine.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import tomli

from cli.typed import Gatehouse, Said, child, ended, typed
from gatehouse_sim.onvif_device import OnvifDevice
from gatehouse_sim.onvif_words import match

Caps = pytest.CaptureFixture[str]
LISTEN_S = "1"
"""Long enough for an answer over loopback, also on a busy machine; it is waited out in full."""
SECRET = "admin:p'ass/w:ö"  # noqa: S105  # of a camera that never was

CAMERA = """
[[camera]]
name = "hikvision-ds-2cd2042"
area = "general"
source = "rtsp://127.0.0.9/stream"
[[camera]]
name = "known"
area = "general"
source = "rtsp://{host}/stream"
[[camera]]
name = "beside"
area = "general"
source = "rtsp://{host}/other"
"""


async def discover(capsys: Caps, device: OnvifDevice, *words: str) -> Said:
    """Type the command in a thread, while the device answers in this loop."""
    host, port = device.probe_address
    given = ("cameras", "discover", "--seconds", LISTEN_S, "--address", f"{host}:{port}")
    return await asyncio.to_thread(typed, capsys, *words[:2], *given, *words[2:])


def two_at(device: OnvifDevice) -> Any:
    """Have a device that answers for two, each with its service where it really is."""

    def replies(asked: str) -> list[bytes]:
        where = f"http://127.0.0.1:{device.port}/onvif/device_service"
        return [match(asked, endpoint=f"urn:uuid:{n}", xaddrs=where) for n in (1, 2)]

    return replies


async def test_what_is_printed_can_be_appended_to_a_configuration(
    place: Gatehouse, capsys: Caps
) -> None:
    """Without it a technician would type addresses off a sticker, twenty times."""
    secret = place.root / "cameras.cred"
    secret.write_text(SECRET + "\n", encoding="utf-8")
    with place.config.open("a", encoding="utf-8") as config:
        config.write(CAMERA.format(host="127.0.0.8"))
    async with OnvifDevice(credential=SECRET) as device:
        device.replies = two_at(device)
        where = ("--config", str(place.config))
        said = await discover(capsys, device, *where, "--credential", str(secret))
        port = device.port
    assert said.code == 0
    assert said.err == "2 cameras answered, 2 of them new\n"
    assert "ass/w" not in said.out
    first, second = tomli.loads(said.out)["camera"]
    assert (first["name"], second["name"]) == ("hikvision-ds-2cd2042-2", "hikvision-ds-2cd2042-3")
    assert first["source"] == "rtsp://127.0.0.1/main?transportmode=u"
    assert (first["covers"], first["onvif_port"]) == (["校门"], port)
    with place.config.open("a", encoding="utf-8") as config:
        config.write("\n" + said.out)
    assert typed(capsys, "config", "check", str(place.config)).code == 0


async def test_what_is_configured_already_is_told_and_not_asked(
    place: Gatehouse, capsys: Caps
) -> None:
    """Without it the second run would double every camera, and show its password around."""
    secret = place.root / "cameras.cred"
    secret.write_text(SECRET, encoding="utf-8")
    with place.config.open("a", encoding="utf-8") as config:
        config.write(CAMERA.format(host="127.0.0.1"))
    where = ("--config", str(place.config))
    async with OnvifDevice(credential=SECRET) as device:
        said = await discover(capsys, device, *where, "--credential", str(secret))
        assert device.asked.total() == 0
        document = (await discover(capsys, device, *where, "--json")).json
    assert said.code == 0
    assert said.out == "# 127.0.0.1 HIKVISION DS-2CD2042: configured already, as known\n\n"
    (row,) = document["devices"]
    assert (row["configured"], row["lines"], row["streams"]) == ("known", [], [])
    assert document["passed_over"] == 0


@pytest.mark.parametrize("broken", [None, "[gateway\n"])
async def test_no_configuration_is_needed(
    place: Gatehouse, capsys: Caps, broken: str | None
) -> None:
    """Without it the cameras could be found only after they were configured."""
    where = place.root / "new.toml"
    if broken is not None:
        where.write_text(broken, encoding="utf-8")
    secret = place.root / "cameras.cred"
    secret.write_text("admin:wrong", encoding="utf-8")
    async with OnvifDevice(credential=SECRET) as device:
        device.replies = two_at(device)
        more = ("--credential", str(secret))
        said = await discover(capsys, device, "--config", str(where), *more)
    assert said.code == 0
    assert "counts as new" in said.err
    (camera, _) = tomli.loads(said.out)["camera"]
    assert "source" not in camera
    guesses = [line for line in said.out.splitlines() if line.startswith("# source")]
    assert guesses == ['# source = "rtsp://127.0.0.1/Streaming/Channels/101"  # hikvision?'] * 2
    assert said.out.count("wants another user or password\n") == 2


async def test_nobody_there_says_what_to_look_at(place: Gatehouse, capsys: Caps) -> None:
    """Without it an empty answer would look like a command that does not work."""
    where = ("--config", str(place.config))
    async with OnvifDevice(manners="silent") as device:
        said = await discover(capsys, device, *where)
    assert (said.code, said.out) == (0, "")
    assert "ONVIF switched on" in said.err


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--seconds", "soon", "between 0 and 60"),
        ("--seconds", "0", "between 0 and 60"),
        ("--seconds", "nan", "between 0 and 60"),
        ("--seconds", "61", "between 0 and 60"),
        ("--credential", "{root}/none.cred", "No such file"),
        ("--credential", "{root}", "directory"),
        ("--credential", "{root}/empty.cred", "holds no user:password"),
        ("--credential", "{root}/bytes.cred", "holds no user:password"),
        ("--address", ":80", "--address"),
        ("--address", "127.0.0.1:http", "--address"),
    ],
)
def test_wrong_usage_is_two(
    place: Gatehouse, capsys: Caps, option: str, value: str, why: str
) -> None:
    """Without it a mistyped file would show as a network without cameras."""
    (place.root / "empty.cred").write_text("nobody-secret\n", encoding="utf-8")
    (place.root / "bytes.cred").write_bytes(b"\xff:\xfe")
    said = typed(capsys, "cameras", "discover", option, value.format(root=place.root))
    assert (said.code, said.out) == (2, "")
    assert why in said.err
    assert "nobody-secret" not in said.err


@pytest.mark.parametrize("words", [("cameras", "discover", "--seconds", "1"), ("run", "video")])
def test_without_its_extra_the_libraries_to_install_are_named(
    place: Gatehouse, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Without it a gateway without cameras would end in a traceback about numpy."""
    hidden = "".join(f"sys.modules[{name!r}] = None\n" for name in ("numpy", "av", "httpx"))
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{hidden}", encoding="utf-8")
    where = ("--config", str(place.config))
    said = ended(child("gatehouse", *where, *words, PYTHONPATH=str(tmp_path)))
    assert (said.code, said.out) == (2, "")
    assert "pip install 'gatehouse-agent[video]'" in said.err
    assert "Traceback" not in said.err
