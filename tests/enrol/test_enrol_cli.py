"""``gatehouse enrol`` as it is typed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrol.port import port
from gatehouse import cli
from gatehouse.cli import extras
from gatehouse_sim.authority import Authority
from system.seen import typed

CONFIG = """
[gateway]
id = "qd-sn-0042"
school = "实验小学"
language = "en"
state_dir = "state"

[[button]]
name = "gate"
location = "南门"
pin = 17

[district]
brokers = ["mqtts://a.example:8883"]
ca = "ca.pem"
cert = "gateway.pem"
key = "gateway.key"
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Lend the configuration of a gateway that has no certificate yet."""
    path = tmp_path / "etc" / "gatehouse.toml"
    path.parent.mkdir()
    path.write_text(CONFIG, encoding="utf-8")
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Type a command in this process."""
    code = cli.main(words)
    out = capsys.readouterr()
    return code, out.out, out.err


def test_by_file(conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it a district without an HTTPS port could have no gateway."""
    authority = Authority.make(tmp_path / "ca", datetime.now(UTC))
    request, cert = tmp_path / "gw.csr", tmp_path / "gw.pem"
    base = ("--config", str(conf), "enrol")
    code, out, err = said(capsys, *base, "--request", str(request))
    assert (code, err) == (0, "")
    assert "--install" in out
    cert.write_bytes(authority.real.sign_request(request.read_bytes(), authority.moment).pem)
    code, _, err = said(capsys, *base, "--install", str(cert))
    assert code == 1
    assert "ca.pem cannot be read" in err
    code, out, _ = said(capsys, *base, "--install", str(cert), "--ca", str(authority.ca))
    assert code == 0
    assert out.count("in place: ") == 3
    code, out, _ = said(capsys, *base, "--renew")
    assert code == 0
    assert "a new one is due on" in out
    assert {path.name for path in conf.parent.iterdir()} == {
        "ca.pem",
        "gateway.key",
        "gateway.pem",
        "gatehouse.toml",
    }


async def test_by_code_before_there_is_a_configuration(tmp_path: Path) -> None:
    """Without it setup, which proves the brokers, would have nothing to prove them with."""
    authority = Authority.make(tmp_path / "ca", datetime.now(UTC))
    code = authority.real.code("qd-sn-0042", datetime.now(UTC)).text
    path = tmp_path / "etc" / "gatehouse.toml"
    async with port(authority.real, authority.server()) as there:
        words = ("gatehouse", "enrol", "--at", there.url, "--code", code)
        none = await typed(path, *words)
        assert none.code == 1
        assert "--gateway" in none.err
        done = await typed(path, *words, "--gateway", "qd-sn-0042")
    assert (done.code, done.err) == (0, "")
    assert f'enrol = "{there.url}"' in done.out
    assert (path.parent / "gateway.key").stat().st_mode & 0o777 == 0o600
    assert {each.name for each in path.parent.iterdir()} == {
        "ca.pem",
        "gateway.key",
        "gateway.pem",
    }


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--code", "X"),
        ("--code", "X", "--at", "http://127.0.0.1:1"),
        ("--code", "X", "--at", "https://user:word@a.example"),
        ("--code", "X", "--at", "https://a.example/path"),
        ("--renew", "--ca", "ca.pem"),
        ("--request", "f", "--json"),
        ("--request", "f", "--gateway", "a/b"),
        ("--request", "f", "--renew"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    conf: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it a code could go to a server that shows no certificate."""
    try:
        code = cli.main(["--config", str(conf), "enrol", *words])
    except SystemExit as exc:
        code = int(str(exc.code))
    assert code == 2
    assert capsys.readouterr().err


def test_what_does_not_work_is_told(
    conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it a technician would read a traceback."""
    base = ("--config", str(conf), "enrol")
    for words, why in (
        (("--code", "X", "--at", "https://127.0.0.1:1"), "25 letters"),
        (("--request", str(tmp_path / "r"), "--gateway", "qd-sn-0043"), "says qd-sn-0042"),
        (("--renew",), "gateway.pem cannot be read"),
    ):
        code, _, err = said(capsys, *base, *words)
        assert code == 1
        assert why in err


def test_without_the_extra_it_says_what_to_install(
    conf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without it a person would read about a module, not about what to do."""
    monkeypatch.setattr(extras, "find_spec", lambda _name: None)
    code, _, err = said(capsys, "--config", str(conf), "enrol", "--renew")
    assert code == 2
    assert "gatehouse-agent[enrol]" in err
