"""The key that systemd hands over, so that the file may be root's alone."""

from pathlib import Path

import pytest

from gatehouse import config
from gatehouse.config import Config, read_for_alarm

EXAMPLE = (Path(__file__).parents[2] / "config" / "gateway.toml").read_text(encoding="utf-8")
KEY = "-----BEGIN PRIVATE KEY-----\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write the example, whose key is ``gateway.key`` beside it."""
    path = tmp_path / "etc" / "gatehouse.toml"
    path.parent.mkdir()
    path.write_text(EXAMPLE.replace("/var/lib/gatehouse", str(tmp_path / "state")))
    return path


def handed(tmp_path: Path, content: str, name: str = "gateway.key") -> dict[str, str]:
    """Hand a file over as systemd does."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / name).write_text(content)
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def key(conf: Config) -> Path | None:
    """Return the key that the uplink would use."""
    return conf.district.key


def test_a_key_handed_over_is_used(tmp_path: Path, file: Path) -> None:
    """Without it the sandboxed service could not read a key that only root may read."""
    environ = handed(tmp_path, KEY)
    loaded = read_for_alarm(file, environ)
    assert key(loaded.config) == tmp_path / "credentials" / "gateway.key"
    assert loaded.config.text == file.read_text()  # what is kept as the last good copy


def test_a_key_handed_over_is_used_with_the_last_good_copy(tmp_path: Path, file: Path) -> None:
    """Without it a typo would, at the next start, leave the gateway without its key."""
    config.keep_last_good(config.read(file))
    file.write_text(file.read_text().replace("[gateway]", "[gateway"))
    loaded = read_for_alarm(file, handed(tmp_path, KEY))
    assert loaded.from_last_good
    assert key(loaded.config) == tmp_path / "credentials" / "gateway.key"


@pytest.mark.parametrize(
    ("content", "name"),
    [("missing", "gateway.key"), ("", "gateway.key"), (KEY, "another.key")],
    ids=["the unit's stand-in", "an empty file", "another file"],
)
def test_what_is_not_the_key_is_not_used(
    tmp_path: Path, file: Path, content: str, name: str
) -> None:
    """Without it the unit's stand-in for a missing key would hide the key that was named."""
    environ = handed(tmp_path, content, name)
    assert key(read_for_alarm(file, environ).config) == file.parent / "gateway.key"


@pytest.mark.parametrize("folder", ["", "/nonexistent", "/\0"])
def test_without_systemd_the_file_named_is_used(file: Path, folder: str) -> None:
    """Without it the service could not be run by hand."""
    environ = {"CREDENTIALS_DIRECTORY": folder} if folder else {}
    assert key(read_for_alarm(file, environ).config) == file.parent / "gateway.key"


def test_a_gateway_without_tls_needs_no_key(tmp_path: Path, file: Path) -> None:
    """Without it a simulated school on plain loopback would fail under systemd."""
    text = file.read_text().replace(
        '"mqtts://a.example:8883", "mqtts://b.example:8883"', '"mqtt://127.0.0.1:1883"'
    )
    file.write_text(text)
    assert key(read_for_alarm(file, handed(tmp_path, KEY)).config) is None
