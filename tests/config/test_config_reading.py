"""Reading files as they are found: broken, foreign, half right, and the last good copy."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gatehouse import config
from gatehouse.config import ConfigError, KeepError, Retention, keep_last_good, read_for_alarm

T = TypeVar("T")

EXAMPLE = (Path(__file__).parents[2] / "config" / "gateway.toml").read_text(encoding="utf-8")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Write the example with its state in a folder of this test."""
    path = tmp_path / "etc" / "gatehouse.toml"
    path.parent.mkdir()
    path.write_text(EXAMPLE.replace("/var/lib/gatehouse", str(tmp_path / "state")))
    return path


def change(path: Path, old: str, new: str) -> None:
    """Make a typo."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"[gateway]\nid = \n", 2, "is not TOML"),
        (b"[gateway]\nid = 'x'\nid = 'y'\n", 3, "is not TOML"),
        (b"[gateway]\nid = '\0'\n", 2, "NUL"),
        (b"\xef\xbb\xbf[gateway]\n", 1, "byte order mark"),
        (b"[gateway]\n\nschool = '\xc4\xe3'\n", 3, "UTF-8"),
        (b"\xff\xfe[\0g\0", 1, "NUL"),
        (b"x = " + b"[" * 100_000, None, "is not TOML"),
        (b"a." * 5000 + b"a = 1", None, "is not TOML"),
        (b"x = " + b"9" * 5000, None, "is not TOML"),
        (b"# comment\n" * 200_000, None, "larger than"),
        (b"", None, "gateway.id"),
    ],
)
def test_what_is_no_configuration_is_told_clearly(
    tmp_path: Path, content: bytes, line: int | None, message: str
) -> None:
    """Whatever an editor leaves behind, the technician reads a sentence, not a traceback."""
    path = tmp_path / "gatehouse.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert message in str(caught.value)
    assert caught.value.mistakes[0].line == line
    assert all(told.startswith(str(path)) for told in str(caught.value).splitlines())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are mistakes like others, with the system's reason."""
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(ConfigError) as caught:
            config.read(path)
        assert "cannot be read" in str(caught.value)


def test_windows_line_ends_are_accepted(good: Path) -> None:
    """A file edited on Windows works."""
    text = good.read_text(encoding="utf-8")
    before = config.read(good)
    good.write_bytes(text.replace("\n", "\r\n").encode())
    assert config.read(good) == before


def test_toml_11_is_read(good: Path) -> None:
    """TOML 1.1 allows an inline table over several lines; the contract promises 1.1."""
    change(good, "lamps = { red = 22 }", "lamps = {\n  red = 22,\n  green = 5,\n}")
    assert config.read(good).buttons[0].lamps.green == 5


def test_a_relative_path_survives_a_change_of_folder(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing lgpio changes the working directory: paths must be settled before."""
    monkeypatch.chdir(good.parent)
    found = config.read(Path(good.name))
    assert found.path == good
    assert found.district.key == good.parent / "gateway.key"


def test_mistakes_elsewhere_do_not_stop_the_alarm(good: Path) -> None:
    """A typo in a camera or in retention costs that camera or key, never the alarm."""
    change(good, 'source = "picamera2:0"', 'source = "picamera"')
    change(good, "general_days = 30", "general_days = 3")
    change(good, "gap_seconds = 300", "gap_seconds = 400")
    change(good, 'cameras = ["gate"]', 'cameras = ["gate", "gone"]')
    good.write_text(good.read_text() + "[[weather]]\nwind = 3\n")
    loaded = read_for_alarm(good, {})
    assert not loaded.from_last_good
    assert [camera.name for camera in loaded.config.cameras] == ["yard"]
    assert loaded.config.retention == Retention(gap_seconds=400)
    assert {mistake.section for mistake in loaded.mistakes} == {"camera", "retention", "weather"}
    assert len(loaded.mistakes) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pin = 17", "pin = 27"),
        ("silent = true", "silnt = true"),
        ("tamper = 12", "tamper = -1"),
        ("mqtts://a", "mqtt://a"),
        ('id = "qd', 'id = "QD'),
        ("[gateway]", "[gateway"),
        ("[[button]]", "[[buton]]"),
        ("[enclosure]", "[enclosures]"),
    ],
)
def test_a_mistake_inside_starts_on_the_last_good_copy(good: Path, old: str, new: str) -> None:
    """A gateway that was running comes up again as it was, whatever was typed since."""
    before = config.read(good)
    keep_last_good(before)
    change(good, old, new)
    loaded = read_for_alarm(good, {})
    assert loaded.from_last_good
    assert loaded.config == before
    assert loaded.config.district.ca == good.parent / "ca.pem"
    assert loaded.mistakes
    assert not keep_last_good(loaded.config)


def test_a_wrecked_file_is_found_by_its_state_dir_or_systemd_s(good: Path, tmp_path: Path) -> None:
    """Where the copy lies is still known when the file is not TOML, not text, or gone."""
    before = config.read(good)
    keep_last_good(before)
    good.write_text(f"[gateway]\nstate_dir = '{tmp_path / 'state'}'\n]]]")
    assert read_for_alarm(good, {"STATE_DIRECTORY": "/nowhere"}).config == before
    environ = {"STATE_DIRECTORY": f"{tmp_path / 'state'}:/other"}
    good.write_bytes(b"\xff\0")
    assert read_for_alarm(good, environ).config == before
    good.unlink()
    loaded = read_for_alarm(good, environ)
    assert loaded.config == before
    assert "cannot be read" in loaded.mistakes[0].message


def test_without_a_copy_everything_is_told(good: Path, tmp_path: Path) -> None:
    """The very first start on a broken file must say what is wrong and where it looked."""
    change(good, "pin = 17", "pin = 99")
    with pytest.raises(ConfigError) as caught:
        read_for_alarm(good, {})
    assert 'button "gate".pin' in str(caught.value)
    assert str(tmp_path / "state" / "config" / "last-good.toml") in str(caught.value)


def test_a_spoilt_copy_is_not_used(good: Path, tmp_path: Path) -> None:
    """A copy that a dying card has garbled is no configuration."""
    keep_last_good(config.read(good))
    (tmp_path / "state" / "config" / "last-good.toml").write_bytes(b"\0" * 4096)
    change(good, "pin = 17", "pin = 99")
    with pytest.raises(ConfigError):
        read_for_alarm(good, {})


def test_the_copy_is_written_only_when_it_changed(good: Path, tmp_path: Path) -> None:
    """A card wears out by writing; and `config.changed` is told only for a change.

    At the very first start nothing was there that could have changed.
    """
    copy = tmp_path / "state" / "config" / "last-good.toml"
    assert not keep_last_good(config.read(good))
    written = copy.stat().st_ino
    assert not keep_last_good(config.read(good))
    assert copy.stat().st_ino == written
    change(good, "heartbeat_s = 20", "heartbeat_s = 30")
    assert keep_last_good(config.read(good))
    assert copy.read_bytes() == good.read_bytes()
    assert [entry.name for entry in copy.parent.iterdir()] == ["last-good.toml"]
    assert copy.stat().st_mode & 0o777 == 0o640


def test_a_leftover_of_a_power_cut_is_no_obstacle(good: Path, tmp_path: Path) -> None:
    """A half-written new copy is neither used nor in the way."""
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "last-good.toml.new").write_text("half")
    keep_last_good(config.read(good))
    assert (folder / "last-good.toml").read_bytes() == good.read_bytes()
    assert [entry.name for entry in folder.iterdir()] == ["last-good.toml"]


def test_a_copy_that_cannot_be_written_is_an_error_of_ours(good: Path, tmp_path: Path) -> None:
    """The service tells it as a fault and goes on; it must not meet a bare OSError."""
    found = config.read(good)
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(KeepError, match="cannot keep a copy"):
        keep_last_good(found)


def test_a_failed_write_leaves_the_old_copy(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the old copy still stands and nothing half-written stays behind."""
    before = config.read(good)
    keep_last_good(before)
    change(good, "heartbeat_s = 20", "heartbeat_s = 30")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeepError, match="No space left"):
        keep_last_good(config.read(good))
    monkeypatch.undo()
    change(good, "pin = 17", "pin = 99")
    assert read_for_alarm(good, {}).config == before
    folder = tmp_path / "state" / "config"
    assert [entry.name for entry in folder.iterdir()] == ["last-good.toml"]


_LINES = EXAMPLE.replace("/var/lib/gatehouse", "/nonexistent/state").splitlines()
_ELSEWHERE = {"STATE_DIRECTORY": "/nonexistent"}
_WORDS = '""" [[button]] [gateway] true nan -1 1979-05-27 button camera=3'
_BITS = st.sampled_from(
    [*"[]{}=.,#\"'\n\\\0\r\t\ufeff\x1b中", "9" * 30, "[[1, {a = 2}]]", *_WORDS.split()]
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Take the example and do to it what editors, thumbs and dying cards do."""
    lines = list(_LINES)
    for _ in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "value"])):
            case "drop":
                lines[index] = ""
            case "double":
                lines.insert(index, lines[index])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[index], lines[other] = lines[other], lines[index]
            case _:
                lines[index] = lines[index].partition("=")[0] + "=" + draw(_BITS)
    text = "\n".join(lines)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(_BITS) + text[at + draw(st.integers(0, 3)) :]
    return text


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=mutations(), environ=st.just(_ELSEWHERE))
@example(text="camera = 3\n" + EXAMPLE, environ=_ELSEWHERE)
@example(text="button = [1, {name = []}]\n", environ=_ELSEWHERE)
def test_nothing_but_config_errors(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    """No typo, however odd, ends in a traceback, and every mistake has its sentence."""
    _only_config_errors(tmp_path, text, environ)


@pytest.mark.campaign
@settings(
    max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=mutations())
def test_nothing_but_config_errors_in_long(tmp_path: Path, text: str) -> None:
    """The same, long enough to meet the odd ones among the odd."""
    _only_config_errors(tmp_path, text, _ELSEWHERE)


def _only_config_errors(tmp_path: Path, text: str, environ: dict[str, str]) -> None:
    path = tmp_path / "gatehouse.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    strict = _attempt(lambda: config.read(path))
    lenient = _attempt(lambda: read_for_alarm(path, environ))
    if isinstance(strict, ConfigError):
        assert strict.mistakes
        assert all(mistake.message for mistake in strict.mistakes)
        assert len(str(strict).split("\n")) == len(strict.mistakes)
    else:
        assert not isinstance(lenient, ConfigError)  # never stricter than the check
    if not isinstance(lenient, ConfigError):
        assert not lenient.from_last_good
        assert lenient.config.buttons


def _attempt(read: Callable[[], T]) -> T | ConfigError:
    try:
        return read()
    except ConfigError as exc:
        return exc


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=300))
def test_noise_is_a_config_error(tmp_path: Path, content: bytes) -> None:
    """Bytes that never were a configuration are refused as such."""
    path = tmp_path / "gatehouse.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        config.read(path)
