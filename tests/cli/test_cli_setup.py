"""``gatehouse setup`` as it is typed, and what the status shows of it."""

import io
from pathlib import Path
from typing import Any

import pytest

from cli.typed import STATUS, Gatehouse, shown, typed
from gatehouse.cli import setup
from gatehouse.cli.status import render
from gatehouse.process import only_one

Caps = pytest.CaptureFixture[str]

UNPROVEN: list[dict[str, Any]] = [
    {"subject": "button/gate", "what": "lamps", "why": "not seen"},
    {"subject": "broker/mqtts://a.example:8883", "what": "connection", "why": "no route [to] it"},
    {"subject": "button/of-a-later-version", "what": "smell", "why": "?"},
]


@pytest.mark.parametrize("columns", [45, 80])
def test_the_status_shows_what_is_not_proven(columns: int) -> None:
    """Without it an installation that was never finished would look like any other."""
    flat = " ".join(" ".join(shown(render({**STATUS, "unproven": UNPROVEN}), columns)).split())
    assert "not proven gate: lamps and buzzer (not seen)" in flat
    assert "mqtts://a.example:8883: connection" in flat
    assert "smell" in flat
    assert "not proven" not in " ".join(shown(render({**STATUS, "unproven": []}), columns))


@pytest.mark.parametrize("columns", [45, 80])
def test_lines_and_questions_fit_a_telephone(columns: int) -> None:
    """Chinese is twice as wide; a word of an answer in brackets is no markup."""
    from rich.cells import cell_len  # noqa: PLC0415  # as the commands do
    from rich.console import Console  # noqa: PLC0415

    out = io.StringIO()
    console = Console(file=out, width=columns, highlight=False, emoji=False)
    terminal = setup.Terminal(console, io.StringIO("  实验小学 \n"))
    terminal.say("一键报警按钮" * 12)
    assert terminal.ask("学校名称" * 8 + " [bold]:") == "实验小学"
    assert "[bold]" in out.getvalue()
    assert all(cell_len(line) <= columns for line in out.getvalue().splitlines())
    with pytest.raises(EOFError):
        terminal.ask("?")


def test_wrong_answers_are_a_wrong_configuration(place: Gatehouse, capsys: Caps) -> None:
    """2, every mistake at once, and the file in force stays as it is."""
    before = place.config.read_text()
    file = place.root / "answers.toml"
    file.write_text('[gateway]\nid = "X"\n[setup]\nclock = 1\n', encoding="utf-8")
    said = typed(capsys, "setup", "--config", str(place.config), "--answers", str(file))
    assert said.code == 2
    assert f"{file}:2: gateway.id" in said.err
    assert "setup.clock" in said.err
    assert "button: needs at least one" in said.err
    assert place.config.read_text() == before


def test_nobody_at_the_keyboard_is_told(
    place: Gatehouse, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 and no file: a script that forgets --answers must not wait for ever."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    said = typed(capsys, "setup", "--config", str(place.config))
    assert said.code == 2
    assert "nothing was written" in said.err


def test_a_running_service_is_not_disturbed(place: Gatehouse, capsys: Caps) -> None:
    """It holds the pins: setup says how to stop it, and what that means."""
    with only_one(place.root / "alarm.lock", "gatehouse-alarm"):
        said = typed(capsys, "setup", "--config", str(place.config))
    assert said.code == 2
    assert "no button works while it is stopped" in said.err
    assert "systemctl stop gatehouse-alarm" in said.err


def test_what_is_not_proven_ends_with_1(
    place: Gatehouse, capsys: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script over forty schools sees which ones need a visit."""
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "none-that-exists")
    answers = place.root / "answers.toml"
    answers.write_text(place.config.read_text(encoding="utf-8"), encoding="utf-8")
    said = typed(capsys, "setup", "--config", str(place.config), "--answers", str(answers))
    assert (said.code, said.err) == (1, "")
    assert "NOT PROVEN: gate, press" in said.out
    assert Path(f"{place.config}.bak").is_file()
