"""What may be typed (contract section 1): where the configuration comes from, codes, languages."""

import sys
from pathlib import Path

import pytest

from cli.typed import Answers, Gatehouse, child, ended, typed
from gatehouse.cli.asking import DEFAULT_CONFIG, config_path
from gatehouse.cli.drill import duration
from gatehouse.errors import ControlError

Caps = pytest.CaptureFixture[str]


def test_the_configuration_may_be_named_before_and_after_the_command(
    place: Gatehouse, service: Answers, capsys: Caps
) -> None:
    """Without it half of what the contract allows to type would be an error."""
    where = str(place.config)
    for words in (
        ("--config", where, "status", "--json"),
        ("status", "--config", where, "--json"),
        ("status", "--json", f"--config={where}"),
        ("--config", "/nowhere", "status", "--config", where, "--json"),
    ):
        said = typed(capsys, *words)
        assert (said.code, said.err) == (0, ""), words
        assert said.json["gateway"] == "qd-sn-0042"
    service.said["drill-start"] = {"drill": {}}
    assert typed(capsys, "drill", "--config", where, "start", "gate").code == 0
    assert typed(capsys, "drill", "start", "--config", where, "gate").code == 0
    assert typed(capsys, "config", "check", "--config", where).code == 0


def test_the_configuration_is_found_in_its_order(
    place: Gatehouse, service: Answers, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a command could ask another gateway than the one that was named."""
    assert service.asked == []
    assert config_path(None) == Path(DEFAULT_CONFIG) == Path("/etc/gatehouse/gatehouse.toml")
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(place.config))
    assert typed(capsys, "status", "--json").code == 0
    assert typed(capsys, "--config", "/nowhere", "status").code == 2
    monkeypatch.setenv("GATEHOUSE_CONFIG", "")
    assert config_path(None) == Path(DEFAULT_CONFIG)
    monkeypatch.chdir(place.root)
    assert config_path("gatehouse.toml") == place.config


def test_a_configuration_may_be_called_like_a_command(
    place: Gatehouse, service: Answers, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it `--config run status` would fail with a traceback."""
    assert service.asked == []
    monkeypatch.chdir(place.root)
    for name in ("run", "drill", "config"):
        place.config.rename(place.root / name)
        assert typed(capsys, "--config", name, "status", "--json").code == 0
        (place.root / name).rename(place.config)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("",),
        ("dance",),
        ("status", "--loud"),
        ("status", "gate"),
        ("reset",),
        ("reset", "gate"),
        ("reset", "gate", "--by", "x"),
        ("reset", "gate", "--by", "x", "--reason", "key"),
        ("drill",),
        ("drill", "start"),
        ("drill", "pause"),
        ("drill", "start", "--for", "soon", "gate"),
        ("drill", "start", "--for", "1h", "gate"),
        ("drill", "start", "--for", "0", "gate"),
        ("run",),
        ("run", "radio"),
        ("evidence",),
        ("evidence", "burn"),
        ("evidence", "show"),
        ("evidence", "export", "a1b2c3"),
        ("evidence", "release", "a1b2c3"),
        ("config",),
        ("events", "--limit", "many"),
        ("events", "--limit", "0"),
        ("events", "--limit", "-5"),
    ],
)
def test_wrong_usage_is_two_and_says_so_on_stderr(words: tuple[str, ...], capsys: Caps) -> None:
    """Without it a script would take a typing mistake for a fault of the school."""
    said = typed(capsys, *words)
    assert said.code == 2
    assert said.out == ""
    assert "gatehouse" in said.err


def test_no_service_is_three(place: Gatehouse, capsys: Caps) -> None:
    """Without it "the service is down" could not be told from "something is not fine"."""
    where = ("--config", str(place.config))
    for words in (
        ("status",),
        ("status", "--json"),
        ("status", "--watch"),
        ("events", "--json"),
        ("reset", "gate", "--by", "x", "--reason", "test"),
        ("drill", "stop"),
        ("drill", "start", "gate"),
    ):
        said = typed(capsys, *where, *words)
        assert (said.code, said.out) == (3, ""), words
        assert "not running" in said.err
        assert "systemctl start gatehouse-alarm" in said.err
        assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("refused", 2),
        ("unknown", 2),
        ("malformed", 2),
        ("busy", 1),
        ("timeout", 1),
        ("internal", 1),
    ],
)
def test_a_refusal_is_wrong_usage_unless_it_is_the_services_own(
    place: Gatehouse, service: Answers, capsys: Caps, code: str, exit_code: int
) -> None:
    """Without it a script would correct its spelling when the service is busy."""
    service.said["reset"] = ControlError("no button hall in the configuration", code)
    said = typed(
        capsys, "--config", str(place.config), "reset", "hall", "--by", "x", "--reason", "test"
    )
    assert (said.code, said.out) == (exit_code, "")
    assert said.err == "gatehouse: no button hall in the configuration\n"


def test_a_broken_configuration_is_two_with_every_mistake(place: Gatehouse, capsys: Caps) -> None:
    """Without it one would mend a file mistake by mistake."""
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace("pin = 17", 'pin = 99\ncolour = "red"'), encoding="utf-8")
    said = typed(capsys, "config", "check", str(place.config))
    assert said.code == 2
    assert len(said.out.splitlines()) == 2  # the mistakes are the result
    assert all(line.startswith(f"{place.config}:") for line in said.out.splitlines())
    assert "2 mistake" in said.err
    said = typed(capsys, "--config", str(place.config), "status")
    assert (said.code, said.out) == (2, "")
    assert "pin" in said.err
    assert typed(capsys, "config", "check", "/nowhere.toml").code == 2


def test_a_good_configuration_is_zero(place: Gatehouse, capsys: Caps) -> None:
    """Without it nobody could tell a checked file from one that was not looked at."""
    said = typed(capsys, "config", "check", str(place.config))
    assert (said.code, said.err) == (0, "")
    assert "1 buttons" in said.out


def test_the_example_configuration_is_fine(capsys: Caps) -> None:
    """Without it the file that every school starts from could be refused."""
    example = Path(__file__).parents[2] / "config" / "gateway.toml"
    assert typed(capsys, "config", "check", str(example)).code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("status", "--help"),
        ("events", "--help"),
        ("cameras", "--help"),
        ("cameras", "discover", "--help"),
        ("cameras", "relearn", "--help"),
        ("recordings", "--help"),
        ("reset", "--help"),
        ("drill", "--help"),
        ("drill", "start", "--help"),
        ("drill", "stop", "--help"),
        ("run", "--help"),
        ("config", "--help"),
        ("config", "check", "--help"),
    ],
)
def test_help_is_there_in_both_languages(
    words: tuple[str, ...], capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a Chinese technician would read English help, or half of it."""
    said = typed(capsys, *words)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("usage: gatehouse")
    assert "show this help message and exit" in said.out
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    said = typed(capsys, *words)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("用法：gatehouse")
    for english in ("usage", "options", "positional", "show this", "configuration file"):
        assert english not in said.out


def test_wrong_usage_is_told_in_chinese_too(capsys: Caps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the one message that a mistyping guard reads would be in English."""
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    for words, chinese in (
        (("reset", "gate"), "缺少参数：--by, --reason"),
        (("status", "--loud"), "不认识的参数：--loud"),
        (("run", "radio"), "没有这个选择"),
        (("drill", "start", "--for", "1h", "gate"), "最长 30 分钟"),
    ):
        assert chinese in typed(capsys, *words).err


def test_the_configured_language_is_spoken(
    place: Gatehouse, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it a service in Chinese would be answered for in English over ssh."""
    text = place.config.read_text(encoding="utf-8")
    place.config.write_text(text.replace('"en"', '"zh_CN"'), encoding="utf-8")
    assert "服务未运行" in typed(capsys, "--config", str(place.config), "status").err
    assert "正确" in typed(capsys, "config", "check", str(place.config)).out
    place.config.write_text(text, encoding="utf-8")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "is not running" in typed(capsys, "--config", str(place.config), "status").err
    place.config.write_text(text.replace('language = "en"', ""), encoding="utf-8")
    assert "服务未运行" in typed(capsys, "--config", str(place.config), "status").err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("0.5h", 1800), ("30m", 1800), ("45", 45), ("1.5m", 90)],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    """Without it `--for 10m` of the contract could mean ten seconds."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["1h", "31m", "0", "0s", "-5m", "10 m", "10M", "m", "", "1e3", "∞"]
)
def test_times_that_are_none_or_too_long(text: str) -> None:
    """Without it a drill could outlast the shift of those who know of it."""
    with pytest.raises(Exception, match=r"30 minutes|not a time"):
        duration(text)


def test_the_version(capsys: Caps) -> None:
    """Without it nobody could say which version a fault was seen with."""
    assert typed(capsys, "--version").out.startswith("gatehouse 0.")


def test_python_dash_m_is_the_same() -> None:
    """Without it the agent would be started otherwise in simulation than in a school."""
    said = ended(child(Path(sys.executable).name, "-m", "gatehouse", "dance"))
    assert said.code == 2
    assert "usage: gatehouse [-h]" in said.err


@pytest.mark.parametrize("words", [(), ("demo",), ("press", "gate"), ("--help",)])
def test_without_its_extra_the_simulator_names_what_to_install(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """Without it `gatehouse-sim` on a Pi would end in a traceback about cryptography."""
    hider = "import sys; sys.modules['cryptography'] = None\n"  # as if it were not installed
    (tmp_path / "sitecustomize.py").write_text(hider, encoding="utf-8")
    said = ended(child("gatehouse-sim", *words, PYTHONPATH=str(tmp_path)))
    assert (said.code, said.out) == (2, "")
    assert "pip install 'gatehouse-agent[sim]'" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--port", "x"),
        ("press",),
        ("bend", "gate"),
        (),
        ("--config", "/nowhere", "press", "gate"),
        ("press", "gate", "--config", "/nowhere"),
    ],
)
def test_wrong_usage_of_the_simulator_is_two(words: tuple[str, ...]) -> None:
    """Without it a mistyped hand on the wiring would look like one that pressed."""
    said = ended(child("gatehouse-sim", *words))
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err


def test_no_board_is_three(place: Gatehouse) -> None:
    """Without it a press on a wiring that is not there would look like one that was lost."""
    where = ("--config", str(place.config))
    said = ended(child("gatehouse-sim", *where, "press", "gate"))
    assert said.code == 3
    assert "gatehouse-sim demo" in said.err
    said = ended(child("gatehouse-sim", *where, "cut", "hall"))
    assert said.code == 2
    assert "hall" in said.err
    assert "gate" in said.err
