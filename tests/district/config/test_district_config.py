"""What may stand in the district's file, rule by rule; every mistake at once."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from gatehouse.config import ConfigError
from gatehouse_district.config import Config, Keep, config_path, read

EXAMPLE = Path(__file__).parents[3] / "config" / "district" / "district.toml"

LEAST = """\
[district]
name = "实验区"

[broker]
url = "mqtt://127.0.0.1:1883"
"""

WHOLE = """\
[district]
name = "实验区"
language = "zh_CN"
state_dir = "state"
runtime_dir = "run"

[broker]
url = "mqtts://broker.example:8883"
ca = "ca.pem"
cert = "receiver.pem"
key = "receiver.key"

[desk]
listen = "[::]:9443"
names = ["District.example", "192.0.2.1", "2001:DB8::1"]
cert = "desk.pem"
key = "desk.key"
help = ["值班室 0532-8000 0000", "IT: 123"]

[ca]
dir = "ca"

[keep]
pictures_mb = 500
"""


def written(folder: Path, text: str) -> Path:
    """Write a file and return it."""
    path = folder / "district.toml"
    path.write_text(text, encoding="utf-8")
    return path


def wrong(folder: Path, text: str) -> list[tuple[str, int | None, str]]:
    """Return every mistake of a text: key, line, what is said."""
    with pytest.raises(ConfigError) as refused:
        read(written(folder, text))
    return [(each.key, each.line, each.message) for each in refused.value.mistakes]


def test_the_least_that_will_do(tmp_path: Path) -> None:
    """Without it a first try would need more lines than it has to, or a desk open to all."""
    found = read(written(tmp_path, LEAST))
    assert found.desk.address == ip_address("127.0.0.1")
    assert (found.desk.port, found.desk.names, found.desk.cert) == (8443, (), None)
    assert found.district.database == Path("/var/lib/gatehouse-district/district.db")
    assert found.district.socket == Path("/run/gatehouse-district/district.sock")
    assert (found.broker.tls, found.broker.ca, found.authority, found.keep) == (
        False,
        None,
        None,
        Keep(),
    )


def test_all_of_it(tmp_path: Path) -> None:
    """Without it a key could be read and dropped, or a path count from the wrong folder."""
    found = read(written(tmp_path, WHOLE))
    assert found.district.state_dir == tmp_path / "state"
    assert (found.broker.host, found.broker.port, found.broker.tls) == (
        "broker.example",
        8883,
        True,
    )
    assert found.broker.key == tmp_path / "receiver.key"
    assert found.desk.address == ip_address("::")
    assert found.desk.names == ("district.example", "192.0.2.1", "2001:db8::1")
    assert found.desk.cert == tmp_path / "desk.pem"
    assert found.desk.help == ("值班室 0532-8000 0000", "IT: 123")
    assert found.authority is not None
    assert found.authority.dir == tmp_path / "ca"
    assert found.keep == Keep(pictures_mb=500)


def test_the_example_is_fine() -> None:
    """Without it the file that everybody copies would be refused."""
    assert isinstance(read(EXAMPLE), Config)


@pytest.mark.parametrize(
    ("old", "new", "key", "line"),
    [
        ('name = "实验区"', "", "district.name", 1),
        ('name = "实验区"', "name = 3", "district.name", 2),
        ('language = "zh_CN"', 'language = "fr"', "district.language", 3),
        ('language = "zh_CN"', 'langage = "en"', "district.langage", 3),
        ('url = "mqtts://broker.example:8883"', "", "broker.url", 7),
        ("mqtts://broker", "mqtt://broker", "broker.url", 8),
        ("mqtts://broker", "mqtts://user:secret@broker", "broker.url", 8),
        ('ca = "ca.pem"', "", "broker.ca", 7),
        ("[::]:9443", "[::]", "desk.listen", 14),
        ("[::]:9443", ":::9443", "desk.listen", 14),
        ("[::]:9443", "[127.0.0.1]:9443", "desk.listen", 14),
        ("[::]:9443", "district.example:9443", "desk.listen", 14),
        ("[::]:9443", "127.0.0.1:0", "desk.listen", 14),
        ("[::]:9443", "127.0.0.1:70000", "desk.listen", 14),
        ("192.0.2.1", "192.0.2.1:8443", "desk.names[2]", 15),
        ("192.0.2.1", "a b", "desk.names[2]", 15),
        ("192.0.2.1", "district.example", "desk.names[2]", 15),
        ('names = ["District.example", "192.0.2.1", "2001:DB8::1"]', "", "desk.names", 13),
        ('cert = "desk.pem"\n', "", "desk.cert", 13),
        ('key = "desk.key"\n', "", "desk.key", 13),
        ('cert = "desk.pem"\nkey = "desk.key"\n', "", "desk.cert", 13),
        ('dir = "ca"', "", "ca.dir", 20),
        ("pictures_mb = 500", "pictures_mb = 5", "keep.pictures_mb", 24),
        ("[keep]", "[keeep]", "keeep", 23),
        ('"IT: 123"', '""', "desk.help[2]", 18),
    ],
)
def test_what_is_refused(tmp_path: Path, old: str, new: str, key: str, line: int) -> None:
    """Without it a slip would be found by somebody who presses and gets no answer."""
    assert old in WHOLE
    ((found_key, found_line, said),) = wrong(tmp_path, WHOLE.replace(old, new))
    assert (found_key, found_line) == (key, line)
    assert "secret" not in said


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Without it each would cost another try."""
    found = wrong(tmp_path, '[district]\n[broker]\nurl = 1\n[desk]\nlisten = "x"\n[more]\n')
    assert [key for key, _, _ in found] == ["district.name", "broker.url", "desk.listen", "more"]


@pytest.mark.parametrize("text", ["", "[district", "[[district]]\n", "district = 1\n"])
def test_what_is_hardly_a_file(tmp_path: Path, text: str) -> None:
    """Without it a broken file would be a traceback."""
    assert wrong(tmp_path, text)


def test_which_file_counts(tmp_path: Path) -> None:
    """Without it a command would read another file than the service."""
    environ = {"GATEHOUSE_DISTRICT_CONFIG": str(tmp_path / "b.toml")}
    assert config_path(str(tmp_path / "a.toml"), environ) == tmp_path / "a.toml"
    assert config_path(None, environ) == tmp_path / "b.toml"
    assert config_path(None, {}) == Path("/etc/gatehouse/district.toml")
